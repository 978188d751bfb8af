"""Requests read and replies written: JSON both ways, errors in our own words."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from streamer.errors import (
    AlreadyAnswered,
    NotFound,
    ProfileBusy,
    ProfileLocked,
    ProfileReplaced,
    UsageError,
)
from streamer.text import printable
from streamer.types import DIMENSIONS, Label, Prediction

NUMBER: Final = "[0-9]{1,18}"  # of an utterance or a label, as far as SQLite can count


class Body(BaseModel):
    """What a page sends: nothing but the fields named, of the types named."""

    model_config = ConfigDict(extra="forbid", strict=True)


B = TypeVar("B", bound=Body)


async def read(request: Request, kind: type[B]) -> B:
    """The request's body. Raises UsageError."""
    try:
        return kind.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the body"
        raise UsageError(f"{place}: {first['msg']}") from error


def reply(values: Mapping[str, Any], status: int = 200) -> JSONResponse:
    return JSONResponse(dict(values), status)


async def explain(request: Request, error: Exception) -> JSONResponse:
    """A StreamerError as {"error": its one line} with the status that fits."""
    match error:
        case AlreadyAnswered():
            status = 409
        case UsageError():
            status = 400
        case NotFound():
            status = 404
        case ProfileLocked():
            status = 503
        case ProfileBusy():
            status = 409
        case ProfileReplaced():
            status = 410
        case _:
            status = 500
    return reply({"error": printable(str(error))}, status)


def from_query(request: Request, name: str, usual: str, choices: tuple[str, ...] = ()) -> str:
    """A value of the address, or the usual one. Raises UsageError for none of the choices."""
    value = request.query_params.get(name) or usual
    if choices and value not in choices:
        raise UsageError(f"{name} {value!r}: give one of {', '.join(choices)}")
    return value


def prediction_values(prediction: Prediction) -> dict[str, dict[str, float]]:
    return {name: asdict(getattr(prediction, name)) for name in DIMENSIONS}


def label_values(label: Label) -> dict[str, Any]:
    return asdict(label)

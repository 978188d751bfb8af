"""The live view's requests: the state to begin with, and the events that carry it on."""

import math
from dataclasses import asdict
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from streamer.annotation.blind import Blind
from streamer.annotation.explaining import Sounding, soundings
from streamer.annotation.session import AnnotationSession
from streamer.profiles.status import status_row
from streamer.store.records import StoredUtterance
from streamer.types import DIMENSIONS
from streamer.web.events import MOST_PAGES, TooManyPages
from streamer.web.http import prediction_values, reply
from streamer.web.store_worker import StoreWorker

SHOWN_UTTERANCES: Final = 60
SHOWN_QUERIES: Final = 10


class Live:
    """Handlers; what the store holds is read on the worker's thread."""

    def __init__(self, worker: StoreWorker) -> None:
        self._worker = worker

    async def state(self, request: Request) -> JSONResponse:
        """All that the live view shows, as it is now."""
        hub = self._worker.hub
        return reply(
            {
                "listens": self._worker.listens,
                "lasting": hub.lasting,
                "notices": list(hub.notices),
                "reloads": hub.reloads,
                **await self._worker.ask(_state, self._worker.config.blind),
            }
        )

    async def events(self, request: Request) -> Response:
        stream = self._worker.hub.follow()
        try:
            first = await anext(stream)
        except TooManyPages:
            return reply({"error": f"{MOST_PAGES} pages look already: close one"}, 503)

        async def rest() -> Any:
            yield first
            async for text in stream:
                yield text

        return StreamingResponse(rest(), media_type="text/event-stream")


def utterance_values(stored: StoredUtterance, *, hidden: bool) -> dict[str, Any]:
    """As in the `utterance` event, with when it was and its state; hidden: without predictions."""
    if hidden:
        guess = dict.fromkeys((*DIMENSIONS, "verdict", "informativeness"))
    else:
        guess = {
            **prediction_values(stored.prediction),
            "verdict": asdict(stored.verdict),
            "informativeness": stored.informativeness,
        }
    return {
        "id": stored.id,
        "source": stored.source,
        "onset_s": stored.onset_s,
        "offset_s": stored.offset_s,
        "heard_at": stored.heard_at,
        **guess,
        "quality": asdict(stored.quality),
        "state": stored.state,
    }


def finite(values: Any) -> Any:
    """JSON knows no NaN: it becomes null."""
    if isinstance(values, float):
        return values if math.isfinite(values) else None
    if isinstance(values, dict):
        return {name: finite(value) for name, value in values.items()}
    if isinstance(values, list):
        return [finite(value) for value in values]
    return values


def _state(annotation: AnnotationSession, wanted: bool | None) -> dict[str, Any]:
    profile = annotation.profile
    blind = Blind(profile, wanted)
    selection = profile.sessions.last_selection()
    recent = profile.sessions.recent(SHOWN_UTTERANCES)
    said = soundings(profile, {u.id for u in recent})
    state: dict[str, Any] = finite(
        {
            "utterances": [
                _described(utterance_values(u, hidden=blind.hides(u.id, u.state)), said.get(u.id))
                for u in recent
            ],
            "selection": None if selection is None else asdict(selection),
            "track": _track(annotation),
        }
    )
    return state


def _described(values: dict[str, Any], said: Sounding | None) -> dict[str, Any]:
    """With how it sounds beside the usual, unless what is predicted of it is hidden."""
    shown = said is not None and values["verdict"] is not None
    return {**values, "sounds": said.text if said and shown else ""}


def _track(annotation: AnnotationSession) -> dict[str, Any]:
    profile = annotation.profile
    queries = profile.queries.open(SHOWN_QUERIES)
    return {
        **status_row(profile),
        "queries": [
            {"utterance": q.utterance.id, "score": q.score, "heard_at": q.utterance.heard_at}
            for q in queries
        ],
    }

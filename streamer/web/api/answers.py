"""The label page's requests: the next item, answers, and what they changed.

The prediction of an item is sent only in the reply to its answer.
"""

import re
from dataclasses import asdict
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from streamer.annotation.blind import Blind
from streamer.annotation.explaining import nearest, sounding
from streamer.annotation.labels import one
from streamer.annotation.session import AnnotationSession, Item
from streamer.errors import NotFound, UsageError
from streamer.store.marks import Marks
from streamer.store.queries import Order
from streamer.text import annotator_name
from streamer.types import Label
from streamer.web.http import (
    NUMBER,
    Body,
    from_query,
    label_values,
    prediction_values,
    read,
    reply,
)
from streamer.web.store_worker import StoreWorker

# As it is kept, so that one person has one turn. Raises UsageError.
Annotator = Annotated[str, AfterValidator(annotator_name)]


# Which page of an annotator: see `AnnotationSession.next`.
Seat = Annotated[str, Field(default="", max_length=64)]


class Answer(Body):
    """sure: store it whatever was predicted; otherwise a surprising answer is asked about first."""

    utterance: int
    annotator: Annotator
    seat: Seat
    valence: float | None = Field(default=None, ge=-1, le=1, allow_inf_nan=False)
    arousal: float | None = Field(default=None, ge=-1, le=1, allow_inf_nan=False)
    dominance: float | None = Field(default=None, ge=-1, le=1, allow_inf_nan=False)
    emotion: str | None = None
    sure: bool = True

    def label(self, alone: str | None) -> Label:
        """Raises UsageError for half an answer, or an emotion's name that cannot be one.

        alone: see `one`.
        """
        return one(
            self.utterance,
            self.valence,
            self.arousal,
            self.dominance,
            self.emotion,
            self.annotator,
            alone,
        )


class Passed(Body):
    kind: Literal["skip", "cannot tell"]
    utterance: int
    annotator: Annotator
    seat: Seat


class Person(Body):
    annotator: Annotator
    seat: Seat


class Answers:
    """Handlers; each does its work on the worker's thread."""

    def __init__(self, worker: StoreWorker) -> None:
        self._worker = worker

    async def next(self, request: Request) -> JSONResponse:
        annotator = annotator_name(from_query(request, "annotator", self._worker.config.annotator))
        order: Any = from_query(request, "order", "informative", get_args(Order))
        seat, shown = from_query(request, "seat", ""), from_query(request, "utterance", "0")
        if not re.fullmatch(NUMBER, shown):
            raise UsageError("utterance: give the number of one")

        def work(annotation: AnnotationSession) -> dict[str, Any]:
            item = annotation.next(annotator, order, seat, int(shown) or None)
            return _item_and_progress(annotation, item, annotator)

        return reply(await self._worker.ask(work))

    async def save(self, request: Request) -> JSONResponse:
        answer = await read(request, Answer)
        label = answer.label(await self._worker.ask(_dimension))
        if not answer.sure and await self._worker.ask(AnnotationSession.is_surprising, label):
            return reply({"surprising": True})
        saved = await self._worker.ask(AnnotationSession.save, label, answer.seat)
        if saved.now is None and saved.first is None and saved.problem is None:
            self._worker.announce(label.utterance, label.annotator)
        return reply(
            {
                "answer": label_values(label),
                "first": None if saved.first is None else label_values(saved.first),
                "predicted": prediction_values(saved.predicted),
                "now": None if saved.now is None else prediction_values(saved.now),
                "problem": saved.problem,
            }
        )

    async def change(self, request: Request) -> JSONResponse:
        """What is predicted of an answered utterance by now; null until the answer is learned."""
        annotator = annotator_name(from_query(request, "annotator", self._worker.config.annotator))
        utterance: int = request.path_params["utterance"]

        def work(annotation: AnnotationSession) -> dict[str, Any] | None:
            if not annotation.learned(utterance, annotator):
                return None
            return prediction_values(annotation.predict(utterance))

        return reply({"now": await self._worker.ask(work)})

    async def why(self, request: Request) -> JSONResponse:
        """How an utterance sounds beside the usual, and the nearest answers; null while hidden."""
        utterance: int = request.path_params["utterance"]

        def work(annotation: AnnotationSession) -> tuple[bool, bytes | None]:
            profile = annotation.profile
            stored = profile.utterances.get(utterance)
            hidden = Blind(profile, self._worker.config.blind).hides(utterance, stored.state)
            known = hidden or profile.acoustics.of(utterance) is not None
            return hidden, None if known else annotation.clip(utterance)

        hidden, clip = await self._worker.ask(work)
        if hidden:
            return reply({"why": None})
        measured = None if clip is None else await self._worker.measure(clip)
        return reply({"why": await self._worker.ask(_why, utterance, measured)})

    async def pass_over(self, request: Request) -> JSONResponse:
        passed = await read(request, Passed)
        await self._worker.ask(
            AnnotationSession.pass_over,
            passed.kind,
            passed.utterance,
            passed.annotator,
            passed.seat,
        )
        return reply({})

    async def undo(self, request: Request) -> JSONResponse:
        person = await read(request, Person)

        def work(annotation: AnnotationSession) -> dict[str, Any]:
            item = annotation.undo(person.annotator, person.seat)
            return _item_and_progress(annotation, item, person.annotator)

        return reply(await self._worker.ask(work))

    async def ask_again(self, request: Request) -> JSONResponse:
        await self._worker.ask(
            AnnotationSession.ask_skipped_again, (await read(request, Person)).annotator
        )
        return reply({})

    async def clip(self, request: Request) -> Response:
        clip, _ = await self._clip(request)
        return Response(clip, media_type="audio/flac")

    async def picture(self, request: Request) -> JSONResponse:
        return reply(await self._worker.picture(*await self._clip(request)))

    async def _clip(self, request: Request) -> tuple[bytes, Marks]:
        utterance: int = request.path_params["utterance"]

        def work(annotation: AnnotationSession) -> tuple[bytes | None, Marks]:
            marks = annotation.marks  # before the clip
            return annotation.clip(utterance), marks

        clip, marks = await self._worker.ask(work)
        if clip is None:
            raise NotFound(f"the audio of utterance {utterance} is not kept (any more)")
        return clip, marks


def _why(
    annotation: AnnotationSession, utterance: int, measured: dict[str, float] | None
) -> dict[str, Any]:
    """measured: what was found out just now, to be kept."""
    profile = annotation.profile
    if measured is not None:
        level_dbfs = profile.utterances.get(utterance).quality.level_dbfs
        profile.acoustics.add(utterance, {**measured, "level_dbfs": level_dbfs})
    said = sounding(profile, profile.acoustics.of(utterance))
    return {
        "text": said.text,
        "numbers": list(said.numbers),
        "nearest": [
            {**label_values(near.label), "similarity": near.similarity, "has_audio": near.has_audio}
            for near in nearest(annotation, utterance)
        ],
    }


def _dimension(annotation: AnnotationSession) -> str | None:
    return annotation.dimension


def _item_and_progress(
    annotation: AnnotationSession, item: Item | None, annotator: str
) -> dict[str, Any]:
    progress = annotation.progress(annotator)
    return {
        "item": None if item is None else _item_values(item),
        "progress": asdict(progress),
        "dimension": annotation.dimension,
        "listening": annotation.profile.has_listener(),
        "emotions": [{"name": name, "key": key} for name, key in annotation.emotions().items()],
    }


def _item_values(item: Item) -> dict[str, Any]:
    """Without the prediction, which would bias the annotator."""
    stored = item.utterance
    return {
        "utterance": stored.id,
        "source": stored.source,
        "onset_s": stored.onset_s,
        "offset_s": stored.offset_s,
        "heard_at": stored.heard_at,
        "has_audio": item.has_audio,
        "answered": None if item.answered is None else label_values(item.answered),
    }

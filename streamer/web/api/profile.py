"""The profile page's requests: labels listed, corrected and deleted; forgetting; export."""

import re
import time
from typing import Any, Final

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from streamer.annotation.labels import give, withdraw
from streamer.annotation.session import AnnotationSession
from streamer.errors import NotFound, UsageError
from streamer.profiles.forget import forget_before, forget_emotion, forget_utterances
from streamer.text import annotator_name, emotion_name, many
from streamer.types import Label
from streamer.web.api.answers import Answer
from streamer.web.http import NUMBER, Body, from_query, read, reply
from streamer.web.store_worker import StoreWorker

PAGE_ROWS: Final = 50
_DAY_S: Final = 86_400.0


class Forgotten(Body):
    """One of them."""

    utterance: int | None = None
    before: str | None = None
    emotion: str | None = None


class Expired(Body):
    days: float = Field(ge=0, le=36_500, allow_inf_nan=False)


class ProfileRequests:
    """Handlers; each does its work on the worker's thread."""

    def __init__(self, worker: StoreWorker) -> None:
        self._worker = worker

    async def correct(self, request: Request) -> JSONResponse:
        """A new answer of the same annotator, which replaces the old one whole."""
        answer = await read(request, Answer)

        def work(annotation: AnnotationSession) -> str:
            return _correct(annotation, answer.label(annotation.dimension))

        return reply({"done": await self._worker.ask(work)})

    async def withdraw(self, request: Request) -> JSONResponse:
        seq: int = request.path_params["seq"]

        def work(annotation: AnnotationSession) -> str:
            with annotation.profile_model() as profile_model:
                return withdraw(annotation.profile, seq, profile_model)

        return reply({"done": await self._worker.ask(work)})

    async def forget(self, request: Request) -> JSONResponse:
        return reply({"done": await self._worker.ask(_forget, await read(request, Forgotten))})

    async def expire(self, request: Request) -> JSONResponse:
        """Close open questions older than some days; their audio is deleted."""
        days = (await read(request, Expired)).days

        def work(annotation: AnnotationSession) -> int:
            now = time.time()
            return annotation.profile.utterances.expire_queries(now - days * _DAY_S, now)

        count = await self._worker.ask(work)
        return reply({"done": f"{many(count, 'open question')} closed, audio deleted"})

    async def listed(self, request: Request) -> dict[str, Any]:
        """One page of labels, for the template."""
        annotator = from_query(request, "annotator", "")
        emotion = from_query(request, "emotion", "")
        before = from_query(request, "before", "0")
        if not re.fullmatch(NUMBER, before):
            raise UsageError("before: give the number of a label")
        whose = annotator and annotator_name(annotator)
        return await self._worker.ask(_listed, whose, emotion, int(before))


def _listed(
    annotation: AnnotationSession, annotator: str, emotion: str, before: int
) -> dict[str, Any]:
    profile = annotation.profile
    newest = profile.labels.newest() + 1
    rows = profile.labels.page(PAGE_ROWS + 1, before or newest, annotator, emotion)
    more = len(rows) > PAGE_ROWS
    return {
        "labels": rows[:PAGE_ROWS],
        "older": rows[PAGE_ROWS - 1].seq if more else None,
        "annotators": profile.labels.annotators(),
        "emotions": profile.emotions.names(),
        "annotator": annotator,
        "emotion": emotion,
        "count": profile.labels.count(),
    }


def _correct(annotation: AnnotationSession, label: Label) -> str:
    if annotation.profile.labels.answer_of(label.utterance, label.annotator) is None:
        raise NotFound(f"{label.annotator} has no label on utterance {label.utterance} to correct")
    with annotation.profile_model() as profile_model:
        return str(give(annotation.profile, [label], profile_model=profile_model))


def _forget(annotation: AnnotationSession, what: Forgotten) -> str:
    profile = annotation.profile
    if sum(v is not None for v in (what.utterance, what.before, what.emotion)) != 1:
        raise UsageError("nothing to forget: give one of utterance, before, emotion")
    try:
        if what.utterance is not None:
            count = forget_utterances(profile, [what.utterance])
            return f"{many(count, 'utterance')} forgotten"
        if what.before is not None:
            count = forget_before(profile, what.before)
            return f"{many(count, 'utterance')} forgotten"
        name = emotion_name(what.emotion or "")
        stood = many(forget_emotion(profile, name), "utterance")
        return f"{name} forgotten ({stood} stood for it)"
    finally:
        profile.let_go()

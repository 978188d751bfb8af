"""The emotions page's requests: pick utterances, see whether they agree, enroll them, test."""

import time
from dataclasses import asdict
from typing import Any, Final

import numpy as np
from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse

from streamer.annotation.blind import Blind
from streamer.annotation.enrolment import ENOUGH, advice, doubt_about
from streamer.annotation.session import AnnotationSession
from streamer.learners.cohesion import cohesion, error_rates
from streamer.loop.trust import predict
from streamer.store.records import StoredUtterance
from streamer.text import emotion_name
from streamer.types import DIMENSIONS
from streamer.web.api.live import finite
from streamer.web.http import Body, prediction_values, read, reply
from streamer.web.store_worker import StoreWorker

# Li and Lee enroll about ten utterances.
SHOWN_UTTERANCES: Final = 24
MOST_AT_ONCE: Final = 100


class Picked(Body):
    utterances: list[int] = Field(max_length=MOST_AT_ONCE)


class Enrollment(Picked):
    """sure: enroll them whatever they sound like; otherwise contradicting ones are asked about."""

    emotion: str
    sure: bool = True


class EmotionRequests:
    """Handlers; each does its work on the worker's thread."""

    def __init__(self, worker: StoreWorker) -> None:
        self._worker = worker

    async def state(self, request: Request) -> JSONResponse:
        return reply(finite(await self._worker.ask(emotions_state, self._worker.config.blind)))

    async def compare(self, request: Request) -> JSONResponse:
        picked = await read(request, Picked)
        return reply(finite(await self._worker.ask(_compare, picked.utterances)))

    async def enroll(self, request: Request) -> JSONResponse:
        wanted, blind = await read(request, Enrollment), self._worker.config.blind
        name = emotion_name(wanted.emotion)

        def work(annotation: AnnotationSession) -> dict[str, Any]:
            profile = annotation.profile
            picked = [profile.utterances.get(number) for number in dict.fromkeys(wanted.utterances)]
            doubt = None if wanted.sure else _doubt(annotation, name, picked)
            if doubt is not None:
                return {"doubt": doubt}
            with profile.database.transaction():
                for stored in picked:
                    profile.emotions.enroll(
                        name, stored.emotion, stored.source, stored.id, time.time()
                    )
            return emotions_state(annotation, blind) | {"advice": advice(profile, name)}

        return reply(finite(await self._worker.ask(work)))


def emotions_state(annotation: AnnotationSession, wanted: bool | None) -> dict[str, Any]:
    """Enrolled emotions with their error rates, and the last utterances with verdicts as of now.

    wanted: the setting `blind`. Unset, what may still become a question is not hidden here: the
    page is for testing what one says at once.
    """
    profile = annotation.profile
    if profile.is_empty():
        return {"emotions": [], "utterances": [], "enough": ENOUGH}
    recent = list(reversed(profile.sessions.recent(SHOWN_UTTERANCES)))
    with annotation.profile_model() as profile_model:
        model = profile_model.model
        model.reload_emotions()
        enrolled, usual = model.enrolled, model.usual_emotion.mean
        unenrolled = model.open_set_false_accepts()
        verdicts = [model.verdict(stored) for stored in recent]
        predictions = [predict(model, stored, stored.quality) for stored in recent]
    vectors = profile.emotions.enrolled()
    rows = []
    for name, prototype in enrolled.items():
        others = [other for emotion, other in vectors.items() if emotion != name]
        accepts, rejects = error_rates(
            vectors[name], others, prototype.mean, prototype.threshold, usual
        )
        rows.append(
            {
                "emotion": name,
                "count": prototype.count,
                "threshold": prototype.threshold,
                "false_accepts": accepts,
                "false_rejects": rejects,
                "open_set_false_accepts": unenrolled.get(name),
                "cohesion": cohesion(vectors[name], usual).cohesion,
            }
        )
    blind = Blind(profile, wanted)
    hidden = dict.fromkeys((*DIMENSIONS, "verdict"))
    shown = [
        {
            "id": stored.id,
            "onset_s": stored.onset_s,
            "duration_s": stored.offset_s - stored.onset_s,
            "heard_at": stored.heard_at,
            "has_audio": profile.audio.has_clip(stored.id),
            **(
                hidden
                if blind.hides(stored.id, stored.state if wanted else "")
                else {"verdict": asdict(verdict), **prediction_values(prediction)}
            ),
        }
        for stored, verdict, prediction in zip(recent, verdicts, predictions, strict=True)
    ]
    return {"emotions": rows, "utterances": shown, "enough": ENOUGH}


def _doubt(
    annotation: AnnotationSession, emotion: str, picked: list[StoredUtterance]
) -> str | None:
    """See `doubt_about`."""
    with annotation.profile_model() as profile_model:
        return doubt_about(profile_model.model, emotion, [stored.emotion for stored in picked])


def _compare(annotation: AnnotationSession, utterances: list[int]) -> dict[str, Any]:
    """Whether what was picked agrees; apart: the ones to keep or drop."""
    numbers = list(dict.fromkeys(utterances))
    stored = [annotation.profile.utterances.get(number) for number in numbers]
    if not stored:
        return {"cohesion": None, "apart": [], "distances": {}}
    with annotation.profile_model() as profile_model:
        usual = profile_model.model.usual_emotion.mean
    found = cohesion(np.stack([u.emotion for u in stored]).astype(np.float64), usual)
    return {
        "cohesion": found.cohesion,
        "apart": [numbers[at] for at in found.apart],
        "distances": {str(n): float(d) for n, d in zip(numbers, found.distances, strict=True)},
    }

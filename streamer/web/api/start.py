"""The first steps' requests: where somebody is, going on, and what was learned."""

from dataclasses import asdict
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import JSONResponse

from streamer.annotation.before_after import Change, changes
from streamer.annotation.first_steps import SENTENCES, Step
from streamer.annotation.session import AnnotationSession
from streamer.text import annotator_name
from streamer.web.http import Body, from_query, label_values, prediction_values, read, reply
from streamer.web.store_worker import StoreWorker


class Action(Body):
    """go: to that step; on: from that step to the next; the others are about the sentences."""

    do: Literal["go", "on", "read", "talk", "again"]
    step: Step = "microphone"


class StartRequests:
    """Handlers; the steps are followed by a sink of the loop, answers come from the store."""

    def __init__(self, worker: StoreWorker) -> None:
        self._worker = worker
        self._steps = worker.first_steps

    async def state(self, request: Request) -> JSONResponse:
        annotator = annotator_name(from_query(request, "annotator", self._worker.config.annotator))
        wanted, state = self._worker.config.blind, self._steps.state
        heard = dict(state.heard)

        def work(annotation: AnnotationSession) -> dict[str, Any]:
            found = changes(annotation, list(heard), annotator, wanted)
            progress = annotation.progress(annotator)
            return {
                "open": progress.left,
                "answered": progress.answered,
                "utterances": annotation.profile.utterances.count(),
                "changes": [_change_values(one, heard[one.utterance]) for one in found],
            }

        return reply(
            {
                "listens": self._worker.listens,
                "step": state.step,
                "sound": state.sound,
                "sound_text": state.sound_text,
                "reads": state.reads,
                "read": state.read,
                "sentences": [asdict(one) for one in SENTENCES],
                **await self._worker.ask(work),
            }
        )

    async def act(self, request: Request) -> JSONResponse:
        action = await read(request, Action)
        match action.do:
            case "go":
                self._steps.go_to(action.step)
            case "on":
                self._steps.go_on(action.step)
            case "again":
                self._steps.read_again()
            case _:
                self._steps.read_sentences(action.do == "read")
        return await self.state(request)


def _change_values(one: Change, sentence: int | None) -> dict[str, Any]:
    return {
        "utterance": one.utterance,
        "sentence": sentence,
        "before": prediction_values(one.before),
        "before_verdict": asdict(one.before_verdict),
        "after": prediction_values(one.after),
        "after_verdict": asdict(one.after_verdict),
        "answer": None if one.answer is None else label_values(one.answer),
    }

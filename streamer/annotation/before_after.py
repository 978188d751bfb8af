"""What the first answers changed: utterances predicted before any answer, and as of now."""

from collections.abc import Sequence
from dataclasses import dataclass

from streamer.annotation.blind import Blind
from streamer.annotation.session import AnnotationSession
from streamer.errors import NotFound
from streamer.loop.profile_model import untaught_model
from streamer.loop.trust import predict
from streamer.types import Label, Prediction, Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """One utterance. answer: the label of it, by the person who looks; None where there is none.

    before: as predicted when it was heard, before any answer, or as the model predicts it without
    answers; after: with all of them.
    """

    utterance: int
    before: Prediction
    before_verdict: Verdict
    after: Prediction
    after_verdict: Verdict
    answer: Label | None


def changes(
    annotation: AnnotationSession, utterances: Sequence[int], annotator: str, wanted: bool | None
) -> list[Change]:
    """What changed for these utterances, in their order.

    Left out are those that are forgotten, and those with a question that is still open, unless
    `wanted` (the setting `blind`) is False: their predictions are hidden.
    """
    profile = annotation.profile
    if profile.is_empty():
        return []
    blind = Blind(profile, wanted)
    first_s = profile.labels.first_given_s()
    found = []
    with annotation.profile_model() as profile_model:
        model = profile_model.model
        untaught = untaught_model(profile)
        untaught.usual, untaught.usual_emotion = model.usual, model.usual_emotion
        untaught.population = model.population
        for number in utterances:
            try:
                stored = profile.utterances.get(number)
            except NotFound:
                continue
            if blind.hides(number, stored.state):
                continue
            before, verdict = stored.prediction, stored.verdict
            if first_s is not None and stored.heard_at >= first_s:
                before = predict(untaught, stored, stored.quality)
                verdict = untaught.verdict(stored)
            entry = profile.labels.answer_of(number, annotator)
            found.append(
                Change(
                    number,
                    before,
                    verdict,
                    predict(model, stored, stored.quality),
                    model.verdict(stored),
                    None if entry is None else entry.label,
                )
            )
    return found

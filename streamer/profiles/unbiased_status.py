"""Unbiased estimates: accuracy over all utterances, and the labels saved by choosing questions.

Both are computed from the answers to randomly drawn questions (`--explore`): see
`query.exploration`. Questions that were never answered are missing, so the estimates hold for the
utterances that the annotators answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.learners.affect import AffectLearner
from streamer.loop.online_model import OnlineModel
from streamer.loop.profile_model import lesson_of, untaught_model
from streamer.query.exploration import (
    FEWEST,
    FairAgreement,
    LabelsSaved,
    fair_agreement,
    labels_saved,
)
from streamer.store.profile import Profile
from streamer.store.records import LogEntry
from streamer.types import DIMENSIONS, Matrix, Vector

_SEED: Final = 0
_CHECKPOINTS: Final = 24
_HALVES: Final = 12
# The learner is followed until it has so many times the labels that chance is given.
_FARTHEST: Final = 4


@dataclass(frozen=True, slots=True)
class FairTest:
    """The estimates of one dimension; None until there are enough randomly drawn answers."""

    answers: int
    agreement: FairAgreement | None
    saved: LabelsSaved | None


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Randomly drawn answers on one dimension, in the order of the log.

    features: [m, d], as the labels were learned with. means: [m], predicted on arrival.
    """

    utterances: Sequence[int]
    features: Matrix
    means: Vector
    answers: Vector
    propensities: Vector


def fair_tests(profile: Profile) -> dict[str, FairTest]:
    """The estimates by dimension; deterministic for a given profile."""
    chances = profile.queries.propensities()
    learned = [entry for entry in profile.labels.effective() if entry.features is not None]
    return {name: _tested(profile, name, learned, chances) for name in DIMENSIONS}


def fair_line(fair: dict[str, Any]) -> str:
    """The estimates of one dimension as a line of text."""
    agreement, saved = fair["ccc"], fair["saved"]
    if agreement is None:
        return (
            f"all utterances: not known yet, {fair['answers']} of "
            f"{fair['needed_answers']} answers drawn at random"
        )
    line = (
        f"all utterances: CCC {agreement['ccc']:.2f} "
        f"({agreement['low']:.2f} to {agreement['high']:.2f}, {agreement['answers']} answers)"
    )
    if saved is None:
        return f"{line}; labels saved: not known yet"
    by_chance, low, high = (saved[key] for key in ("by_chance", "low", "high"))
    if high is not None and high < by_chance:
        what = f"choosing saved {by_chance - high:.0f} to {by_chance - low:.0f}"
    else:
        what = f"choosing took at least {low - by_chance:.0f} more"
    return f"{line}; of {by_chance} labels by chance, {what}"


def _tested(
    profile: Profile, dimension: str, learned: Sequence[LogEntry], chances: dict[int, float]
) -> FairTest:
    answering = [entry for entry in learned if getattr(entry.label, dimension) is not None]
    explored = [e for e in answering if e.first and e.label.utterance in chances]
    if len(explored) < FEWEST:
        return FairTest(len(explored), None, None)
    predictions = [
        getattr(profile.utterances.get(e.label.utterance).prediction, dimension).mean
        for e in explored
    ]
    drawn = _Drawn(
        [entry.label.utterance for entry in explored],
        np.array([entry.features for entry in explored], np.float64),
        np.array(predictions, np.float64),
        np.array([getattr(entry.label, dimension) for entry in explored], np.float64),
        np.array([chances[entry.label.utterance] for entry in explored], np.float64),
    )
    rng = np.random.default_rng(_SEED)
    agreement = fair_agreement(drawn.means, drawn.answers, drawn.propensities, rng)
    half = len(explored) // 2
    own, labels = _own_errors(profile, dimension, answering, drawn, half)
    chance = _chance_errors(profile, dimension, explored, drawn, half, rng)
    return FairTest(len(explored), agreement, labels_saved(own, labels, chance, half, rng))


def _own_errors(
    profile: Profile, dimension: str, answering: Sequence[LogEntry], drawn: _Drawn, half: int
) -> tuple[Matrix, Vector]:
    """Squared errors of the growing learner, [g, m], nan where learned; its label counts, [g]."""
    last = min(len(answering), _FARTHEST * half)
    checkpoints = np.unique(np.geomspace(1, last, _CHECKPOINTS).round().astype(int))
    model = untaught_model(profile)
    taken: set[int] = set()
    rows = []
    for count, entry in enumerate(answering[:last], 1):
        _learn(model, entry)
        taken.add(entry.label.utterance)
        if count in checkpoints:
            known = np.array([utterance in taken for utterance in drawn.utterances])
            rows.append(_errors(model.learner, dimension, drawn, known))
    return np.array(rows), checkpoints.astype(np.float64)


def _chance_errors(
    profile: Profile,
    dimension: str,
    explored: Sequence[LogEntry],
    drawn: _Drawn,
    half: int,
    rng: np.random.Generator,
) -> Matrix:
    """Squared errors of learners trained on half of the randomly drawn answers each, [h, m]."""
    rows = []
    for _ in range(_HALVES):
        part = np.sort(rng.permutation(len(explored))[:half])
        model = untaught_model(profile)
        for index in part:
            _learn(model, explored[index])
        known = np.isin(np.arange(len(explored)), part)
        rows.append(_errors(model.learner, dimension, drawn, known))
    return np.array(rows)


def _learn(model: OnlineModel, entry: LogEntry) -> None:
    if entry.features is not None:
        model.learn_lesson(lesson_of(entry, entry.features))


def _errors(
    learner: AffectLearner, dimension: str, drawn: _Drawn, known: NDArray[np.bool_]
) -> Vector:
    means = np.clip(learner.means(drawn.features)[:, DIMENSIONS.index(dimension)], -1.0, 1.0)
    return np.where(known, np.nan, (means - drawn.answers) ** 2)

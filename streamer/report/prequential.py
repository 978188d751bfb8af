"""Prequential test: how well each label was predicted before it was learned, from the log."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.learners.metrics import RunningAgreement
from streamer.loop.profile_model import lesson_of, untaught_model
from streamer.store.profile import Profile
from streamer.types import DIMENSIONS, Vector


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """The prequential tests of one dimension, [n] each, in the order of the log.

    truths: the labels; means, lows, highs: predicted just before; untaught: the mean that the
    encoder's prior predicts without any label.
    """

    utterances: NDArray[np.int64]
    truths: Vector
    means: Vector
    lows: Vector
    highs: Vector
    untaught: Vector

    def __len__(self) -> int:
        return len(self.truths)

    @property
    def agreement(self) -> Vector:
        """CCC of the labels so far, after each label, [n]; nan while it is not defined."""
        return _running_ccc(self.means, self.truths)

    @property
    def untaught_agreement(self) -> Vector:
        """The same for the prior alone."""
        return _running_ccc(self.untaught, self.truths)

    @property
    def coverage(self) -> Vector:
        """Share of the labels so far inside their interval, [n]."""
        held = (self.lows <= self.truths) & (self.truths <= self.highs)
        return np.asarray(np.cumsum(held) / np.arange(1, len(self) + 1))

    def of(self, utterances: Collection[int]) -> "Trace":
        """The part that tests on these utterances."""
        kept = np.isin(self.utterances, np.array(sorted(utterances), np.int64))
        return Trace(
            self.utterances[kept], self.truths[kept], self.means[kept],
            self.lows[kept], self.highs[kept], self.untaught[kept],
        )  # fmt: skip


def traces(profile: Profile) -> dict[str, Trace]:
    """By dimension. Repeats what `OnlineModel` does with the log; nothing is written.

    Raises ProfileError for an empty profile.
    """
    model, untaught = untaught_model(profile), untaught_model(profile).learner
    tests: dict[str, list[tuple[float, ...]]] = {name: [] for name in DIMENSIONS}
    for entry in profile.labels.effective():
        if entry.features is None:
            continue
        if entry.first:
            predicted, plain = (
                model.learner.predict(entry.features),
                untaught.predict(entry.features),
            )
            for name in DIMENSIONS:
                truth = getattr(entry.label, name)
                if truth is not None:
                    known = getattr(predicted, name)
                    tests[name].append(
                        (
                            entry.label.utterance, truth, known.mean, known.low, known.high,
                            getattr(plain, name).mean,
                        )
                    )  # fmt: skip
        model.learn_lesson(lesson_of(entry, entry.features))
    return {name: _trace(rows) for name, rows in tests.items()}


def _trace(rows: list[tuple[float, ...]]) -> Trace:
    columns = np.array(rows, np.float64).reshape(-1, 6).T
    return Trace(columns[0].astype(np.int64), *columns[1:])


def _running_ccc(predictions: Vector, truths: Vector) -> Vector:
    agreement = RunningAgreement()
    values = []
    for prediction, truth in zip(predictions, truths, strict=True):
        agreement.observe(float(prediction), float(truth))
        values.append(agreement.ccc)
    return np.array(values, np.float64)  # None becomes nan

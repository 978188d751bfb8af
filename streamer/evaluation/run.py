"""One run: a strategy, a learner and a seed on one split of a corpus."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from streamer.evaluation.corpus import Indices
from streamer.evaluation.dataset import Dataset
from streamer.evaluation.learners import EVERYTHING, EvaluatedLearner
from streamer.evaluation.metrics import AFFECT_MEASURES, EMOTION_MEASURES, ccc, rmse
from streamer.evaluation.protocol import Pool, Stream
from streamer.query.strategies import make_strategy
from streamer.query.strategy import Strategy
from streamer.types import DIMENSIONS

ALL: Final = "all"
# So many utterances before it make a point of a prequential curve.
PREQUENTIAL_WINDOW: Final = 400


@dataclass(slots=True)
class Outcome:
    """A run's curves: labels [k], and of each measured name its values, [k].

    Names: "arousal/ccc", "emotion/uar" on the test set; "arousal/spread-ccc" of predictions that
    were widened to vary as the labels do (see `learners.variance_matching`);
    "arousal/prequential-ccc" on the last `PREQUENTIAL_WINDOW` utterances of a stream, each
    predicted on arrival.
    """

    labels: list[int] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class PoolAndTest:
    """Utterances of a split: the pool that labels come from, and the test set."""

    pool: Indices
    test: Indices


def run_trial(
    dataset: Dataset,
    side: PoolAndTest,
    scenario: Stream | Pool,
    strategy: str,
    learner: str,
    seed: int,
    dimensions: Sequence[str],
    targets: Sequence[str] = EVERYTHING,
) -> Outcome:
    """Train a new learner in a scenario and evaluate it on the test set after each round.

    strategy: a name of `query.strategies`, or "all" for a stream that asks everything. dimensions:
    what the strategy scores; targets: what is learned and evaluated. With the same seed, all
    strategies get the same utterances in the same order.
    """
    order_rng, choice_rng = (np.random.default_rng((seed, k)) for k in range(2))
    order = [int(i) for i in order_rng.permutation(np.intersect1d(side.pool, dataset.labelled()))]
    chosen, scenario = _strategy(strategy, scenario, dimensions)
    model = EvaluatedLearner(dataset, learner, targets)
    outcome = Outcome()
    for progress in scenario.run(model, chosen, order, choice_rng):
        outcome.labels.append(progress.labels)
        arrived = order[: progress.arrived]
        for name, value in measured(model, dataset, side.test, arrived, targets).items():
            outcome.values.setdefault(name, []).append(value)
    return outcome


def measured(
    model: EvaluatedLearner,
    dataset: Dataset,
    test: Indices,
    arrived: Sequence[int],
    names: Sequence[str] = EVERYTHING,
) -> dict[str, float]:
    """Every metric with labels in the test set, by its name in `Outcome`; nan if undefined."""
    values: dict[str, float] = {}
    means = model.means(test)
    for name in dataset.rated:
        if name not in names:
            continue
        column = DIMENSIONS.index(name)
        truth = dataset.affect[test, column]
        rated = np.isfinite(truth)
        for measure, function in AFFECT_MEASURES.items():
            values[f"{name}/{measure}"] = function(means[rated, column], truth[rated])
        wide = model.widened(test[rated], arrived, name)
        values[f"{name}/spread-ccc"] = ccc(wide, truth[rated])
        values[f"{name}/spread-rmse"] = rmse(wide, truth[rated])
        values[f"{name}/prequential-ccc"] = _prequential(model, dataset, column)
    classes = dataset.classes
    if "emotion" in names and len(classes) > 1:
        named = np.array([i for i in test if dataset.emotions[i] is not None], np.intp)
        truth = np.array([classes.index(str(dataset.emotions[i])) for i in named], np.intp)
        answers = model.emotions(named)
        said = np.array([classes.index(name) for name in answers] or [-1] * len(named), np.intp)
        for measure, count in EMOTION_MEASURES.items():
            values[f"emotion/{measure}"] = count(said, truth)
    return values


def _prequential(model: EvaluatedLearner, dataset: Dataset, column: int) -> float:
    utterances = model.arrivals.utterances[-PREQUENTIAL_WINDOW:]
    if not utterances:
        return math.nan
    said = np.array(model.arrivals.means[-PREQUENTIAL_WINDOW:])[:, column]
    truth = dataset.affect[utterances, column]
    rated = np.isfinite(truth)
    return ccc(np.clip(said[rated], -1.0, 1.0), truth[rated])


def _strategy(
    name: str, scenario: Stream | Pool, dimensions: Sequence[str]
) -> tuple[Strategy, Stream | Pool]:
    """The strategy of that name; "all" is a stream in which every utterance is labelled."""
    if name == ALL and isinstance(scenario, Stream):
        everything = Stream(scenario.buffer, 1.0, scenario.first, scenario.length, scenario.delay)
        return make_strategy("random"), everything
    return make_strategy(name, dimensions), scenario

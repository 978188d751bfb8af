"""Cross-task active learning: labels of one task are asked, the other task comes from a source.

Emotions are asked for where the source estimates dimensions, and dimensions are asked for where the
source names emotions (Xu, Jiang and Wu 2024, CTIAL, algorithms 1 and 2). Both directions make one
run, since they ask for the same number of labels: the emotion metrics come from the first, the
dimension metrics from the second.

Metrics are computed on the held-out speakers, as everywhere, and, as in the paper, on the whole
target, where labelled utterances count with their true label ("whole-uar"). The second kind credits
a strategy for asking about what the model gets wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from streamer.evaluation.corpus import Corpus, Indices
from streamer.evaluation.dataset import Dataset
from streamer.evaluation.learners import EvaluatedLearner
from streamer.evaluation.metrics import AFFECT_MEASURES, EMOTION_MEASURES, Classes
from streamer.evaluation.protocol import Pool, Stream
from streamer.evaluation.run import Outcome, PoolAndTest, measured
from streamer.learners.affective_norms import affective_norm
from streamer.learners.source import LabelledSource, SourceModel
from streamer.query.model_view import ModelView
from streamer.query.strategies import make_strategy
from streamer.types import DIMENSIONS, Matrix, Vector

EMOTIONS: Final = "emotion"
DIMENSIONAL: Final = "dimensions"
NORM_MAPPING: Final = "nrc-mapping"
"""CTIAL's baseline without learning: norms weighted by the source's probabilities (eq. 3).

It is not a strategy: it asks at random, and its predictions of dimensions do not change.
"""


class SourceEstimates:
    """The source's dimension estimates behind the `Estimators` interface that strategies use."""

    def __init__(self, model: SourceModel) -> None:
        self.means = model.means

    def deviations(self, features: Matrix) -> Matrix | None:
        return None

    def covariance(self, dimension: str, features: Matrix) -> Matrix | None:
        return None

    def confidence(self, dimension: str, features: Matrix) -> Vector | None:
        return None

    def lacks(self, dimension: str) -> str:
        return f"the source estimates {dimension} without a binary classifier"


class CrossTaskLearner(EvaluatedLearner):
    """Learns one task from the labels; a fixed model of the source predicts the other.

    target: "emotion", or "dimensions" for valence, arousal and dominance.
    """

    def __init__(self, dataset: Dataset, target: str, source: SourceModel) -> None:
        super().__init__(dataset, targets=(EMOTIONS,) if target == EMOTIONS else DIMENSIONS)
        if target == EMOTIONS:
            self.knowledge = ModelView(
                SourceEstimates(source), self.labelled, lambda: self.classifier
            )
        else:
            self.knowledge = ModelView(self.affect, self.labelled, lambda: source, of_source=True)


class NormMapping(CrossTaskLearner):
    """Predicts the norms of the source's classes, independent of the labels (CTIAL, equation 3)."""

    def __init__(self, dataset: Dataset, source: SourceModel) -> None:
        super().__init__(dataset, DIMENSIONAL, source)
        self._source = source

    def means(self, utterances: Sequence[int] | Indices) -> Matrix:
        chances = self._source.probabilities(self.features[utterances])
        norms = [affective_norm(name) for name in self._source.classes]
        known = [k for k, norm in enumerate(norms) if norm is not None]
        part = np.maximum(chances[:, known], 1e-12)
        table = np.array([norms[k] for k in known], np.float64)
        return np.asarray(part @ table / part.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class AlignedSource:
    """A labelled source and its alignment with the pool of the target."""

    source: LabelledSource
    alignment: str

    def model(self, dataset: Dataset, side: PoolAndTest) -> SourceModel:
        """Fitted once for each split; held-out utterances do not take part in the alignment."""
        return _fitted(self, dataset, side)


@lru_cache(maxsize=16)
def _fitted(source: AlignedSource, dataset: Dataset, side: PoolAndTest) -> SourceModel:
    return SourceModel(source.source, dataset.features[side.pool], source.alignment)


def labelled_source(corpus: Corpus, dataset: Dataset) -> LabelledSource:
    """A corpus as a source: its ratings, and affective norms for clips with only an emotion."""
    named = [clip.emotion for clip in corpus.clips]
    return LabelledSource(dataset.features, dataset.affect, named).with_norms()


def with_norms(dataset: Dataset) -> Dataset:
    """The dataset, with the norm of its emotion for each utterance without ratings."""
    source = LabelledSource(dataset.features, dataset.affect, dataset.emotions).with_norms()
    return Dataset(dataset.features, source.affect, dataset.emotions)


def run_cross_task(
    dataset: Dataset,
    source: AlignedSource,
    side: PoolAndTest,
    scenario: Stream | Pool,
    strategy: str,
    seed: int,
    dimensions: Sequence[str],
) -> Outcome:
    """Run both tasks with one strategy and one seed; one outcome.

    A task that the target or the source lacks is left out.
    """
    model = source.model(dataset, side)
    targets = []
    if len(dataset.classes) > 1 and np.isfinite(source.source.affect).any():
        targets.append(EMOTIONS)
    if dataset.rated and len(model.classes) > 1:
        targets.append(DIMENSIONAL)
    outcome = Outcome()
    for target in targets:
        found = _run(dataset, model, target, side, scenario, strategy, seed, dimensions)
        outcome.labels = found.labels
        outcome.values |= found.values
    return outcome


def _run(
    dataset: Dataset,
    model: SourceModel,
    target: str,
    side: PoolAndTest,
    scenario: Stream | Pool,
    name: str,
    seed: int,
    dimensions: Sequence[str],
) -> Outcome:
    order_rng, choice_rng = (np.random.default_rng((seed, k)) for k in range(2))
    pool = np.intersect1d(side.pool, _answerable(dataset))
    order = [int(i) for i in order_rng.permutation(pool)]
    maps = name == NORM_MAPPING and target == DIMENSIONAL
    learner = NormMapping(dataset, model) if maps else CrossTaskLearner(dataset, target, model)
    strategy = make_strategy("random" if name == NORM_MAPPING else name, dimensions)
    names = (EMOTIONS,) if target == EMOTIONS else DIMENSIONS
    whole = np.concatenate([pool, side.test])
    asked, outcome = _Asked(learner), Outcome()
    for progress in scenario.run(asked, strategy, order, choice_rng):
        outcome.labels.append(progress.labels)
        values = measured(learner, dataset, side.test, order[: progress.arrived], names)
        values |= whole_target(learner, dataset, whole, asked.answered, names)
        for measure, value in values.items():
            outcome.values.setdefault(measure, []).append(value)
    return outcome


class _Asked:
    """Wraps the learner to record which utterances were labelled."""

    def __init__(self, learner: EvaluatedLearner) -> None:
        self._learner = learner
        self.features, self.knowledge = learner.features, learner.knowledge
        self.answered: list[int] = []

    def learn(self, utterance: int) -> None:
        self.answered.append(utterance)
        self._learner.learn(utterance)

    def record_predictions(self, utterances: Sequence[int]) -> None:
        self._learner.record_predictions(utterances)


def whole_target(
    learner: EvaluatedLearner,
    dataset: Dataset,
    utterances: Indices,
    answered: Sequence[int],
    names: Sequence[str],
) -> dict[str, float]:
    """The paper's metrics: labelled utterances count with their true label (section 3.3)."""
    known = np.isin(utterances, np.array(answered, np.intp))
    if EMOTIONS in names:
        place = {name: k for k, name in enumerate(dataset.classes)}
        truth: Classes = np.array(
            [place.get(dataset.emotions[i] or "", -1) for i in utterances], np.intp
        )
        said = learner.emotions(utterances)
        guesses = np.array([place.get(name, -1) for name in said] or [-1] * len(truth), np.intp)
        guesses[known] = truth[known]
        named = truth >= 0
        return {
            f"{EMOTIONS}/whole-{measure}": function(guesses[named], truth[named])
            for measure, function in EMOTION_MEASURES.items()
        }
    values: dict[str, float] = {}
    means = learner.means(utterances)
    for name in dataset.rated:
        column = DIMENSIONS.index(name)
        rating = dataset.affect[utterances, column]
        prediction = np.where(known, rating, means[:, column])
        rated = np.isfinite(rating)
        for measure, affect_function in AFFECT_MEASURES.items():
            values[f"{name}/whole-{measure}"] = affect_function(prediction[rated], rating[rated])
    return values


def _answerable(dataset: Dataset) -> Indices:
    """Utterances labelled for both tasks, where the target has both."""
    can = np.ones(len(dataset), bool)
    if len(dataset.classes) > 1:
        can &= np.array([name is not None for name in dataset.emotions], bool)
    if dataset.rated:
        can &= np.isfinite(dataset.affect).any(axis=1)
    return np.flatnonzero(can)

"""All query strategies, by the name that `--strategy` takes."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from streamer.errors import UsageError
from streamer.query.strategies.annotator_uncertainty import MEASURES as ANNOTATOR_MEASURES
from streamer.query.strategies.annotator_uncertainty import AnnotatorUncertainty
from streamer.query.strategies.binary_confidence import BinaryConfidence
from streamer.query.strategies.class_uncertainty import MEASURES as CLASS_MEASURES
from streamer.query.strategies.class_uncertainty import ClassUncertainty
from streamer.query.strategies.cold_start import JOIN, ColdStart
from streamer.query.strategies.cross_task import WEIGHTS, CrossTask, CrossTaskSampling
from streamer.query.strategies.density_start import DensityStart
from streamer.query.strategies.greedy_sampling import FAMILY, GreedySampling
from streamer.query.strategies.k_means_start import KMeansStart
from streamer.query.strategies.matching_start import MatchingStart
from streamer.query.strategies.neighbour_divergence import NeighbourDivergence
from streamer.query.strategies.posterior import BatchBald, VarianceReduction, WidestPrediction
from streamer.query.strategies.random_choice import RandomChoice
from streamer.query.strategies.source_sampling import SourceSampling
from streamer.query.strategies.spread_confidence import ConfidenceInTurn, SpreadConfidence
from streamer.query.strategies.surprisal_start import SurprisalStart
from streamer.query.strategies.within_class_sampling import WithinClassSampling
from streamer.query.strategy import ASKED_DIMENSIONS, Strategy
from streamer.system import (
    is_import_path,
    load_class,
    make_instance,
    split_outside_brackets,
)
from streamer.types import DIMENSIONS

Factory = Callable[[Sequence[str]], Strategy]

_WANTED: Final = "a query strategy"


def _alike(make: Callable[[], Strategy]) -> Factory:
    """For a strategy that is the same whatever is asked about."""
    return lambda _: make()


# Each is made for the dimensions that are asked about.
STRATEGIES: Final[dict[str, Factory]] = {
    BinaryConfidence.name: BinaryConfidence,
    RandomChoice.name: _alike(RandomChoice),
    **{name: _alike(partial(ClassUncertainty, name, *row)) for name, row in CLASS_MEASURES.items()},
    **{name: partial(GreedySampling, name, combine) for name, combine in FAMILY.items()},
    SourceSampling.name: SourceSampling,
    WithinClassSampling.name: WithinClassSampling,
    **{name: partial(CrossTask, name, weigh) for name, weigh in WEIGHTS.items()},
    CrossTaskSampling.name: CrossTaskSampling,
    WidestPrediction.name: WidestPrediction,
    BatchBald.name: BatchBald,
    VarianceReduction.name: VarianceReduction,
    KMeansStart.name: _alike(KMeansStart),
    SurprisalStart.name: _alike(SurprisalStart),
    DensityStart.name: _alike(DensityStart),
    MatchingStart.name: _alike(MatchingStart),
    NeighbourDivergence.name: _alike(NeighbourDivergence),
    "spread": partial(SpreadConfidence, "spread", False),
    "spread-in-turn": partial(SpreadConfidence, "spread-in-turn", True),
    ConfidenceInTurn.name: ConfidenceInTurn,
    **{
        name: _alike(partial(AnnotatorUncertainty, name, *row))
        for name, row in ANNOTATOR_MEASURES.items()
    },
}


def make_strategy(name: str, dimensions: Sequence[str] = ASKED_DIMENSIONS) -> Strategy:
    """The strategy of that name, asking about these dimensions; "START+NAME" for a cold start.

    A name may be the import path of a class of one's own, see `streamer.system`; it is given
    `dimensions` where it takes them. Raises UsageError naming those there are.
    """
    for wanted in dimensions:
        if wanted not in DIMENSIONS:
            raise UsageError(f"no dimension {wanted!r}; choose one of: {', '.join(DIMENSIONS)}")
    parts = split_outside_brackets(name, JOIN, most=1)
    for part in parts:
        if part not in STRATEGIES and not is_import_path(part):
            known = ", ".join(STRATEGIES)
            raise UsageError(
                f"no query strategy {part!r}; choose one of: {known}; or give a class of your own "
                "as package.module:Class"
            )
    made = [
        _own(part, dimensions) if is_import_path(part) else STRATEGIES[part](dimensions)
        for part in parts
    ]
    return ColdStart(*made) if len(made) == 2 else made[0]


def _own(path: str, dimensions: Sequence[str]) -> Strategy:
    strategy = make_instance(*load_class(path, _WANTED), path, dimensions=tuple(dimensions))
    named = isinstance(getattr(strategy, "name", None), str)
    if not (named and callable(strategy) and callable(getattr(strategy, "take", None))):
        raise UsageError(
            f"{path} is no query strategy: give a class with a name, __call__ and take, such as "
            "one that extends streamer.Ranking; `streamer.check_strategy` says more"
        )
    own: Strategy = strategy
    return own

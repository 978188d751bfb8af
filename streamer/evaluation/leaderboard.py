"""One metric of an experiment: every strategy's curve, compared with passive learning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.evaluation.curves import Curve
from streamer.evaluation.grid import Cell, Results
from streamer.evaluation.metrics import SMALLER_IS_BETTER
from streamer.evaluation.significance import Comparison, compare

PASSIVE: Final = "random"


@dataclass(frozen=True, slots=True)
class Standing:
    """The result of a strategy for one metric.

    area: the normalized area under its curve, over the labels that all strategies reach. final: its
    mean at the end, after `labels`. needed: the labels with which it first reaches passive
    learning's best, None where it never does; part: the same as a fraction of what passive learning
    needs. compared: by area, None for passive learning.
    """

    strategy: str
    area: float
    final: float
    final_deviation: float
    labels: float
    needed: float | None
    part: float | None
    compared: Comparison | None


@dataclass(frozen=True, slots=True, eq=False)
class Board:
    """name: such as "arousal/ccc". curves by strategy; standings from the best area down.

    passive_best: the best of passive learning's mean curve, first reached with `passive_labels`.
    """

    name: str
    runs: int
    curves: Mapping[str, Curve]
    standings: Sequence[Standing]
    passive_best: float
    passive_labels: float

    @property
    def smaller_is_better(self) -> bool:
        return is_smaller_better(self.name)


def is_smaller_better(name: str) -> bool:
    """Whether the metric is an error.

    >>> is_smaller_better("arousal/rmse"), is_smaller_better("emotion/uar")
    (True, False)
    """
    return name.rsplit("/", 1)[-1].rsplit("-", 1)[-1] in SMALLER_IS_BETTER


def boards_of(results: Results) -> list[Board]:
    """One board per metric that is defined in all runs; strategies are paired by seed.

    The results are of one task and learner, among them passive learning (`PASSIVE`).
    """
    names = [
        {name for name, values in outcome.values.items() if np.isfinite(values).any()}
        for outcome in results.values()
    ]
    shared = set.intersection(*names) if names else set()
    return [_board(name, results) for name in sorted(shared)]


def _board(name: str, results: Results) -> Board:
    runs: dict[str, list[Cell]] = {}
    for cell in sorted(results):
        runs.setdefault(cell.strategy, []).append(cell)
    curves = {
        strategy: Curve.of([(results[c].labels, results[c].values[name]) for c in cells])
        for strategy, cells in runs.items()
    }
    smaller = is_smaller_better(name)
    # Curves are compared up to the number of labels that all strategies reach.
    common = min(float(curve.labels[-1]) for curve in curves.values())
    areas = {strategy: curve.until(common).areas() for strategy, curve in curves.items()}
    compared = compare(areas, PASSIVE, smaller_is_better=smaller)
    best, labels = curves[PASSIVE].best(smaller_is_better=smaller)
    standings = []
    for strategy, curve in curves.items():
        needed = curve.labels_to_reach(best, smaller_is_better=smaller)
        standings.append(
            Standing(
                strategy=strategy,
                area=float(areas[strategy].mean()),
                final=float(curve.mean[-1]),
                final_deviation=float(curve.deviation[-1]),
                labels=float(curve.labels[-1]),
                needed=needed,
                part=None if needed is None or labels == 0 else needed / labels,
                compared=compared.get(strategy),
            )
        )
    standings.sort(key=lambda standing: standing.area if smaller else -standing.area)
    return Board(name, len(runs[PASSIVE]), curves, standings, best, labels)

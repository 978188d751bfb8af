"""What `streamer evaluate` is to do, checked before anything is read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from streamer.errors import UsageError
from streamer.evaluation.cross_task import NORM_MAPPING
from streamer.evaluation.learners import LEARNERS, check_learner
from streamer.evaluation.protocol import Pool, Stream
from streamer.evaluation.readers import AUTO
from streamer.evaluation.readers.own_labels import OwnLabels
from streamer.evaluation.run import ALL
from streamer.evaluation.scales import Scale
from streamer.learners.source import ALIGNMENTS
from streamer.query.strategies import make_strategy
from streamer.query.strategy import ASKED_DIMENSIONS

# The strategy where none is named: it asks about what the corpus is labelled with.
OF_RATINGS: Final = "binary-confidence"
OF_EMOTIONS: Final = "margin"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to evaluate.

    place, reader, scale: see `readers.read_corpus`. encoder: "" for the default; not used for a
    table of features. test_part: the owner's name of the part to test on, which is learned from its
    train part; None leaves sessions or speakers out. The first sentence of the page reports on the
    first strategy.

    jobs, cluster: processes, or a Dask cluster, see `loop.workers.open`.

    labels: the label file of a folder of recordings, which is then read by `own_labels`.
    through_norms: an emotion stands for its affective norm where there are no ratings. strategies:
    None for one that asks about what the corpus is labelled with.

    source: a labelled corpus, read as `place` is: each strategy then asks for labels of one task
    and takes the other from the source (see `cross_task`), with the given `alignment`.
    """

    place: Path
    out: Path
    reader: str = AUTO
    scale: Scale | None = None
    encoder: str = ""
    test_part: str | None = None
    labels: OwnLabels | None = None
    through_norms: bool = False
    strategies: Sequence[str] | None = (OF_RATINGS,)
    scenario: Stream | Pool = field(default_factory=Stream)
    learner: str = LEARNERS[0]
    dimensions: Sequence[str] = ASKED_DIMENSIONS
    seeds: int = 10
    jobs: int = 1
    cluster: str | None = None
    source: Path | None = None
    source_reader: str = AUTO
    source_scale: Scale | None = None
    alignment: str = ALIGNMENTS[0]


def check(plan: Plan) -> None:
    """Raises UsageError for what cannot be meant, before anything is read."""
    if plan.seeds < 1:
        raise UsageError(f"{plan.seeds} seeds: give at least 1")
    if plan.strategies is not None and not plan.strategies:
        raise UsageError("no strategy: give --strategy NAME, or several: NAME,NAME")
    check_learner(plan.learner)
    if plan.alignment not in ALIGNMENTS:
        raise UsageError(f"--adapt {plan.alignment}: choose one of {', '.join(ALIGNMENTS)}")
    if plan.source is None and plan.alignment != ALIGNMENTS[0]:
        raise UsageError(f"--adapt {plan.alignment} aligns a source: give one with --source")
    if plan.source is not None and plan.learner != LEARNERS[0]:
        raise UsageError(f"--learner {plan.learner} with --source: use --learner plain")
    for name in plan.strategies or ():
        if name == ALL and isinstance(plan.scenario, Pool):
            raise UsageError(
                f"strategy {ALL!r} labels a whole stream: use it with --scenario stream"
            )
        if name == ALL and plan.source is not None:
            raise UsageError(f"strategy {ALL!r} with --source: name one that chooses")
        if name == NORM_MAPPING and plan.source is None:
            raise UsageError(f"{NORM_MAPPING} requires a source: give one with --source")
        if name not in (ALL, NORM_MAPPING):
            make_strategy(name, plan.dimensions)

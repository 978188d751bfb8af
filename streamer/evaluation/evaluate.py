"""`streamer evaluate`: learning curves, tables and a page of query strategies on a corpus."""

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from streamer import __version__
from streamer.config import Config
from streamer.errors import CorpusError, UsageError
from streamer.evaluation.corpus import Corpus
from streamer.evaluation.cross_task import (
    NORM_MAPPING,
    AlignedSource,
    labelled_source,
    run_cross_task,
    with_norms,
)
from streamer.evaluation.dataset import Dataset, dataset_of
from streamer.evaluation.embedding import Encoder, embed
from streamer.evaluation.grid import Cell, run_cells
from streamer.evaluation.leaderboard import PASSIVE, Board, boards_of
from streamer.evaluation.learners import LEARNERS, check_learner
from streamer.evaluation.page import ExperimentSummary, answer, page
from streamer.evaluation.protocol import Pool, Stream
from streamer.evaluation.readers import AUTO, read_corpus
from streamer.evaluation.run import ALL, Outcome, PoolAndTest, run_trial
from streamer.evaluation.scales import Scale
from streamer.evaluation.splits import (
    Split,
    leave_one_session_out,
    predefined_split,
    shared_speakers,
    speaker_folds,
)
from streamer.evaluation.table_files import write_tables
from streamer.learners.source import ALIGNMENTS
from streamer.loop.compose import make_encoder
from streamer.query.strategies import make_strategy
from streamer.query.strategy import ASKED_DIMENSIONS
from streamer.text import many

_FOLDS: Final = 5
PAGE_NAME: Final = "curves.html"
LOG_NAME: Final = "runs.jsonl"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to evaluate.

    place, reader, scale: see `readers.read_corpus`. encoder: "" for the default; not used for a
    table of features. test_part: the owner's name of the part to test on, which is learned from its
    train part; None leaves sessions or speakers out. The first sentence of the page reports on the
    first strategy.

    source: a labelled corpus, read as `place` is: each strategy then asks for labels of one task
    and takes the other from the source (see `cross_task`), with the given `alignment`.
    """

    place: Path
    out: Path
    reader: str = AUTO
    scale: Scale | None = None
    encoder: str = ""
    test_part: str | None = None
    strategies: Sequence[str] = ("binary-confidence",)
    scenario: Stream | Pool = field(default_factory=Stream)
    learner: str = LEARNERS[0]
    dimensions: Sequence[str] = ASKED_DIMENSIONS
    seeds: int = 10
    jobs: int = 1
    source: Path | None = None
    source_reader: str = AUTO
    source_scale: Scale | None = None
    alignment: str = ALIGNMENTS[0]


@dataclass(frozen=True, slots=True)
class GridWork:
    """Everything that a run needs; sent to each process once. Seed k uses split k."""

    dataset: Dataset
    sides: Sequence[PoolAndTest]
    scenario: Stream | Pool
    dimensions: Sequence[str]
    source: AlignedSource | None = None

    def __call__(self, cell: Cell) -> Outcome:
        side = self.sides[cell.seed % len(self.sides)]
        if self.source is not None:
            return run_cross_task(
                self.dataset,
                self.source,
                side,
                self.scenario,
                cell.strategy,
                cell.seed,
                self.dimensions,
            )
        return run_trial(
            self.dataset,
            side,
            self.scenario,
            cell.strategy,
            cell.learner,
            cell.seed,
            self.dimensions,
        )


def evaluate(settings: Config, plan: Plan, progress: Progress) -> tuple[Path, list[str]]:
    """Run the remaining cells; return the path of the page and its first sentences.

    progress: called with the name of the step, the number done, and the total.
    Raises CorpusError, EncoderError or UsageError, each before any long computation.
    """
    strategies = _checked(plan)
    corpus = read_corpus(plan.reader, plan.place, plan.scale)
    source_corpus = None
    if plan.source is not None:
        source_corpus = read_corpus(plan.source_reader, plan.source, plan.source_scale)
    _make_folder(plan.out)
    corpus, dataset = _prepared(corpus, plan.place, settings, plan, progress)
    source = None
    if source_corpus is not None and plan.source is not None:
        source_corpus, theirs = _prepared(source_corpus, plan.source, settings, plan, progress)
        if theirs.features.shape[1] != dataset.features.shape[1]:
            raise CorpusError(
                f"{source_corpus.name} has {theirs.features.shape[1]} features and {corpus.name} "
                f"{dataset.features.shape[1]}: give a source with features of the same kind"
            )
        source = AlignedSource(labelled_source(source_corpus, theirs), plan.alignment)
        dataset = with_norms(dataset)
    splits = _with_labels(corpus, dataset, _splits(corpus, plan))
    sides = [PoolAndTest(split.train, split.test) for split in splits]
    work = GridWork(dataset, sides, plan.scenario, tuple(plan.dimensions), source)
    cells = [
        Cell("", plan.learner, strategy, seed)
        for seed in range(plan.seeds)
        for strategy in strategies
    ]
    results = run_cells(
        cells,
        work,
        plan.out / LOG_NAME,
        _head(plan, corpus, source_corpus),
        jobs=plan.jobs,
        progress=partial(progress, "runs"),
    )
    boards = boards_of(results)
    path, sentences = _written(plan, corpus, splits, boards, source_corpus)
    return path, [corpus.summary(), *sentences] if corpus.faults else sentences


def _prepared(
    corpus: Corpus, place: Path, settings: Config, plan: Plan, progress: Progress
) -> tuple[Corpus, Dataset]:
    """A corpus with features, and its dataset. Raises CorpusError where no clip is usable."""
    if corpus.features is None:
        corpus = _embedded(corpus, settings, plan, progress)
    if not len(corpus):
        raise CorpusError(f"{place} contains no usable clip{_first_fault(corpus)}")
    pool = np.arange(len(corpus))
    return corpus, dataset_of(corpus, pool, "speaker" if corpus.speakers else "pool")


def _checked(plan: Plan) -> list[str]:
    """The strategies, passive learning among them. Raises UsageError for an unknown one."""
    if plan.seeds < 1:
        raise UsageError(f"{plan.seeds} seeds: give at least 1")
    if not plan.strategies:
        raise UsageError("no strategy: give --strategy NAME, or several: NAME,NAME")
    check_learner(plan.learner)
    if plan.alignment not in ALIGNMENTS:
        raise UsageError(f"--adapt {plan.alignment}: choose one of {', '.join(ALIGNMENTS)}")
    if plan.source is None and plan.alignment != ALIGNMENTS[0]:
        raise UsageError(f"--adapt {plan.alignment} aligns a source: give one with --source")
    if plan.source is not None and plan.learner != LEARNERS[0]:
        raise UsageError(f"--learner {plan.learner} with --source: use --learner plain")
    for name in plan.strategies:
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
    return list(dict.fromkeys([*plan.strategies, PASSIVE]))


def _make_folder(folder: Path) -> None:
    """Raises UsageError where it cannot be created or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write into the folder {folder}: {error.strerror}: give another --out"
        ) from error


def _embedded(corpus: Corpus, settings: Config, plan: Plan, progress: Progress) -> Corpus:
    return embed(
        corpus,
        encoder_maker(settings, plan.encoder),
        plan.out / "embeddings",
        workers=plan.jobs,
        progress=partial(progress, "embeddings"),
    ).corpus


def encoder_maker(settings: Config, name: str) -> Callable[[], Encoder]:
    """A factory of the encoder that can be sent to another process.

    Loaded settings cannot be pickled: their class is created for their file.
    """
    return partial(_make_encoder, settings.models, settings.threads, name)


def _make_encoder(models: Path, threads: int, name: str) -> Encoder:
    return make_encoder(Config.load(models=models, threads=threads), name)


def _first_fault(corpus: Corpus) -> str:
    if not corpus.faults:
        return ""
    first = corpus.faults[0]
    return f" ({len(corpus.faults)} faults, the first: {first.what}: {first.problem})"


def _splits(corpus: Corpus, plan: Plan) -> list[Split]:
    """One split for each seed, or fewer that are used in turn.

    The predefined split; else leave-one-session-out; else speaker folds, drawn again after each has
    been tested on.
    """
    if plan.test_part is not None:
        return [predefined_split(corpus, plan.test_part)]
    if len(corpus.sessions) > 1:
        return leave_one_session_out(corpus)
    folds = min(_FOLDS, len(corpus.speakers))
    if folds < 2:
        raise CorpusError(
            f"{corpus.name} has {len(corpus.speakers)} speakers that can be used, and some are "
            f"learned from, others tested on: give two or more{_first_fault(corpus)}"
        )
    found: list[Split] = []
    while len(found) < plan.seeds:
        rng = np.random.default_rng(len(found))
        found += speaker_folds(corpus, folds, rng)
    return found[: plan.seeds]


def _with_labels(corpus: Corpus, dataset: Dataset, splits: Sequence[Split]) -> list[Split]:
    """The splits with labels on both sides. Raises CorpusError where there is none."""
    labelled = dataset.labelled()
    found = [
        split
        for split in splits
        if np.isin(split.train, labelled).any() and np.isin(split.test, labelled).any()
    ]
    if not found:
        raise CorpusError(
            f"{corpus.name}: no rating and no emotion to learn from, or none to test on, in "
            f"{', '.join(split.name for split in splits)}; give clips that have some"
        )
    return found


def _head(plan: Plan, corpus: Corpus, source: Corpus | None) -> dict[str, Any]:
    """What must be equal to resume a log; strategies and seeds can be added."""
    return {
        "version": __version__,
        "corpus": corpus.name,
        "clips": len(corpus),
        "content": _content(corpus),
        "features": 0 if corpus.features is None else corpus.features.shape[1],
        "encoder": plan.encoder,
        "test_part": plan.test_part,
        "scenario": type(plan.scenario).__name__,
        **asdict(plan.scenario),
        "dimensions": list(plan.dimensions),
        "source": None if source is None else [source.name, _content(source), plan.alignment],
    }


def _content(corpus: Corpus) -> str:
    """A hash of a corpus's content: utterances, splits, ratings, features."""
    names = [
        (c.utterance, c.emotion, c.speaker, c.session, c.split, c.recording) for c in corpus.clips
    ]
    told = hashlib.sha256(repr(names).encode())
    told.update(corpus.affect().tobytes())
    if corpus.features is not None:
        told.update(np.ascontiguousarray(corpus.features).tobytes())
    return told.hexdigest()[:16]


def _written(
    plan: Plan,
    corpus: Corpus,
    splits: Sequence[Split],
    boards: Sequence[Board],
    source: Corpus | None,
) -> tuple[Path, list[str]]:
    write_tables(plan.out, boards)
    how = f"{_in_words(plan.scenario)} {_tested(plan, corpus, splits)}"
    if source is not None:
        how += f" {_source_in_words(plan, source)}"
    about = ExperimentSummary(corpus.name, how, plan.learner, plan.strategies[0])
    path = plan.out / PAGE_NAME
    path.write_text(page(about, boards), encoding="utf-8")
    leading = [board for board in boards if board.name.endswith(("/ccc", "/uar"))]
    return path, [answer(about.strategy, board) for board in leading]


def _tested(plan: Plan, corpus: Corpus, splits: Sequence[Split]) -> str:
    if plan.test_part is None:
        return "Training and test speakers differ."
    both = len(shared_speakers(corpus, splits[0]))
    known = f", which shares {many(both, 'speaker')} with it" if both else ""
    return f"Trained on the train part, tested on {plan.test_part}{known}."


def _source_in_words(plan: Plan, source: Corpus) -> str:
    aligned = {
        "none": "not aligned beyond each speaker's standard scores",
        "tca": "aligned by TCA",
        "bda": "aligned by BDA (emotions) and TCA (dimensions)",
    }[plan.alignment]
    return (
        f"What is not asked comes from {source.name}, {aligned}. An utterance without ratings has "
        'the affective norm of its emotion. "Whole" measures count answered utterances as right.'
    )


def _in_words(scenario: Stream | Pool) -> str:
    if isinstance(scenario, Pool):
        seen = "the pool" if scenario.subset is None else f"{scenario.subset} of the pool"
        return (
            f"Pool: {scenario.first} labels to begin with, then {scenario.batch} a round out of "
            f"{seen}, {scenario.rounds} rounds."
        )
    late = f" Answers come {scenario.delay} utterances late." if scenario.delay else ""
    return (
        f"Stream: {scenario.first} labels to begin with, then buffers of {scenario.buffer}, of "
        f"which {scenario.keep:.0%} is asked.{late}"
    )

"""`streamer evaluate`: learning curves, tables and a page of query strategies on a corpus."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from streamer import __version__
from streamer.config import Config
from streamer.errors import CorpusError, UsageError
from streamer.evaluation.confusion import confusion_of
from streamer.evaluation.corpus import Corpus, Fault
from streamer.evaluation.cross_task import (
    AlignedSource,
    labelled_source,
    run_cross_task,
    with_norms,
)
from streamer.evaluation.dataset import Dataset
from streamer.evaluation.emotion_results import EmotionResults, write_emotion_tables
from streamer.evaluation.enrolment import enroll_and_verify
from streamer.evaluation.grid import Cell, run_cells
from streamer.evaluation.leaderboard import PASSIVE, Board, boards_of
from streamer.evaluation.page import ExperimentSummary, answer, page
from streamer.evaluation.plan import OF_EMOTIONS, OF_RATINGS, Plan, check
from streamer.evaluation.preparation import Progress, first_fault, make_folder, prepared
from streamer.evaluation.protocol import Pool, Stream
from streamer.evaluation.readers import AUTO, read_corpus
from streamer.evaluation.readers.own_labels import read_own_corpus
from streamer.evaluation.run import Outcome, PoolAndTest, run_trial
from streamer.evaluation.splits import (
    Split,
    leave_one_session_out,
    predefined_split,
    shared_speakers,
    speaker_folds,
)
from streamer.evaluation.table_files import write_tables
from streamer.learners.affective_norms import affective_norm
from streamer.text import many

_FOLDS: Final = 5
PAGE_NAME: Final = "curves.html"
LOG_NAME: Final = "runs.jsonl"


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


@dataclass(frozen=True, slots=True)
class Evaluation:
    """page: its path. sentences: the findings. faults: what was left out of the corpus."""

    page: Path
    sentences: list[str]
    faults: Sequence[Fault] = ()


def evaluate(
    settings: Config,
    plan: Plan,
    progress: Progress,
    notify: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Run the remaining cells, write the page and its tables.

    Parameters
    ----------
    settings
        `home` holds the cache of embeddings, `models` the user's own encoders.
    progress
        Called with the name of the step, the number done, and the total.
    notify
        Called with what a person should know of the corpus and of the cache.

    Raises
    ------
    CorpusError, EncoderError, UsageError
        Each before any long computation.
    """
    check(plan)
    corpus = _read(plan)
    source_corpus = None
    if plan.source is not None:
        source_corpus = read_corpus(plan.source_reader, plan.source, plan.source_scale)
    make_folder(plan.out)
    corpus, dataset, vectors = prepared(corpus, plan.place, settings, plan, progress, notify)
    if plan.through_norms:
        _tell_norms(dataset, notify)
        dataset = with_norms(dataset)
    if plan.strategies is None:
        plan = replace(plan, strategies=(OF_RATINGS if dataset.rated else OF_EMOTIONS,))
    strategies = list(dict.fromkeys([*(plan.strategies or ()), PASSIVE]))
    source = None
    if source_corpus is not None and plan.source is not None:
        source_corpus, theirs, _ = prepared(
            source_corpus, plan.source, settings, plan, progress, notify
        )
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
        cluster=plan.cluster,
        progress=partial(progress, "runs"),
    )
    emotions = None
    if len(dataset.classes) > 1 and source is None:
        enrolment = () if vectors is None else enroll_and_verify(corpus, vectors, dataset.emotions)
        emotions = EmotionResults(confusion_of(dataset, splits), enrolment)
    path, sentences = _written(plan, corpus, splits, boards_of(results), source_corpus, emotions)
    if corpus.faults:
        sentences.insert(0, corpus.summary())
    return Evaluation(path, sentences, corpus.faults)


def _read(plan: Plan) -> Corpus:
    if plan.labels is None:
        return read_corpus(plan.reader, plan.place, plan.scale)
    if plan.reader != AUTO:
        raise UsageError(f"--corpus {plan.reader} has labels of its own: leave out --labels")
    return read_own_corpus(plan.place, plan.labels)


def _tell_norms(dataset: Dataset, notify: Callable[[str], None]) -> None:
    """Raises UsageError where no emotion has an affective norm."""
    without = [name for name in dataset.classes if affective_norm(name) is None]
    if len(without) == len(dataset.classes):
        raise UsageError(
            f"--through-norms: no emotion of the corpus has an affective norm "
            f"({', '.join(without) or 'there is none'}): leave it out"
        )
    if without:
        notify(f"without an affective norm, and so without ratings: {', '.join(without)}")


def _splits(corpus: Corpus, plan: Plan) -> list[Split]:
    """At least one split for each seed, or fewer that are used in turn.

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
            f"learned from, others tested on: give two or more{first_fault(corpus)}"
        )
    found: list[Split] = []
    while len(found) < plan.seeds:
        rng = np.random.default_rng(len(found))
        found += speaker_folds(corpus, folds, rng)
    return found


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
        "through_norms": plan.through_norms,
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
    emotions: EmotionResults | None,
) -> tuple[Path, list[str]]:
    write_tables(plan.out, boards)
    if emotions is not None:
        write_emotion_tables(plan.out, emotions)
    how = f"{_in_words(plan.scenario)} {_tested(plan, corpus, splits)}"
    if source is not None:
        how += f" {_source_in_words(plan, source)}"
    if plan.through_norms:
        how += " An utterance without ratings has the affective norm of its emotion."
    subject = (plan.strategies or (PASSIVE,))[0]
    about = ExperimentSummary(corpus.name, how, plan.learner, subject)
    path = plan.out / PAGE_NAME
    path.write_text(page(about, boards, emotions), encoding="utf-8")
    leading = [board for board in boards if board.name.endswith(("/ccc", "/uar"))]
    sentences = [answer(about.strategy, board) for board in leading]
    return path, [*sentences, *(() if emotions is None else emotions.sentences())]


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

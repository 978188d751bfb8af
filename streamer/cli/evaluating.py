"""The verb evaluate: query strategies compared on a corpus."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streamer.cli.options import ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import tell
from streamer.cli.table import ClusterFlag, JobsFlag
from streamer.errors import UnreadableAudio, UsageError
from streamer.text import many, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.progress import Progress

    from streamer.evaluation.corpus import Fault
    from streamer.evaluation.protocol import Pool, Stream
    from streamer.evaluation.readers.own_labels import LabelColumns, OwnLabels
    from streamer.evaluation.scales import Scale

ColumnOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="With --labels: its column [the usual name that is there]."),
]
_MOST_NAMED: Final = 5


def evaluate(
    place: Annotated[
        Path,
        typer.Argument(
            help="A corpus's original folder; a folder of your own recordings, with --labels; or a "
            "CSV of features with the columns utterance, speaker, f0, f1, ... and emotion, or "
            "valence, arousal [and dominance]."
        ),
    ],
    labels: Annotated[
        Path | None,
        typer.Option(
            help="A table of your own, a row a recording: file, speaker, and emotion, or valence, "
            "arousal [and dominance]; optionally session, onset, offset, annotator, split."
        ),
    ] = None,
    file_column: ColumnOption = None,
    speaker_column: ColumnOption = None,
    session_column: ColumnOption = None,
    emotion_column: ColumnOption = None,
    valence_column: ColumnOption = None,
    arousal_column: ColumnOption = None,
    dominance_column: ColumnOption = None,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out rows whose recording is not there.")
    ] = False,
    through_norms: Annotated[
        bool,
        typer.Option(
            "--through-norms",
            help="Also evaluate emotions as valence, arousal and dominance, by their affective "
            "norms [as emotions alone].",
        ),
    ] = False,
    corpus: Annotated[
        str, typer.Option(help="Name of the corpus [detected from its layout].")
    ] = "auto",
    scale: Annotated[
        str | None,
        typer.Option(
            help="LOW:HIGH of a table's ratings, such as 1:5, or --scale=-1:1; with --labels also "
            "9:1, sam, or valence=1:9,arousal=9:1."
        ),
    ] = None,
    encoder: Annotated[str, typer.Option(help="A name of `streamer models list`.")] = "",
    test_part: Annotated[
        str | None,
        typer.Option(
            help="Test on this part of the corpus's own split, such as test1; learn from its "
            "train part [leave out sessions, else speakers]."
        ),
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            help="One or several: NAME,NAME,..., your own as package.module:Class; `all` labels "
            "everything [binary-confidence; margin where there are only emotions]."
        ),
    ] = None,
    dimension: Annotated[
        str | None, typer.Option(help="Ask only about valence, arousal or dominance.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            help="A labelled corpus or table: each strategy asks for emotions and knows "
            "dimensions from it, and the other way round."
        ),
    ] = None,
    source_corpus: Annotated[str, typer.Option(help="Which corpus that is [by layout].")] = "auto",
    source_scale: Annotated[str | None, typer.Option(help="LOW:HIGH of its ratings.")] = None,
    adapt: Annotated[
        str, typer.Option(help="How the source is aligned with the target: none, tca or bda.")
    ] = "none",
    learner: Annotated[
        str,
        typer.Option(
            help="plain, squashed, tuned, river:module.Class, or your own as package.module:Class."
        ),
    ] = "plain",
    scenario: Annotated[str, typer.Option(help="stream, or pool.")] = "stream",
    buffer: Annotated[int, typer.Option(help="Stream: utterances in a buffer.")] = 40,
    keep: Annotated[
        float, typer.Option(help="Stream: fraction of each buffer that is asked.")
    ] = 0.5,
    length: Annotated[int, typer.Option(help="Stream: most utterances.", min=1)] = 3000,
    delay: Annotated[
        int, typer.Option(help="Stream: answers arrive this many utterances late.")
    ] = 0,
    batch: Annotated[int, typer.Option(help="Pool: questions in a round.")] = 20,
    rounds: Annotated[int, typer.Option(help="Pool: rounds.")] = 25,
    subset: Annotated[
        int | None, typer.Option(help="Pool: score only this many utterances, drawn each round.")
    ] = None,
    first: Annotated[int, typer.Option(help="Labels at the start.")] = 40,
    seeds: Annotated[int, typer.Option(help="Runs of each strategy.")] = 10,
    jobs: JobsFlag = None,
    cluster: ClusterFlag = None,
    out: Annotated[Path, typer.Option(help="Folder for the curves.")] = Path("evaluation"),
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Draw learning curves of query strategies on a corpus. Can be interrupted and resumed.

    Your own corpus: `streamer evaluate FOLDER --labels FILE.csv`. Emotions also give a confusion
    matrix on held-out speakers, and the recall after enrolling a few clips. Embeddings are cached
    by the recordings' content, so that a second call, wherever its --out is, computes none.
    """
    import os

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )

    from streamer.evaluation.evaluate import evaluate as run
    from streamer.evaluation.plan import Plan
    from streamer.evaluation.readers.own_labels import LabelColumns
    from streamer.query.strategy import ASKED_DIMENSIONS
    from streamer.system import split_outside_brackets

    names = None if strategy is None else split_outside_brackets(strategy, ",")
    columns = LabelColumns(
        file_column, speaker_column, session_column, emotion_column, valence_column,
        arousal_column, dominance_column,
    )  # fmt: skip
    plan = Plan(
        place=place,
        out=out,
        reader=corpus,
        scale=None if labels is not None else _scale(scale),
        labels=_own_labels(labels, columns, scale, skip_missing),
        through_norms=through_norms,
        encoder=encoder,
        test_part=test_part,
        strategies=None if names is None else [n.strip() for n in names if n.strip()],
        scenario=_scenario(scenario, buffer, keep, length, delay, batch, rounds, subset, first),
        learner=learner,
        dimensions=ASKED_DIMENSIONS if dimension is None else (dimension,),
        seeds=seeds,
        jobs=jobs or os.cpu_count() or 1,
        cluster=cluster,
        source=source,
        source_reader=source_corpus,
        source_scale=_scale(source_scale),
        alignment=adapt,
    )
    shown = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    bar = Progress(*shown, console=console, transient=True)
    try:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if console.is_interactive:
                bar.start()  # not earlier: an error is printed without it
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=total)

        found = run(settings_from(config), plan, progress, notify=_above(bar))
    finally:
        if bar.live.is_started:
            bar.stop()
    for sentence in found.sentences:
        print(printable(sentence))
    _tell_faults(found.faults)
    tell(f"learning curves: {found.page}")
    unread = sum(fault.is_unreadable for fault in found.faults)
    if labels is not None and unread:
        raise UnreadableAudio(
            f"{many(unread, 'recording')} of {place} could not be read, as named above; the "
            "curves are of the rest"
        )


def _above(bar: "Progress") -> "Callable[[str], None]":
    """Tells without cutting through the bar."""

    def notify(text: str) -> None:
        if bar.live.is_started:
            bar.console.print(printable(text), markup=False, highlight=False, soft_wrap=True)
        else:
            tell(text)

    return notify


def _tell_faults(faults: "Sequence[Fault]") -> None:
    """Recordings that were not read, each; of the other kinds of fault, some."""
    from streamer.evaluation.readers.own_labels import NOT_LABELLED

    for fault in faults:
        if fault.is_unreadable:
            tell(f"not read: {fault.what}: {fault.problem}")
    extra = [fault.what for fault in faults if fault.problem == NOT_LABELLED]
    if extra:
        more = ", ..." if len(extra) > _MOST_NAMED else ""
        tell(f"{many(len(extra), 'recording')} without a row in the labels, left out: "
             f"{', '.join(extra[:_MOST_NAMED])}{more}")  # fmt: skip


def _own_labels(
    path: Path | None, columns: "LabelColumns", scale: str | None, skip_missing: bool
) -> "OwnLabels | None":
    from streamer.annotation.scales import Scales
    from streamer.evaluation.readers.own_labels import LabelColumns, OwnLabels

    if path is not None:
        scales = None if scale is None else Scales.parse(scale)
        return OwnLabels(path, columns, scales, skip_missing)
    if columns != LabelColumns() or skip_missing:
        raise UsageError("--skip-missing and the --...-column flags need a table: give --labels")
    return None


def _scale(words: str | None) -> "Scale | None":
    from streamer.annotation.scales import read_scale
    from streamer.evaluation.scales import scale_of

    return None if words is None else scale_of(*read_scale(words))


def _scenario(
    name: str,
    buffer: int,
    keep: float,
    length: int,
    delay: int,
    batch: int,
    rounds: int,
    subset: int | None,
    first: int,
) -> "Stream | Pool":
    from streamer.evaluation.protocol import Pool, Stream

    if name == "stream":
        return Stream(buffer, keep, first, length, delay)
    if name == "pool":
        return Pool(batch, rounds, first, subset)
    raise UsageError(f"no scenario {name!r}; choose stream or pool")

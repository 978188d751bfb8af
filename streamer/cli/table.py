"""The verb table: predictions of recordings, one row an utterance."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streamer.cli.options import ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import tell
from streamer.errors import UnreadableAudio
from streamer.text import many

if TYPE_CHECKING:
    from collections.abc import Sequence

    from streamer.loop.table.reader import Fault
    from streamer.loop.table.table import Report

JobsFlag = Annotated[int | None, typer.Option(help="Processes [one a core].", min=1)]
ClusterFlag = Annotated[
    str | None,
    typer.Option(
        help="Work on a Dask cluster: `local`, or a scheduler's address as tcp://HOST:8786 "
        "(extra `cluster`). Its workers must see the same files."
    ),
]
_MOST_NOTICES: Final = 5
# Without a terminal, a line of progress so often.
_LINE_EVERY_S: Final = 30.0


def table(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, and folders of them.")],
    out: Annotated[
        Path,
        typer.Option(help="The table: NAME.csv, NAME.parquet (extra `cluster`) or NAME.jsonl."),
    ],
    speaker: Annotated[
        str | None,
        typer.Option(
            help="A column with the speaker, who is normalized as one voice: folder, or channel "
            "[each recording by itself]."
        ),
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="One row a recording, not cut into utterances.")
    ] = False,
    embeddings: Annotated[
        bool, typer.Option("--embeddings", help="With the encoder's vector of each utterance.")
    ] = False,
    acoustic: Annotated[
        bool,
        typer.Option("--acoustic", help="With 112 named functionals of pitch, energy, spectrum."),
    ] = False,
    encoder: Annotated[str | None, typer.Option(help="A name of `streamer models list`.")] = None,
    jobs: JobsFlag = None,
    cluster: ClusterFlag = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Write a table of recordings: the same values as `run` gives. Can be stopped and resumed.

    The profile stays as it is. Stopped, the same command goes on where it was. Recordings that
    cannot be read are named at the end, and the exit code is then 3; the table holds the rest.
    """
    from streamer.loop.table.columns import Contents
    from streamer.loop.table.table import make_request, unreadable, write_table

    settings = settings_from(config, profile=profile, encoder=encoder)
    contents = Contents(speaker, whole, embeddings, acoustic)
    request = make_request(settings, paths, contents, notify=tell)
    with shown_progress("recordings") as progress:
        report = write_table(
            request, out, jobs=jobs or os.cpu_count() or 1, cluster=cluster, progress=progress
        )
    _tell(report, out)
    if report.faults:
        raise UnreadableAudio(unreadable(report))


def _tell(report: "Report", out: Path) -> None:
    tell_of_recordings(report.notices, report.faults)
    tell(f"{many(report.rows, 'row')} of {many(report.files, 'recording')}: {out}")


def tell_of_recordings(notices: "Sequence[str]", faults: "Sequence[Fault]") -> None:
    """What was noticed in them, and which could not be read."""
    for text in notices[:_MOST_NOTICES]:
        tell(text)
    if len(notices) > _MOST_NOTICES:
        tell(f"... and {many(len(notices) - _MOST_NOTICES, 'notice')} more about the sound")
    for fault in faults:
        tell(f"not read: {fault.file}: {fault.problem}")


@contextmanager
def shown_progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with the time to go on a terminal, else a line now and then; both on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn(),
    )  # fmt: skip
    bar = Progress(*columns, console=console, transient=True)
    task = bar.add_task(what)
    begun_s = told_s = time.monotonic()
    at_first: int | None = None

    def update(done: int, total: int) -> None:
        nonlocal told_s, at_first
        if console.is_interactive:
            bar.start()  # not earlier: an error is printed without it
            bar.update(task, completed=done, total=total)
            return
        now_s = time.monotonic()
        at_first = done if at_first is None else at_first
        if now_s - told_s >= _LINE_EVERY_S and done > at_first:
            told_s = now_s
            left_s = (now_s - begun_s) / (done - at_first) * (total - done)
            tell(f"{what}: {done / total:.0%}, about {left_s / 60:.0f} min to go")

    try:
        yield update
    finally:
        if bar.live.is_started:
            bar.stop()

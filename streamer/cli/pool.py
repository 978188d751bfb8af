"""The verb `pool`, with verbs of its own: add, ask, learn, status."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streamer.cli.options import (
    AsJson,
    ConfigFlag,
    DimensionFlag,
    ProfileFlag,
    Verbose,
    settings_from,
)
from streamer.cli.output import put, tell
from streamer.cli.reporting import SHEETS, PrivateFile, check_name
from streamer.cli.table import ClusterFlag, JobsFlag, shown_progress, tell_of_recordings
from streamer.errors import UnreadableAudio, UsageError
from streamer.text import many

if TYPE_CHECKING:
    from streamer.annotation.pool.asking import Round
    from streamer.loop.pool.adding import Added
    from streamer.loop.pool.pool import Pool
    from streamer.store.profile import Profile

pool = typer.Typer(
    help="Recordings too many to hear live: embedded once, asked about by their vectors.",
    epilog="Begin with: streamer pool add FOLDER, then: streamer pool ask 20; fill in to_label.csv;"
    " streamer pool learn to_label.csv; and ask again.",
    no_args_is_help=True,
)
PoolFlag = Annotated[Path, typer.Option("--pool", help="Folder of the pool.")]
_HERE: Final = Path("pool")


@pool.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, and folders of them.")],
    pool: PoolFlag = _HERE,
    speaker: Annotated[
        str | None,
        typer.Option(
            help="Who is one voice, normalized together: folder, or channel [each recording]."
        ),
    ] = None,
    encoder: Annotated[
        str | None, typer.Option(help="For a new pool: a name of `streamer models list`.")
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="For a new pool: of its vectors, float16 or float32.")
    ] = None,
    jobs: JobsFlag = None,
    cluster: ClusterFlag = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Embed recordings into the pool, each once by its content. Can be stopped and resumed.

    Needs the extra `cluster`. Vectors and times are kept, no audio. Stopped or killed, the same
    command goes on where it was. What cannot be read is named at the end; the exit code is then 3.
    """
    from streamer.loop.pool.adding import add as add_to

    settings = settings_from(config, profile=profile, encoder=encoder)
    with shown_progress("recordings") as progress:
        added = add_to(
            settings, pool, paths, speaker=speaker, precision=precision,
            jobs=jobs or os.cpu_count() or 1, cluster=cluster, progress=progress,
        )  # fmt: skip
    _tell(added, pool)
    if added.faults:
        files = len({fault.file for fault in added.faults})
        raise UnreadableAudio(
            f"{files:,} of {many(added.files, 'recording')} {'was' if files == 1 else 'were'} not "
            "read to the end; the pool holds the rest"
        )


@pool.command()
def ask(
    count: Annotated[int | None, typer.Argument(help="How many questions.")] = None,
    pool: PoolFlag = _HERE,
    strategy: Annotated[
        str | None, typer.Option(help="Query strategy, as for `run` [spread-in-turn].")
    ] = None,
    subset: Annotated[
        int | None, typer.Option(help="Score only this many, drawn at random each time [all].")
    ] = None,
    explore: Annotated[
        float | None, typer.Option(help="Fraction of the questions drawn at random [0.1].")
    ] = None,
    dimension: DimensionFlag = None,
    again: Annotated[
        bool, typer.Option("--open", help="Write once more what was asked and is not answered.")
    ] = False,
    out: Annotated[
        Path, typer.Option(help="The table to fill in; clips and NAME.json are written beside it.")
    ] = Path("to_label.csv"),
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Choose what to label next, by what the profile has learned, and write it to a table.

    Beside NAME.csv: the sound in NAME_clips/, and tasks for Label Studio in NAME.json. `streamer
    label` asks the same questions in the terminal and the browser. Nothing is asked twice.
    """
    from streamer.annotation.pool import asking
    from streamer.annotation.pool.asked import asked_rows
    from streamer.annotation.pool.questions import QuestionFiles, open_rows, write_questions
    from streamer.loop.compose import open_profile
    from streamer.loop.pool.pool import Pool
    from streamer.loop.retention import may_store_audio

    if (count is None) != again:
        raise UsageError("give how many to ask, as in `streamer pool ask 20`, or --open")
    settings = settings_from(
        config, profile=profile, strategy=strategy, explore=explore, dimension=dimension
    )
    there = Pool(pool)
    with open_profile(settings) as opened:
        with_audio = may_store_audio(settings.privacy, opened)
        files = QuestionFiles.beside(out, with_audio=with_audio)
        asking.bind_to_pool(settings, opened, there)
        if count is None:
            utterances = [one.utterance.id for one in opened.queries.open()]
        else:
            opened.take_over_or_fail("streamer pool ask")
            made = asking.ask(settings, opened, there, count, subset)
            utterances = made.utterances
            _say(made)
        rows = open_rows(utterances, asked_rows(opened, there.about.id))
        if not rows:
            tell("nothing to ask: all of the pool was asked, or is unclear")
            return
        heard = write_questions(files, there, rows)
    silent = "" if heard == len(rows) else f", {len(rows) - heard:,} without sound"
    tell(
        f"{many(len(rows), 'question')}{silent}: {out}; answer there, then: "
        f"streamer pool learn {out}"
    )


@pool.command()
def learn(
    file: Annotated[
        Path,
        typer.Argument(
            help="Answers: the table of `ask`, or any format of `streamer label --import`."
        ),
    ],
    scale: Annotated[
        str | None, typer.Option(help="LEAST:MOST of the values, such as 1:5 or 9:1 [-1:1].")
    ] = None,
    annotator: Annotated[str | None, typer.Option(help="Whose answers these are [me].")] = None,
    pool: PoolFlag = _HERE,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Learn answers, at once; rows without an answer are left out. All are checked first.

    A later answer of the same annotator replaces the earlier one, so a file can be learned again.
    """
    from streamer.annotation import labels
    from streamer.annotation.exchange.importing import read_any
    from streamer.annotation.pool.asking import bind_to_pool
    from streamer.annotation.scales import Scales
    from streamer.loop.compose import open_profile
    from streamer.loop.pool.pool import Pool

    settings = settings_from(config, profile=profile, annotator=annotator)
    scales = None if scale is None else Scales.parse(scale)
    with open_profile(settings, create=False) as opened:
        bind_to_pool(settings, opened, Pool(pool))
        read = read_any(opened, file, settings.annotator, scales)
        for note in read.notes:
            tell(f"{file}: {note}")
        tell(str(labels.give(opened, read.labels, read.scale)))


@pool.command()
def status(
    pool: PoolFlag = _HERE,
    png: Annotated[
        Path | None, typer.Option("--png", help="The learning curve as an image, FILE.png.")
    ] = None,
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """How much is in the pool, asked and answered, and how well answers were predicted."""
    check_name(png, "--png", SHEETS)
    from streamer.loop.compose import known_profile
    from streamer.loop.pool.pool import Pool
    from streamer.profiles.pool_status import pool_row
    from streamer.terminal.pool_lines import pool_lines

    there = Pool(pool)
    with known_profile(settings_from(config, profile=profile), lambda text: None) as opened:
        row = pool_row(there, opened)
        if png is not None:
            with PrivateFile(png) as file:
                file.finish(_curve(there, opened))
    put(row, pool_lines(row), as_json)


def _curve(pool: "Pool", profile: "Profile") -> bytes:
    from streamer.annotation.pool.asked import asked_rows
    from streamer.report.curves import FIRST_SHOWN, learning_curve
    from streamer.report.poster import png
    from streamer.report.prequential import traces

    asked = asked_rows(profile, pool.about.id)
    known = {} if profile.is_empty() else traces(profile)
    of_pool = {name: trace.of(asked) for name, trace in known.items()}
    drawn = {name: trace for name, trace in of_pool.items() if len(trace) >= FIRST_SHOWN}
    if not drawn:
        raise UsageError(f"--png: no curve yet: learn {FIRST_SHOWN} answers of this pool first")
    return png(learning_curve(drawn))


def _say(made: "Round") -> None:
    how = "" if made.is_exact else "; approximately, by blocks"
    random = f", {made.explored:,} of them at random" if made.explored else ""
    tell(f"{many(len(made.utterances), 'question')}{random}, of {made.scored:,} scored: "
         f"{made.reason}{how}")  # fmt: skip


def _tell(added: "Added", folder: Path) -> None:
    tell_of_recordings(added.notices, added.faults)
    known = f"; {added.known:,} were known" if added.known else ""
    tell(
        f"{many(added.rows, 'utterance')} of {many(added.recordings, 'new recording')} added"
        f"{known}: {folder}"
    )

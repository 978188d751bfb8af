"""The verb evaluate: query strategies compared on a corpus."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamer.cli.options import ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import tell
from streamer.errors import UsageError
from streamer.text import printable

if TYPE_CHECKING:
    from streamer.evaluation.protocol import Pool, Stream
    from streamer.evaluation.scales import Scale


def evaluate(
    place: Annotated[
        Path,
        typer.Argument(
            help="A corpus's original folder, or a CSV of features with the columns "
            "utterance, speaker, f0, f1, ... and emotion, or valence, arousal [and dominance]."
        ),
    ],
    corpus: Annotated[
        str, typer.Option(help="Name of the corpus [detected from its layout].")
    ] = "auto",
    scale: Annotated[
        str | None,
        typer.Option(help="LOW:HIGH of a table's ratings, such as 1:5, or --scale=-1:1."),
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
        str,
        typer.Option(
            help="One or several: NAME,NAME,..., your own as package.module:Class; `all` labels "
            "everything."
        ),
    ] = "binary-confidence",
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
    jobs: Annotated[int | None, typer.Option(help="Processes [one a core].", min=1)] = None,
    out: Annotated[Path, typer.Option(help="Folder for the curves.")] = Path("evaluation"),
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Draw learning curves of query strategies on a corpus. Can be interrupted and resumed."""
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

    from streamer.evaluation.evaluate import Plan
    from streamer.evaluation.evaluate import evaluate as run
    from streamer.import_path import split_outside_brackets
    from streamer.query.strategy import ASKED_DIMENSIONS

    names = split_outside_brackets(strategy, ",")
    plan = Plan(
        place=place,
        out=out,
        reader=corpus,
        scale=_scale(scale),
        encoder=encoder,
        test_part=test_part,
        strategies=[name.strip() for name in names if name.strip()],
        scenario=_scenario(scenario, buffer, keep, length, delay, batch, rounds, subset, first),
        learner=learner,
        dimensions=ASKED_DIMENSIONS if dimension is None else (dimension,),
        seeds=seeds,
        jobs=jobs or os.cpu_count() or 1,
        source=source,
        source_reader=source_corpus,
        source_scale=_scale(source_scale),
        alignment=adapt,
    )
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True)
    try:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int) -> None:
            if console.is_interactive:
                bar.start()  # not earlier: an error is printed without it
            if what not in tasks:
                tasks[what] = bar.add_task(what)
            bar.update(tasks[what], completed=done, total=total)

        path, answers = run(settings_from(config), plan, progress)
    finally:
        if bar.live.is_started:
            bar.stop()
    for sentence in answers:
        print(printable(sentence))
    tell(f"learning curves: {path}")


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

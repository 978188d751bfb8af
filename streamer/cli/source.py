"""The verb `source`, with verbs of its own: add, list, remove."""

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import AsJson, ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put, tell
from streamer.text import many

source = typer.Typer(
    help="Labelled speech that already exists, as a first teacher: a corpus, a table of features, "
    "or another profile's export.",
    no_args_is_help=True,
)


@source.command()
def add(
    place: Annotated[
        Path, typer.Argument(help="A corpus, a table of features, or a folder of `export`.")
    ],
    reader: Annotated[str, typer.Option(help="Which corpus it is [by its layout].")] = "auto",
    scale: Annotated[
        str | None, typer.Option(help="LOW:HIGH of a table's ratings, such as 1:5.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="What to call it [the corpus's name].")] = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Keep a source's vectors and labels in the profile, without its audio."""

    from rich.console import Console
    from rich.progress import Progress

    from streamer.annotation.scales import read_scale
    from streamer.evaluation.scales import scale_of
    from streamer.evaluation.source_corpus import read_source
    from streamer.loop.compose import bind_encoder, open_profile

    settings = settings_from(config, profile=profile)
    with (
        open_profile(settings) as opened,
        Progress(console=Console(stderr=True), transient=True) as bar,
    ):
        encoder = bind_encoder(settings, opened)
        task = bar.add_task("embedding")
        with opened.copies.scratch() as scratch:
            found, labelled = read_source(
                place,
                lambda: encoder,
                scratch.path,
                reader=reader,
                scale=None if scale is None else scale_of(*read_scale(scale)),
                progress=lambda done, of: bar.update(task, completed=done, total=of),
            )
        row = opened.sources.add(name or found, labelled, encoder.name, encoder.sha256)
    emotions = f", {', '.join(row.emotions)}" if row.emotions else ""
    tell(
        f"source {row.name}: {many(row.clips, 'clip')}{emotions}; "
        f"use it with `streamer run --source {row.name}`"
    )


@source.command("list")
def list_(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """List the sources; * marks the one that `run` uses."""
    from dataclasses import asdict

    from streamer.loop.compose import known_profile

    with known_profile(settings_from(config, profile=profile), tell) as opened:
        rows = [opened.sources.row(name) for name in opened.sources.names()]
    for row in rows:
        mark, rated = "*" if row.active else " ", ", dimensions" if row.rated else ""
        line = (
            f"{mark} {row.name}  {many(row.clips, 'clip')}, {many(len(row.emotions), 'emotion')}"
            f"{rated}  ({row.encoder})"
        )
        put(asdict(row), line, as_json)


@source.command()
def remove(
    name: Annotated[str, typer.Argument(help="A name of `streamer source list`.")],
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Delete a source; what was learned with it is learned again without."""
    from streamer.loop.compose import open_profile

    with open_profile(settings_from(config, profile=profile), create=False) as opened:
        opened.take_over_or_fail("streamer source")
        opened.sources.remove(name)
    tell(f"removed source {name}")

"""The verb `fleet`: what many devices learned, for the next one."""

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import tell

fleet = typer.Typer(help="What many devices learned, for the next one.", no_args_is_help=True)


@fleet.callback()
def _of_fleets() -> None:
    """What many devices learned, for the next one."""


@fleet.command()
def prior(
    exports: Annotated[
        list[Path],
        typer.Argument(
            metavar="EXPORT",
            help="Of each device what `streamer export` wrote: its folder, or with --statistics "
            "its file.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the prior, and fleet.json about it.")],
    encoder: Annotated[
        str, typer.Option(help="A name of `streamer models list` [the default].")
    ] = "",
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Add up devices' statistics to the prior that the next device starts from.

    A prior is what an encoder expects of a voice that gave no answer yet. Each device is one voice.
    Sums are added, never recordings; all must be of the same encoder and start from the same prior.
    A device that the others contradict is left out and named. Install the result with `streamer
    models add --prior FILE`; profiles that exist keep theirs.
    """
    from streamer.cli.table import shown_progress
    from streamer.encoders.registry import find_encoder
    from streamer.profiles.fleet.prior import make_fleet_prior
    from streamer.text import many
    from streamer.types import DIMENSIONS

    row = find_encoder(encoder, settings_from(config).models)
    with shown_progress("devices") as progress:
        path, found = make_fleet_prior(exports, row, out, progress)
    for export, used in zip(exports, found.kept, strict=True):
        if not used:
            tell(f"left out, as the other devices contradict its answers: {export}")
    for name, before, after in zip(DIMENSIONS, found.errors_before, found.errors, strict=True):
        if before == before:  # not nan: there are answers
            tell(f"{name}: error on devices left out {before:.3f} before, {after:.3f} now (RMSE)")
    tell(f"{many(sum(found.kept), 'device')}: {path}; install it with `streamer models add --prior "
         f"{path}`")  # fmt: skip

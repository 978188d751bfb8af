"""Verbs that carry a whole profile: export, import."""

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import tell


def export(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")],
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Write everything of a profile to a folder of open formats; its README.txt explains them."""
    from streamer.app import open_profile
    from streamer.archive.writing import export_profile
    from streamer.config import PRIVATE

    settings = settings_from(config, profile=profile)
    kept = settings.model_dump(mode="json", exclude=PRIVATE)
    with open_profile(settings, create=False) as opened:
        counts = export_profile(opened, folder, kept)
    tell(f"{_said(counts)} written to {folder}; whoever reads it reads what was felt, and when")


def import_(
    folder: Annotated[Path, typer.Argument(help="A folder that `streamer export` made.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Give up what the profile holds.")
    ] = False,
    any_encoder: Annotated[
        bool, typer.Option("--any-encoder", help="Though its encoder is not here; then reembed.")
    ] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Make an exported profile this one: it predicts as it did, to the last bit."""
    from streamer.app import open_profile
    from streamer.archive.reading import import_profile
    from streamer.encoder.registry import known_encoders

    settings = settings_from(config, profile=profile)
    here = None if any_encoder else {row.sha256 for row in known_encoders(settings.models)}
    with open_profile(settings) as opened:
        counts = import_profile(opened, folder, here, replace=replace)
    tell(f"{_said(counts)} read, and learned anew")


def _said(counts: dict[str, int]) -> str:
    return f"{counts['utterances']} utterances and {counts['labels']} rows of labels"

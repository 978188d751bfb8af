"""Verbs that carry a whole profile: export, import."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import tell
from streamer.errors import UsageError


def export(
    place: Annotated[
        Path,
        typer.Argument(help="A folder that is not there yet, or NAME.age: one encrypted file."),
    ],
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", help="Who may open NAME.age: age1... or an ssh public key [a passphrase]."
        ),
    ] = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Write everything of a profile to a folder of open formats; its README.txt explains them.

    NAME.age is the same as one file, encrypted as age does, for the keys of --to or for a
    passphrase that is asked for (or read from standard input, its first line).
    """
    from streamer.config import PRIVATE
    from streamer.loop.compose import open_profile
    from streamer.profiles.archive.sealed import SUFFIX, Secret, can_seal, export_sealed
    from streamer.profiles.archive.writing import export_profile

    sealed = place.suffix.lower() == SUFFIX
    if to and not sealed:
        raise UsageError(f"--to encrypts one file: name it {place}{SUFFIX}")
    settings = settings_from(config, profile=profile)
    kept = settings.model_dump(mode="json", exclude=PRIVATE)
    with open_profile(settings, create=False) as opened:
        if sealed:
            can_seal(place)  # before a passphrase is asked for
            secret = Secret(keys=to) if to else Secret(passphrase=_passphrase(twice=True))
            counts = export_sealed(opened, place, kept, secret)
        else:
            counts = export_profile(opened, place, kept)
    who = "only the key or passphrase opens it" if sealed else "open to whoever reads that folder"
    tell(f"{_said(counts)} written to {place}: {who}")


def import_(
    place: Annotated[Path, typer.Argument(help="What `streamer export` made: a folder, NAME.age.")],
    identity: Annotated[
        Path | None,
        typer.Option("--identity", help="The file of the key that opens NAME.age [a passphrase]."),
    ] = None,
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
    from streamer.encoders.registry import known_encoders
    from streamer.loop.compose import open_profile
    from streamer.profiles.archive.reading import import_profile
    from streamer.profiles.archive.sealed import SUFFIX, Secret, identities_in, import_sealed

    sealed = place.suffix.lower() == SUFFIX
    if identity and not sealed:
        raise UsageError(f"--identity opens an encrypted export, NAME{SUFFIX}; {place} is none")
    if not place.exists():
        raise UsageError(f"there is no {place}: give what `streamer export` made")
    settings = settings_from(config, profile=profile)
    here = None if any_encoder else {row.sha256 for row in known_encoders(settings.models)}
    with open_profile(settings) as opened:
        if sealed:
            keys = identities_in(identity) if identity else ()
            secret = Secret(keys, "" if keys else _passphrase())
            counts = import_sealed(opened, place, here, secret, replace=replace)
        else:
            counts = import_profile(opened, place, here, replace=replace)
    tell(f"{_said(counts)} read, and learned anew")


def _passphrase(twice: bool = False) -> str:
    said = ""
    if sys.stdin is None:  # closed by who started us
        pass
    elif sys.stdin.isatty():
        said = typer.prompt("passphrase", hide_input=True, confirmation_prompt=twice, err=True)
    else:
        said = sys.stdin.readline().rstrip("\n")
    if not said:
        raise UsageError("no passphrase: type one, pipe one in, or give a key (see --help)")
    return said


def _said(counts: dict[str, int]) -> str:
    from streamer.text import many

    return f"{many(counts['utterances'], 'utterance')} and {many(counts['labels'], 'label row')}"

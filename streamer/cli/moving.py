"""Verbs that move a whole profile: export, import."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streamer.cli.options import ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import tell
from streamer.errors import UsageError

if TYPE_CHECKING:
    from streamer.config import Config


def export(
    place: Annotated[
        Path,
        typer.Argument(
            help="A new folder, or NAME.age: one encrypted file; with --statistics NAME.npz."
        ),
    ],
    to: Annotated[
        list[str] | None,
        typer.Option(
            "--to", help="A key that opens NAME.age: age1... or an ssh public key [a passphrase]."
        ),
    ] = None,
    statistics: Annotated[
        bool,
        typer.Option(
            "--statistics",
            help="Only sums and counts, for `streamer fleet prior`: no utterance, no name.",
        ),
    ] = False,
    epsilon: Annotated[
        float | None,
        typer.Option(
            help="With --statistics: noise for differential privacy of each utterance, at delta "
            "1e-5; 1 hides much, 10 little (extra `privacy`)."
        ),
    ] = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Write the whole profile to a folder in open formats; its README.txt explains them.

    NAME.age is the same as one file in age's encryption, for the keys of --to or for a passphrase,
    which is prompted for or read from the first line of standard input.

    --statistics writes what a fleet of devices adds up instead: sums over the profile's utterances.
    The sums of few utterances say much about each, so give them many, or --epsilon.
    """
    from streamer.config import PRIVATE
    from streamer.loop.compose import open_profile
    from streamer.profiles.archive.sealed import SUFFIX, Secret, can_seal, export_sealed
    from streamer.profiles.archive.writing import export_profile

    sealed = place.suffix.lower() == SUFFIX
    if to and not sealed:
        raise UsageError(f"--to requires an encrypted file: name it {place}{SUFFIX}")
    settings = settings_from(config, profile=profile)
    if statistics:
        _export_statistics(settings, place, epsilon)
        return
    if epsilon is not None:
        raise UsageError("--epsilon adds noise to statistics: give --statistics too")
    kept = settings.model_dump(mode="json", exclude=PRIVATE)
    with open_profile(settings, create=False) as opened:
        if sealed:
            can_seal(place)  # before a passphrase is asked for
            secret = Secret(keys=to) if to else Secret(passphrase=_passphrase(twice=True))
            counts = export_sealed(opened, place, kept, secret)
        else:
            counts = export_profile(opened, place, kept)
    who = "only the key or passphrase opens it" if sealed else "not encrypted"
    tell(f"{_counted(counts)} written to {place}: {who}")


def _export_statistics(settings: "Config", path: Path, epsilon: float | None) -> None:
    from streamer.learners.fleet.statistics import VoiceStatistics
    from streamer.loop.compose import open_profile
    from streamer.profiles.fleet.noise import DELTA, private_statistics
    from streamer.profiles.fleet.statistics_file import Origin, write_statistics
    from streamer.profiles.fleet.voice_data import data_of_profile
    from streamer.text import many

    with open_profile(settings, create=False) as opened:
        prior = opened.prior()
        data = data_of_profile(opened, prior)
        origin = Origin.of(opened.meta("encoder") or "", opened.meta("encoder_sha256") or "", prior)
    if epsilon is None:
        found, noise = VoiceStatistics.of(data, prior), "without noise"
    else:
        found = private_statistics(data, prior, epsilon)
        noise = f"with noise for epsilon {epsilon:g}, delta {DELTA:g} an utterance; each further "
        noise += "file of the same utterances adds its epsilon"
    write_statistics(path, found, origin, epsilon)
    tell(f"sums over {many(len(data.emotions), 'utterance')} written to {path}: {noise}")


def import_(
    place: Annotated[
        Path, typer.Argument(help="What `streamer export` wrote: a folder, or NAME.age.")
    ],
    identity: Annotated[
        Path | None,
        typer.Option("--identity", help="The file of the key that opens NAME.age [a passphrase]."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Overwrite the profile's contents.")
    ] = False,
    any_encoder: Annotated[
        bool, typer.Option("--any-encoder", help="Also without its encoder; then use reembed.")
    ] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Read an exported profile into this one; its predictions are the same, bit for bit."""
    from streamer.encoders.registry import known_encoders
    from streamer.loop.compose import open_profile
    from streamer.loop.retention import may_store_audio
    from streamer.profiles.archive.reading import import_profile
    from streamer.profiles.archive.sealed import SUFFIX, Secret, identities_in, import_sealed

    sealed = place.suffix.lower() == SUFFIX
    if identity and not sealed:
        raise UsageError(f"--identity opens an encrypted export, NAME{SUFFIX}; {place} is not one")
    if not place.exists():
        raise UsageError(f"{place} does not exist: give what `streamer export` wrote")
    settings = settings_from(config, profile=profile)
    here = None if any_encoder else {row.sha256 for row in known_encoders(settings.models)}
    with open_profile(settings) as opened:
        audio = may_store_audio(settings.privacy, opened)
        if sealed:
            keys = identities_in(identity) if identity else ()
            secret = Secret(keys, "" if keys else _passphrase())
            counts = import_sealed(opened, place, here, secret, replace=replace, audio=audio)
        else:
            counts = import_profile(opened, place, here, replace=replace, audio=audio)
    left_out = "" if audio else "; no audio, as --privacy embeddings has it"
    tell(f"{_counted(counts)} read and relearned{left_out}")


def _passphrase(twice: bool = False) -> str:
    typed = ""
    if sys.stdin is None:  # closed by the parent process
        pass
    elif sys.stdin.isatty():
        typed = typer.prompt("passphrase", hide_input=True, confirmation_prompt=twice, err=True)
    else:
        typed = sys.stdin.readline().rstrip("\n")
    if not typed:
        raise UsageError("no passphrase: type one, pipe one in, or give a key (see --help)")
    return typed


def _counted(counts: dict[str, int]) -> str:
    from streamer.text import many

    return f"{many(counts['utterances'], 'utterance')} and {many(counts['labels'], 'label row')}"

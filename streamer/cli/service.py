"""The verb `service` with its verbs: install, status, remove."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from streamer.cli.options import AsJson, ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put, tell
from streamer.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from streamer.config import Config

service = typer.Typer(
    help="Listen from login on, without a terminal (systemd).", no_args_is_help=True
)


@service.command()
def install(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- FLAGS", help="Flags of `streamer run`, after --."),
    ] = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Start the loop now and at every login; restart it after a failure.

    The STREAMER_... settings of the current environment are stored in the unit.
    """
    from streamer.ops import systemd as units

    words = [*(words or []), *(["--config", str(config.resolve())] if config else [])]
    _check(words)
    settings = settings_from(config, profile=profile)
    broker = settings.mqtt is not None
    path = units.install(_folder(settings), words, broker, _from_environment())
    tell(f"installed and started: {path}")
    tell("to listen without a login: sudo loginctl enable-linger $USER")


@service.command()
def status(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Show whether it runs, and where its log is."""
    from dataclasses import asdict

    from streamer.ops import systemd as units

    found = units.state(_folder(settings_from(config, profile=profile)))
    lines = (
        f"{found.unit}: {found.active}, {found.enabled}, restarted {found.restarts} times",
        f"log: {found.log}; errors: journalctl --user -u '{found.unit}'",
    )
    put(asdict(found), lines, as_json)


@service.command()
def remove(
    profile: ProfileFlag = None, config: ConfigFlag = None, verbose: Verbose = False
) -> None:
    """Stop the service and remove it. The profile stays."""
    from streamer.ops import systemd as units

    folder = _folder(settings_from(config, profile=profile))
    tell(f"removed: {units.remove(folder)}")


def _from_environment() -> dict[str, str]:
    """The settings in the environment. Raises UsageError for a secret: other users read units."""
    found = {k: v for k, v in os.environ.items() if k.upper().startswith("STREAMER_")}
    for name in found:
        if name.upper() == "STREAMER_MQTT_PASSWORD":
            raise UsageError(
                f"{name}: other users can read a unit; put it into a file and give --config"
            )
    return {k: v for k, v in found.items() if k.upper() != "STREAMER_PROFILE"}


def _folder(settings: "Config") -> "Path":
    from streamer.store.profile import profile_folder

    return profile_folder(settings.profile, settings.home)


def _check(words: list[str]) -> None:
    """Raises what `streamer run` would raise for these flags, before the unit is written."""
    from streamer.cli.listening import run

    verb = typer.Typer()
    verb.command()(run)
    typer.main.get_command(verb).make_context("streamer run", list(words))

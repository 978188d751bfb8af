"""The verb `service` with its verbs: install, status, remove."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from streamer.cli.options import AsJson, ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put, tell

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

    The STREAMER_... settings of the current environment, a broker's password too, are stored beside
    the unit in a file that only you can read.
    """
    from streamer.ops import systemd as units

    words = [*(words or []), *(["--config", str(config.resolve())] if config else [])]
    _check(words)
    settings = settings_from(config, profile=profile)
    broker = settings.mqtt is not None
    if settings.mqtt is not None:
        from streamer.mqtt.broker import Broker

        Broker.parse(settings.mqtt)
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
    """The settings in the environment, but the profile, which is a flag of the unit."""
    found = {k: v for k, v in os.environ.items() if k.upper().startswith("STREAMER_")}
    return {k: v for k, v in found.items() if k.upper() != "STREAMER_PROFILE"}


def _folder(settings: "Config") -> "Path":
    from streamer.store.profile import profile_folder

    return profile_folder(settings.profile, settings.home)


def _check(words: list[str]) -> None:
    """Raises what `streamer run` would raise for these flags, before the unit is written."""
    from streamer.cli.listening import run
    from streamer.mqtt.broker import Broker

    verb = typer.Typer()
    verb.command()(run)
    context = typer.main.get_command(verb).make_context("streamer run", list(words))
    if context.params.get("mqtt"):
        Broker.parse(context.params["mqtt"])  # which refuses a password

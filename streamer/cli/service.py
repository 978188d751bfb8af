"""The verb `service` with its verbs: install, status, token, remove."""

import os
from typing import TYPE_CHECKING, Annotated

import typer

from streamer.cli.options import AsJson, ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put, tell
from streamer.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from streamer.config import Config

USUAL_PORT = "8765"

service = typer.Typer(
    help="Listen from login on, without a terminal (systemd).", no_args_is_help=True
)


@service.command()
def install(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- FLAGS", help="Flags of `streamer run`, after --."),
    ] = None,
    web: Annotated[
        bool,
        typer.Option(
            "--web", help="Serve the label page and the live view, with a key that stays."
        ),
    ] = False,
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
    if web:
        # A port of its own, so that the address stays, too.
        words += ["--web", "--keep-token"]
        words += [] if any(word.startswith("--port") for word in words) else ["--port", USUAL_PORT]
    _check(words)
    settings = settings_from(config, profile=profile)
    broker = settings.mqtt is not None or settings.osc is not None or settings.lsl
    if settings.mqtt is not None:
        from streamer.mqtt.broker import Broker

        Broker.parse(settings.mqtt)
    path = units.install(_folder(settings), words, broker, _from_environment())
    tell(f"installed and started: {path}")
    if web:
        tell("the pages: streamer service token")
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
def token(
    rotate: Annotated[
        bool, typer.Option("--rotate", help="Make a new key; the old one opens nothing any more.")
    ] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Print the address of the service's pages, with its key."""
    from streamer.ops import systemd as units
    from streamer.store.profile import PAGES_TOKEN_NAME
    from streamer.web.bind import LOOPBACK
    from streamer.web.certificate import local_numbers
    from streamer.web.token_file import kept_token, new_token

    folder = _folder(settings_from(config, profile=profile))
    words = units.installed_words(folder)
    if "--keep-token" not in words:
        raise UsageError(
            "this service serves no pages with a key that stays: `streamer service install --web`"
        )
    path = folder / PAGES_TOKEN_NAME
    if rotate:
        new_token(path)
        units.restart(folder)
        tell("a new key; pages that are open need the new address")
    port = int(_value_of("--port", words) or USUAL_PORT)
    is_secure = "--tls-cert" in words or "--self-signed" in words
    scheme = "https" if is_secure else "http"
    host = _value_of("--host", words) or ("0.0.0.0" if "--self-signed" in words else LOOPBACK)
    if host in {"0.0.0.0", "::"}:
        host = next(iter(local_numbers()), host)
    address = f"{scheme}://{host}:{port}/?token={kept_token(path)}"
    print(address)
    if host == LOOPBACK:
        tell(f"from another machine: ssh -L {port}:{LOOPBACK}:{port} USER@HOST, then open it there")


@service.command()
def remove(
    profile: ProfileFlag = None, config: ConfigFlag = None, verbose: Verbose = False
) -> None:
    """Stop the service and remove it. The profile stays."""
    from streamer.ops import systemd as units

    folder = _folder(settings_from(config, profile=profile))
    tell(f"removed: {units.remove(folder)}")


def _value_of(flag: str, words: list[str]) -> str | None:
    """Of `--flag VALUE` or `--flag=VALUE`; None where it is not given."""
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == flag:
            return following
        if word.startswith(f"{flag}="):
            return word.partition("=")[2]
    return None


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

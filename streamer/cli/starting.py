"""The verb start: the first minutes of a profile."""

import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from streamer.cli.options import (
    BlindFlag,
    ChannelFlag,
    ConfigFlag,
    DeviceFlag,
    ProfileFlag,
    Verbose,
    settings_from,
)
from streamer.cli.pages import (
    OpenFlag,
    PortFlag,
    address_of,
    on_a_desktop,
    require_no_page_flags,
)
from streamer.cli.running import (
    for_the_first_time,
    listen_with_pages,
    tell_next_steps,
    with_pages,
)
from streamer.errors import UsageError

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.loop.loop import Loop


def start(
    device: DeviceFlag = None,
    channel: ChannelFlag = None,
    encoder: Annotated[str | None, typer.Option(help="A name of `streamer models list`.")] = None,
    web: Annotated[
        bool | None,
        typer.Option("--web/--no-web", help="In the browser [on a desktop: yes]."),
    ] = None,
    open_page: OpenFlag = True,
    blind: BlindFlag = None,
    port: PortFlag = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Take the first steps: check the microphone, read, answer, see what it learned."""
    from streamer.audio.microphone.probe import begin
    from streamer.loop.loop import Loop

    in_browser = on_a_desktop() if web is None else web
    if not in_browser:
        require_no_page_flags(port)
        if not (sys.stdin and sys.stdin.isatty() and sys.stdout and sys.stdout.isatty()):
            raise UsageError("standard input or output is no terminal: give --web for the browser")
    begin()  # while all else is imported
    settings = for_the_first_time(
        settings_from(
            config, profile=profile, device=device, channel=channel, encoder=encoder, blind=blind
        )
    )
    if in_browser:
        settings = with_pages(settings)
    loop = Loop(config=settings, holder="streamer start")
    if in_browser:
        address = address_of(None, port, False, None, None)
        listen_with_pages(loop, settings, address, page="/start", opens=open_page)
    else:
        _in_terminal(loop, settings)
    tell_next_steps(settings)


def _in_terminal(loop: "Loop", settings: "Config") -> None:
    """The loop on a thread of its own; this one draws, and asks."""
    from rich.console import Console

    from streamer.annotation.first_steps import FirstSteps
    from streamer.cli.running import sinks_for
    from streamer.loop.run import pass_on, stop_on_signal
    from streamer.store.profile import Profile, profile_folder
    from streamer.terminal.first_steps import FirstScreens, take_first_steps
    from streamer.terminal.panel import LivePanel

    console = Console()
    panel = LivePanel(console, blind=settings.blind is not False)
    screens = FirstScreens(FirstSteps(), console, panel)
    failed: list[BaseException] = []

    def listen() -> None:
        try:
            pass_on(loop, sinks_for(loop, settings, output=screens), settings.watchdog_s)
        except BaseException as error:
            failed.append(error)
        finally:
            screens.over.set()

    listening = threading.Thread(target=listen, name="loop", daemon=True)
    with stop_on_signal(loop.stop):
        listening.start()
        try:
            if screens.wait_until_open():
                folder = profile_folder(settings.profile, settings.home)
                with closing(Profile(folder)) as profile:
                    take_first_steps(loop, profile, settings, screens)
        except BaseException:
            loop.stop()
            raise
        finally:
            listening.join()
    if failed:
        raise failed[0]

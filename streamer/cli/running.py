"""What the verbs that listen share: sinks, pages beside the loop, and what is said at the end."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.cli.output import output_for, tell
from streamer.cli.pages import open_in_browser, pages

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.loop.loop import Loop
    from streamer.loop.sinks import Sink, Sinks
    from streamer.web.bind import Address


def sinks_for(
    loop: "Loop",
    settings: "Config",
    *,
    output: "Sink | None" = None,
    as_json: bool = False,
    log: Path | None = None,
    address: Callable[[], str | None] = lambda: None,
) -> "Sinks":
    """The output, and the broker and log that the settings name. Raises UsageError.

    output: in place of the panel, plain lines or JSON.
    """
    from streamer.loop.blind import for_programs
    from streamer.loop.sinks import Sinks

    if output is None:
        output = output_for(
            as_json,
            blind=settings.blind is not False,
            address=address,
            sounds=lambda utterance: loop.describer.words(utterance) if loop.describer else "",
        )
    blinded = for_programs(output, settings.blind) if as_json else _for_people(output, settings)
    sinks = Sinks(blinded, loop.stop)
    _add_broker(sinks, settings)
    _add_laboratory(sinks, settings)
    if log is not None:
        from streamer.terminal.log_file import LogFile

        sinks.add(LogFile(log, time.monotonic))
    return sinks


def listen_with_pages(
    loop: "Loop",
    settings: "Config",
    address: "Address",
    *,
    page: str = "/",
    opens: bool = False,
    as_json: bool = False,
    log: Path | None = None,
    stays: bool = False,
    markers: bool = False,
) -> None:
    """Run the loop and serve its pages.

    page: the one whose address is shown; opens: open it in the browser of this desktop; stays:
    where somebody looks on, the pages stay until Ctrl-C when the source has ended by itself;
    markers: read standard input for event markers.
    """
    from streamer.loop.run import run, wait_for_signal

    shown: list[str] = []
    sinks = sinks_for(
        loop, settings, as_json=as_json, log=log, address=lambda: shown[0] if shown else None
    )
    # The loop first: what it opens is open before anybody can hold connections to the pages.
    with loop, pages(settings, address, loop, page) as served:
        sinks.add(_for_people(served.sink, settings))
        sinks.add(served.first_steps)
        shown.append(served.at(page))
        if opens:
            open_in_browser(served.once_at(page))
        with markers_from_input(markers, loop, sinks):
            by_itself = run(loop, sinks, settings.watchdog_s)
        if by_itself and stays and sys.stdin.isatty():
            tell("the recording has ended; its pages stay until Ctrl-C")
            wait_for_signal()


def with_pages(settings: "Config") -> "Config":
    """The settings where pages are served: utterances are measured, unless they say otherwise."""
    return settings.model_copy(update={"explain": settings.explain is not False})


def for_the_first_time(settings: "Config") -> "Config":
    """The settings with a small first buffer, unless they name one."""
    from streamer.annotation.first_steps import FIRST_BUFFER

    if settings.first_buffer is not None:
        return settings
    return settings.model_copy(update={"first_buffer": min(FIRST_BUFFER, settings.buffer)})


def is_new(settings: "Config") -> bool:
    """Whether nothing has been heard in the profile that the settings name."""
    from streamer.loop.compose import open_profile
    from streamer.store.profile import FILE_NAME, profile_folder

    if not (profile_folder(settings.profile, settings.home) / FILE_NAME).exists():
        return True
    with open_profile(settings) as profile:
        return profile.utterances.count() == 0


def tell_next_steps(settings: "Config") -> None:
    """Tell a person at a terminal what waits in the profile."""
    if not (sys.stdout and sys.stdout.isatty()):
        return
    from streamer.loop.compose import open_profile
    from streamer.terminal.closing import next_steps

    with open_profile(settings) as profile:
        waiting = profile.utterances.open_query_count()
    for line in next_steps(waiting, settings.profile).splitlines():
        tell(line)


def _for_people(sink: "Sink", settings: "Config") -> "Sink":
    from streamer.loop.blind import for_people
    from streamer.store.labelling_sign import LabellingSign
    from streamer.store.profile import profile_folder

    sign = LabellingSign(profile_folder(settings.profile, settings.home))
    return for_people(sink, settings.blind, sign)


def _add_broker(sinks: "Sinks", settings: "Config") -> None:
    """The broker that the settings name, where they name one. Raises UsageError."""
    if settings.mqtt is None:
        return
    from streamer.loop.blind import for_programs
    from streamer.mqtt.broker import Broker
    from streamer.mqtt.publisher import MqttPublisher
    from streamer.store.profile import profile_folder
    from streamer.text import path_text

    password = settings.mqtt_password
    broker = Broker.parse(
        settings.mqtt, settings.mqtt_user, password.get_secret_value() if password else None
    )
    name = path_text(profile_folder(settings.profile, settings.home).name)
    publisher = MqttPublisher(broker, name, sinks.notify, time.time, time.monotonic)
    sinks.add(for_programs(publisher, settings.blind))


def _add_laboratory(sinks: "Sinks", settings: "Config") -> None:
    """OSC and LSL, as the settings have them. Raises UsageError, StreamerError."""
    from streamer.loop.blind import for_programs

    if settings.osc is not None:
        from streamer.loop.lab.osc import OscSender, osc_address

        sender = OscSender(osc_address(settings.osc), sinks.notify)
        sinks.add(for_programs(sender, settings.blind))
    if settings.lsl:
        from streamer.loop.lab.lsl import LslOutlets
        from streamer.store.profile import profile_folder
        from streamer.text import path_text

        name = path_text(profile_folder(settings.profile, settings.home).name)
        sinks.add(for_programs(LslOutlets(name, sinks.notify), settings.blind))


@contextmanager
def markers_from_input(wanted: bool, loop: "Loop", sinks: "Sinks") -> Iterator[None]:
    """Inside, standard input is read for event markers, if that is wanted."""
    if not wanted:
        yield
        return
    from streamer.terminal.marker_input import MarkerInput

    # The loop first: before it is open there is no clock to place a marker on.
    with loop, MarkerInput(loop.mark, sinks.notify) as reading:
        how = "each key" if reading.reads_keys else "each line of standard input"
        sinks.notify(f"{how} is an event marker")
        yield

"""Verbs that listen: run, demo, devices."""

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import (
    AsJson,
    BlindFlag,
    ChannelFlag,
    ConfigFlag,
    DeviceFlag,
    DimensionFlag,
    ProfileFlag,
    Verbose,
    settings_from,
)
from streamer.cli.output import output_for, put, tell
from streamer.cli.pages import (
    OWN_CERTIFICATE,
    CertFlag,
    HostFlag,
    KeepFlag,
    KeyFlag,
    NearFlag,
    OpenFlag,
    PortFlag,
    RemoteFlag,
    SelfSignedFlag,
    address_of,
    on_a_desktop,
    require_no_page_flags,
)
from streamer.cli.running import (
    for_the_first_time,
    is_new,
    listen_with_pages,
    markers_from_input,
    sinks_for,
    tell_next_steps,
    with_pages,
)
from streamer.errors import UsageError


def run(
    input: Annotated[
        str | None,
        typer.Option(
            help="A recording, a folder of them, an address (rtsp, http), or - for standard "
            "input (any of these formats, or raw 16 bit 16 kHz mono). Without it: the microphone."
        ),
    ] = None,
    device: DeviceFlag = None,
    channel: ChannelFlag = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Read a recording in real time.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Process recordings again that were processed before.")
    ] = False,
    max_seconds: Annotated[
        float | None, typer.Option(help="Stop after this much audio.", min=0)
    ] = None,
    as_json: AsJson = False,
    buffer: Annotated[int | None, typer.Option(help="Utterances in a buffer [10].")] = None,
    keep: Annotated[
        float | None, typer.Option(help="Fraction of each buffer that is asked [0.5].")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            help="What to ask [spread-in-turn]; START+NAME begins with START, for example "
            "k-means+entropy. An unknown name lists them all. Your own: package.module:Class."
        ),
    ] = None,
    learner: Annotated[
        str | None,
        typer.Option(
            help="bayesian, river:module.Class, or your own as package.module:Class [the "
            "profile's]. A change relearns all labels."
        ),
    ] = None,
    labelled_source: Annotated[
        str | None,
        typer.Option(
            "--source",
            help="Start from this source of `streamer source list`, from now on; none: from no "
            "source again.",
        ),
    ] = None,
    explore: Annotated[
        float | None,
        typer.Option(
            help="Fraction of the questions drawn at random, for unbiased estimates [0.1]."
        ),
    ] = None,
    population: Annotated[
        bool | None,
        typer.Option(
            "--population/--no-population",
            help="Recognize emotions that are not enrolled by the average of many voices [yes].",
        ),
    ] = None,
    ask_at_most: Annotated[
        str | None, typer.Option(help="Most questions: 20/day, 5/hour, 10/session.")
    ] = None,
    quiet: Annotated[
        str | None, typer.Option(help="No questions in these hours: 22:00-07:00.")
    ] = None,
    dimension: DimensionFlag = None,
    encoder: Annotated[str | None, typer.Option(help="A name of `streamer models list`.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed [0].")] = None,
    privacy: Annotated[
        str | None,
        typer.Option(
            help="Audio on disk: clips (of open questions), embeddings (none; label in this "
            "run's pages), everything [clips]."
        ),
    ] = None,
    keep_for_tuning: Annotated[
        bool | None,
        typer.Option(
            "--keep-for-tuning",
            help="Keep the audio of answered clips until `streamer tune` has used it.",
        ),
    ] = None,
    blind: BlindFlag = None,
    markers: Annotated[
        bool,
        typer.Option(
            "--markers",
            help="Event markers from standard input: a key in a terminal, a line in a pipe.",
        ),
    ] = False,
    protocol: Annotated[
        Path | None,
        typer.Option(help="Follow the phases, prompts and budgets of this TOML file."),
    ] = None,
    osc: Annotated[
        str | None, typer.Option(help="Send events as OSC messages to HOST:PORT, by UDP.")
    ] = None,
    lsl: Annotated[
        bool | None,
        typer.Option("--lsl", help="Publish events on the network, by Lab Streaming Layer."),
    ] = None,
    mqtt: Annotated[
        str | None,
        typer.Option(
            help="Send utterances to this MQTT broker, HOST[:PORT]: they leave the device."
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(help="Log starts, notices and ends to this file; no predictions."),
    ] = None,
    web: Annotated[
        bool | None,
        typer.Option(
            "--web/--no-web", help="Serve the label page and the live view [on a desktop: yes]."
        ),
    ] = None,
    open_page: OpenFlag = True,
    port: PortFlag = None,
    host: HostFlag = None,
    allow_remote: RemoteFlag = False,
    remote_playback: NearFlag = None,
    keep_token: KeepFlag = None,
    self_signed: SelfSignedFlag = False,
    tls_cert: CertFlag = None,
    tls_key: KeyFlag = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Listen, predict, and ask about the informative half. Ctrl-C stops without losing anything."""
    if input == "":
        raise UsageError("--input is empty: give a file, a folder, or - for standard input")
    if input is not None and device is not None:
        raise UsageError("--input and --device exclude each other: give one of them")
    if input == "-" and markers:
        raise UsageError("--markers and --input - both read standard input: give one of them")
    if input is None:
        from streamer.audio.microphone.probe import begin

        begin()  # while all else is imported
    from streamer.audio.sources.network import is_address
    from streamer.loop.loop import MICROPHONE, Loop
    from streamer.loop.run import run

    settings = settings_from(
        config, profile=profile, device=device, channel=channel, buffer=buffer, keep=keep,
        strategy=strategy, learner=learner, explore=explore, dimension=dimension, encoder=encoder,
        seed=seed, population=population,
        ask_at_most=ask_at_most, quiet=quiet, mqtt=mqtt, privacy=privacy,
        remote_playback=remote_playback, again=again or None,
        source=labelled_source, keep_for_tuning=keep_for_tuning, blind=blind,
        protocol=protocol, osc=osc, lsl=lsl, keep_token=keep_token,
    )  # fmt: skip
    serves = on_a_desktop() and not as_json if web is None else web
    # On a desktop, and with the microphone: where a person is, who sees this for the first time.
    begins = serves and not as_json and input is None and on_a_desktop() and is_new(settings)
    if begins and buffer is None:
        settings = for_the_first_time(settings)
    if serves:
        settings = with_pages(settings)
    # A path, so that no file is taken for the microphone; it would swallow a slash of an address.
    source = MICROPHONE if input is None else input if is_address(input) else Path(input)
    loop = Loop(
        source, config=settings, realtime=realtime, max_seconds=max_seconds, holder="streamer run"
    )
    if serves:
        own = settings.home / OWN_CERTIFICATE if self_signed else None
        address = address_of(host, port, allow_remote, tls_cert, tls_key, own)
        page, opens = ("/start", open_page) if begins else ("/", False)
        listen_with_pages(
            loop, settings, address, page=page, opens=opens, as_json=as_json, log=log,
            stays=bool(web) and not as_json, markers=markers,
        )  # fmt: skip
    else:
        require_no_page_flags(port, host, allow_remote, self_signed, tls_cert, tls_key)
        sinks = sinks_for(loop, settings, as_json=as_json, log=log)
        with markers_from_input(markers, loop, sinks):
            run(loop, sinks, settings.watchdog_s)
    if not as_json:
        tell_next_steps(settings)


def demo(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Play a short synthetic session through the whole loop, without a microphone."""
    from streamer.ops.demo import play

    if profile is not None:
        tell("the demo uses a temporary profile; yours is not changed")
    play(settings_from(config), output_for(as_json, blind=False), tell)


def devices(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """List the microphones of this machine."""
    from dataclasses import asdict

    from streamer.audio.microphone.devices import list_devices
    from streamer.audio.microphone.sound_server import missing_plugin

    found = list_devices()
    if not found:
        why = missing_plugin() or "connect one, then `streamer doctor` says what is missing"
        tell(f"no microphone found: {why}")
    for device in found:
        mark = "*" if device.is_default else " "
        line = (
            f"{mark} {device.index:3}  {device.name}  "
            f"({device.channels} ch, {device.default_rate_hz} Hz, {device.host_api})"
        )
        put(asdict(device), line, as_json)

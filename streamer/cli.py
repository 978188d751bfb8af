"""The command line: verbs only. What a verb needs is imported when it runs."""

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamer import __version__
from streamer.errors import UsageError

if TYPE_CHECKING:
    from streamer.config import Config

app = typer.Typer(
    name="streamer",
    help="Speech emotion that learns on the device: hear, predict, ask, learn. "
    "Nothing leaves this machine.",
    epilog="Begin with: streamer demo, then: streamer run. Answer with: streamer label.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ProfileFlag = Annotated[
    str | None,
    typer.Option("--profile", help="Name of a profile, or a folder.", envvar="STREAMER_PROFILE"),
]
ConfigFlag = Annotated[Path | None, typer.Option("--config", help="Settings in a TOML file.")]
Verbose = Annotated[bool, typer.Option("-v", help="On an error, show where it came from.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]


@app.command()
def run(
    input: Annotated[
        str | None,
        typer.Option(
            help="A recording, a folder of them, or - for standard input (WAV, or raw "
            "16 bit 16 kHz mono). Without it: the microphone."
        ),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Microphone: name, part of it, or index.")
    ] = None,
    channel: Annotated[
        int | None, typer.Option(help="Hear this channel (from 1), not all.")
    ] = None,
    realtime: Annotated[
        bool, typer.Option("--realtime", help="Play a recording at its pace.")
    ] = False,
    max_seconds: Annotated[
        float | None, typer.Option(help="Stop after so much audio.", min=0)
    ] = None,
    as_json: AsJson = False,
    buffer: Annotated[int | None, typer.Option(help="Utterances in a buffer [10].")] = None,
    keep: Annotated[
        float | None, typer.Option(help="Part of each buffer that is asked [0.5].")
    ] = None,
    strategy: Annotated[
        str | None, typer.Option(help="What to ask: binary-confidence (default) or random.")
    ] = None,
    dimension: Annotated[
        str | None, typer.Option(help="Ask about valence, arousal or dominance only.")
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="A name of `streamer models list`.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every random choice [0].")] = None,
    web: Annotated[
        bool, typer.Option("--web/--no-web", help="The label page: not in this version.")
    ] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Listen, predict, and ask about the informative half. Ctrl-C stops; nothing is lost."""
    if input == "":
        raise UsageError("--input is empty: give a file, a folder, or - for standard input")
    if web:
        raise UsageError("--web: this version has no label page yet; answer with `streamer label`")
    from streamer.app import open_input
    from streamer.app import run as listen

    settings = _settings(
        config, profile=profile, device=device, channel=channel, buffer=buffer, keep=keep,
        strategy=strategy, dimension=dimension, encoder=encoder, seed=seed,
    )  # fmt: skip
    source = partial(open_input, settings, input, realtime=realtime)
    listen(settings, _screen(as_json), source, max_seconds)


@app.command()
def demo(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Play a short made-up session through the whole loop, without a microphone."""
    from streamer.demo import play

    play(_settings(config), _screen(as_json), _tell)


@app.command()
def devices(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """List the microphones that can be heard."""
    from dataclasses import asdict

    from streamer.audio.devices import list_devices

    for device in list_devices():
        mark = "*" if device.is_default else " "
        line = (
            f"{mark} {device.index:3}  {device.name}  "
            f"({device.channels} ch, {device.default_rate_hz} Hz, {device.host_api})"
        )
        _put(asdict(device), line, as_json)


@app.command()
def queue(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """List what Streamer would like to be told, most informative first."""
    from streamer.app import open_profile
    from streamer.screens.tables import query_line
    from streamer.summary import queue_rows

    with open_profile(_settings(config, profile=profile)) as opened:
        rows = queue_rows(opened)
    for row in rows:
        _put(row, query_line(row), as_json)
    if not rows:
        _tell("no open queries")


@app.command()
def label(
    utterance: Annotated[int | None, typer.Argument(help="Number of an utterance.")] = None,
    valence: Annotated[float | None, typer.Option(help="-1 negative .. 1 positive.")] = None,
    arousal: Annotated[float | None, typer.Option(help="-1 calm .. 1 excited.")] = None,
    dominance: Annotated[float | None, typer.Option(help="-1 submissive .. 1 dominant.")] = None,
    emotion: Annotated[
        str | None, typer.Option(help="Its name; enrolls the utterance too.")
    ] = None,
    annotator: Annotated[str | None, typer.Option(help="Whose answer this is [me].")] = None,
    import_: Annotated[
        Path | None,
        typer.Option(
            "--import", help="CSV: utterance,valence,arousal[,dominance][,emotion][,annotator]."
        ),
    ] = None,
    scale: Annotated[
        str | None, typer.Option(help="LOW:HIGH of the values given, such as 1:5 [-1:1].")
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back the last label, or the last N.")
    ] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Answer: one utterance, a CSV file, --undo [N], or, without arguments, one key each."""
    from streamer import labelling
    from streamer.app import open_profile

    settings = _settings(config, profile=profile, annotator=annotator)
    limits = labelling.read_scale(scale)
    with open_profile(settings) as opened:
        if undo:
            _tell(labelling.take_back(opened, 1 if utterance is None else utterance))
        elif import_ is not None:
            labels = labelling.read_labels(import_, settings.annotator)
            _tell(labelling.give(opened, labels, limits))
        elif utterance is not None:
            answer = labelling.one(
                utterance, valence, arousal, dominance, emotion, settings.annotator
            )
            _tell(labelling.give(opened, [answer], limits))
        else:
            from streamer.screens.ask import label_by_keys

            label_by_keys(opened, settings.annotator)


@app.command()
def enroll(
    emotion: Annotated[str, typer.Argument(help="Name of the emotion.")],
    files: Annotated[list[str] | None, typer.Argument(help="Recordings of it.")] = None,
    utterances: Annotated[str | None, typer.Option(help="Or utterances heard: ID,ID,...")] = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Teach an emotion by about ten examples; every utterance is compared with it from then on."""
    from streamer import enrolling
    from streamer.app import open_profile
    from streamer.labelling import emotion_name

    settings, name = _settings(config, profile=profile), emotion_name(emotion)
    numbers = enrolling.read_numbers(utterances)
    if not files and not numbers:
        raise UsageError(f"nothing to enroll as {name!r}: give recordings, or --utterances ID,ID")
    with open_profile(settings) as opened:
        count = enrolling.enroll(settings, opened, name, numbers, files or [])
    _tell(f"enrolled {count} utterance{'s' * (count != 1)} as {name}")


@app.command()
def verify(
    files: Annotated[list[str], typer.Argument(help="Recordings to compare.")],
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Name the nearest enrolled emotion of each utterance in recordings. Nothing is stored."""
    from dataclasses import asdict

    from streamer.app import open_profile
    from streamer.enrolling import verify_files
    from streamer.screens.tables import verified_line

    settings = _settings(config, profile=profile)
    with open_profile(settings) as opened:
        for found in verify_files(settings, opened, files):
            _put(asdict(found), verified_line(found), as_json)


@app.command()
def emotions(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """List the enrolled emotions, with their thresholds and error rates."""
    from streamer.app import open_profile
    from streamer.screens.tables import emotion_line
    from streamer.summary import emotion_rows

    with open_profile(_settings(config, profile=profile)) as opened:
        rows = emotion_rows(opened)
    for row in rows:
        _put(row, emotion_line(row), as_json)
    if not rows:
        _tell("no emotion is enrolled; begin with `streamer enroll NAME FILE...`")


@app.command()
def status(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Labels, how well they are predicted, and what the profile takes on disk."""
    from streamer.app import open_profile
    from streamer.screens.tables import status_lines
    from streamer.summary import status_row

    with open_profile(_settings(config, profile=profile)) as opened:
        row = status_row(opened)
    _put(row, status_lines(row), as_json)


@app.command()
def forget(
    utterance: Annotated[int | None, typer.Option(help="One utterance, by its number.")] = None,
    before: Annotated[str | None, typer.Option(help="All heard before a day, YYYY-MM-DD.")] = None,
    emotion: Annotated[str | None, typer.Option(help="An enrolled emotion.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="The whole profile.")] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Delete for good: rows, audio, and what was learned from them."""
    from streamer import rewriting
    from streamer.app import open_profile
    from streamer.labelling import emotion_name

    if sum((utterance is not None, before is not None, emotion is not None, everything)) != 1:
        raise UsageError("forget what? Give one of --utterance, --before, --emotion, --all")
    with open_profile(_settings(config, profile=profile), create=False) as opened:
        if everything:
            opened.take_over_or_fail("streamer forget")
            opened.delete()
            _tell("the profile is gone")
            return
        if emotion is not None:
            count = rewriting.forget_emotion(opened, emotion_name(emotion))
            _tell(f"{count} example{'s' * (count != 1)} of {emotion} forgotten")
            return
        if before is not None:
            count = rewriting.forget_before(opened, before)
        else:
            count = rewriting.forget_utterances(opened, [utterance or 0])
    _tell(f"{count} utterance{'s' * (count != 1)} forgotten, and learned anew without")


@app.command()
def reembed(
    encoder: Annotated[str | None, typer.Option(help="The encoder to change to [default].")] = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Carry a profile over to another encoder, as far as its audio is still to be had."""
    from rich.progress import Progress

    from streamer.app import open_profile
    from streamer.rewriting import reembed as carry_over

    settings = _settings(config, profile=profile, encoder=encoder)
    with open_profile(settings) as opened, Progress(transient=True) as bar:
        task = bar.add_task("re-embedding")
        found = carry_over(
            settings, opened, lambda done, of: bar.update(task, completed=done, total=of)
        )
    _tell(
        f"{found.carried} utterances carried over, {found.lost} without audio left behind with "
        f"{found.lost_labels} labels; the profile as it was: {found.copy}"
    )


@app.command()
def models(
    what: Annotated[str, typer.Argument(help="list, or verify.")] = "list",
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """List the encoders, or verify their files against the manifest."""
    from dataclasses import asdict

    from streamer.encoder.registry import known_encoders, verify_files
    from streamer.screens.tables import model_lines

    if what not in ("list", "verify"):
        raise UsageError(f"models {what}: this version knows `list` and `verify`")
    for row in known_encoders(_settings(config).models):
        if what == "verify":
            verify_files(row)
        plain = {k: v for k, v in asdict(row).items() if k != "folder"}
        _put(plain, model_lines(row, verified=what == "verify"), as_json)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"streamer {__version__}")
        raise typer.Exit


@app.callback()
def _all(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


def _settings(config: Path | None, **flags: Any) -> "Config":
    from streamer.config import Config

    return Config.load(config, **{name: value for name, value in flags.items() if value != ""})


def _screen(as_json: bool) -> Any:
    if as_json:
        from streamer.screens.lines import JsonLines

        return JsonLines()
    if sys.stdout and sys.stdout.isatty() and sys.stdout.encoding.lower().startswith("utf"):
        from streamer.screens.panel import LivePanel

        return LivePanel()
    from streamer.screens.lines import PlainLines

    return PlainLines()


def _put(row: dict[str, Any], line: str, as_json: bool) -> None:
    print(json.dumps(row, ensure_ascii=False) if as_json else line, flush=True)


def _tell(text: str) -> None:
    print(text, file=sys.stderr)

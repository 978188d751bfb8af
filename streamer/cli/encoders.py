"""The verb `models`, with verbs of its own: list, verify, add, export."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamer.cli.options import AsJson, ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put, tell
from streamer.errors import UsageError

if TYPE_CHECKING:
    from streamer.config import Config

models = typer.Typer(help="List the encoders, verify their files, add others.")

NameFlag = Annotated[str | None, typer.Option("--name", help="What to call it here.")]
LicenceFlag = Annotated[str | None, typer.Option("--licence", help="Licence of its weights.")]
CommercialFlag = Annotated[
    bool, typer.Option("--commercial-use", help="That licence allows commercial use.")
]
SpeechFlag = Annotated[
    str | None,
    typer.Option(
        "--speech", help="Recordings that give the scale of its outputs [synthetic voices]."
    ),
]


@models.callback(invoke_without_command=True)
def _list_unless_told(
    context: typer.Context,
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    if context.invoked_subcommand is None:
        list_(as_json, profile, config, verbose)


@models.command("list")
def list_(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """List the encoders: licence, commercial use, sizes; * marks the default.

    And the maps between them, by which `reembed` carries utterances without audio.
    """
    from streamer.encoders.registry import known_encoders
    from streamer.encoders.vector_map import maps
    from streamer.terminal.tables import map_line, model_lines

    own = settings_from(config).models
    rows, found = known_encoders(own), list(maps(own))
    for row in rows:
        from_others = [one.source for one in found if one.target == row.sha256]
        put({**_plain(row), "maps_from": from_others}, model_lines(row, verified=False), as_json)
    if not as_json:
        for one in found:
            put({}, map_line(one, {row.sha256: row.name for row in rows}), as_json)


@models.command()
def verify(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Verify the encoders' files against the manifest."""
    from streamer.encoders.registry import known_encoders, verify_files
    from streamer.terminal.tables import model_lines

    for row in known_encoders(settings_from(config).models):
        verify_files(row)
        put(_plain(row), model_lines(row, verified=True), as_json)


@models.command()
def add(
    file: Annotated[
        Path | None, typer.Argument(help="ONNX: a waveform in, one vector an utterance out.")
    ] = None,
    prior: Annotated[
        Path | None,
        typer.Option(
            help="Instead of FILE: a prior of `streamer fleet prior` for an encoder that is here; "
            "new profiles start from it. --name keeps the encoder's own beside it."
        ),
    ] = None,
    name: NameFlag = None,
    licence: LicenceFlag = None,
    commercial_use: CommercialFlag = False,
    embedding: Annotated[str | None, typer.Option(help="Output for the learner.")] = None,
    emotion: Annotated[
        str | None, typer.Option(help="Output for enrolment [the embedding].")
    ] = None,
    description: Annotated[str, typer.Option(help="A line for `models list`.")] = "",
    speech: SpeechFlag = None,
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Measure an ONNX encoder and add it to your own models; or give one another prior."""
    from streamer.cli.add_encoder import add as add_file
    from streamer.encoders.import_onnx import NOT_STATED, Statement

    if (file is None) == (prior is None):
        raise UsageError("give one of both: an ONNX file, or a prior with --prior")
    if file is None or prior is not None:
        _add_prior(settings_from(config), prior or Path(), name, as_json)
        return
    statement = Statement(
        name or file.stem, licence or NOT_STATED, commercial_use, description,
        embedding=embedding, emotion=emotion,
    )  # fmt: skip
    _show_added(*add_file(settings_from(config), file, statement, speech), as_json)


def _add_prior(settings: "Config", file: Path, name: str | None, as_json: bool) -> None:
    from streamer.encoders.import_prior import add_prior
    from streamer.terminal.tables import model_lines

    row = add_prior(file, settings.models, name)
    put(_plain(row), model_lines(row, verified=True), as_json)
    tell(f"{row.name}: new profiles start from {file}; those that exist keep their prior")


@models.command()
def export(
    checkpoint_name: Annotated[
        str, typer.Argument(metavar="NAME", help="A preset, or OWNER/NAME on Hugging Face.")
    ],
    layer: Annotated[int | None, typer.Option(help="Cut after this block, from 1.", min=1)] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="FIRST-LAST: the mean of these blocks' outputs, such as 1-12."),
    ] = None,
    pooling: Annotated[str, typer.Option(help="mean, or mean+deviation.")] = "mean",
    checkpoint: Annotated[
        Path | None, typer.Option(help="A folder with its files, instead of the hub.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Models folder to write into [your own].")
    ] = None,
    name: NameFlag = None,
    licence: LicenceFlag = None,
    commercial_use: CommercialFlag = False,
    speech: SpeechFlag = None,
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Convert a wav2vec2, HuBERT, WavLM or Whisper checkpoint and add it to your own models."""
    from dataclasses import replace
    from tempfile import TemporaryDirectory

    from streamer.cli.add_encoder import add as add_file
    from streamer.cli.extras import training_module
    from streamer.encoders.import_onnx import check_name

    settings = settings_from(config, models=out)
    check_name(name or checkpoint_name.rsplit("/", 1)[-1], settings.models)
    blocks = _blocks(layers)
    hub = training_module("hub.checkpoint")
    with TemporaryDirectory(prefix="streamer-export-") as folder:
        file, statement = hub.export_checkpoint(
            checkpoint_name,
            Path(folder),
            layer=layer,
            layers=blocks,
            pooling=pooling,
            checkpoint=checkpoint,
        )
        if name:
            statement = replace(statement, name=name)
        if licence:
            statement = replace(statement, licence=licence, commercial_use=commercial_use)
        _show_added(*add_file(settings, file, statement, speech), as_json)


def _blocks(text: str | None) -> tuple[int, int] | None:
    """FIRST-LAST as two numbers. Raises UsageError."""
    if text is None:
        return None
    first, dash, last = text.partition("-")
    if not (dash and first.isdecimal() and last.isdecimal()):
        raise UsageError(f"--layers {text}: give the first block and the last, such as 1-12")
    return int(first), int(last)


def _plain(row: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(row), "folder": str(row.folder)}


def _show_added(row: Any, found: Any, as_json: bool) -> None:
    from streamer.terminal.tables import added_line, model_lines

    put({**_plain(row), "latency_ms": found.latency_ms}, model_lines(row, verified=True), as_json)
    tell(added_line(row, found))

"""The verb that fits the encoder to a voice, a room, a language: tune."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streamer.cli.options import AsJson, ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put, tell
from streamer.errors import EncoderError, UsageError

if TYPE_CHECKING:
    from streamer.config import Config
    from streamer.encoders.registry import EncoderRow
    from streamer.store.profile import Profile

NAME = "tuned"


def tune(
    speech: Annotated[
        Path | None,
        typer.Option(help="A folder of recordings of this voice, beside the profile's audio."),
    ] = None,
    steps: Annotated[int, typer.Option(help="Of the pretraining.", min=1)] = 500,
    labels: Annotated[
        bool | None,
        typer.Option("--labels/--no-labels", help="Learn from answers [where there are 40]."),
    ] = None,
    head: Annotated[
        bool,
        typer.Option(
            "--head", help="The map to emotion vectors alone, on enrolled clips; needs --with."
        ),
    ] = False,
    with_corpus: Annotated[
        str | None,
        typer.Option(
            "--with", help="PLACE or PLACE:NAME of a labelled corpus that must not be lost."
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="What to call the tuned encoder.")] = NAME,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be learned from, and stop.")
    ] = False,
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Train the encoder further on this profile's audio and answers; kept only if it is better.

    Nothing leaves this machine. Ctrl-C loses nothing: the same command goes on.
    """
    from streamer.encoders.import_onnx import check_name
    from streamer.loop.compose import open_profile

    settings = settings_from(config, profile=profile)
    check_name(name, settings.models)
    with open_profile(settings, create=False) as opened:
        if opened.is_empty():
            raise UsageError(f"profile {opened.folder.name!r} is empty: run `streamer run` first")
        row = _encoder(settings, opened)
        _training("tune.job")  # says what is missing before anything is read
        if head:
            if speech is not None or labels is not None:
                raise UsageError(
                    "--head learns from enrolled clips: leave --speech and --labels out"
                )
            found = _tuned_head(settings, opened, row, with_corpus, name, dry_run)
        else:
            found = _tuned(settings, opened, row, speech, steps, labels, with_corpus, name, dry_run)
    if found is None:
        return
    words = str(found)
    put({"name": name, **found.row()}, words, as_json)
    if found.keeps:
        tell(f"kept as {name}: carry the profile over with `streamer reembed --encoder {name}`")
    else:
        tell(f"not kept, and deleted: not better on what was held out ({words})")


def _tuned(
    settings: "Config",
    opened: "Profile",
    row: "EncoderRow",
    speech: Path | None,
    steps: int,
    labels: bool | None,
    with_corpus: str | None,
    name: str,
    dry_run: bool,
) -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeToGo

    job, clips = _training("tune.job"), _training("tune.tuning_set")
    found = clips.from_profile(opened)
    if speech is not None:
        found.clips.extend(clips.from_folder(speech).clips)
    clips.check_enough(
        found,
        clips.LEAST_SPEECH_S,
        "record more with `streamer run --privacy everything`, or give --speech a folder",
    )
    job.check_answers(found)
    plan = job.TuningPlan(
        settings.models,
        name,
        _training("tune.pretraining").TaptRecipe(steps=steps, seed=settings.seed),
        _training("tune.answers").AnswerRecipe(seed=settings.seed),
        labels,
    )
    training = len(job.training_clips(found, labels))
    tell(
        f"{found.speech_s / 60:.1f} minutes of speech in {len(found.clips)} clips; "
        f"{len(found.answered)} of them answered, of which {training} are learned from and the "
        f"newest {job.held_out_count(len(found.answered))} judge; from encoder {row.name}"
    )
    if dry_run:
        return None
    corpus = None if with_corpus is None else _training("tune.corpus").measure_of(with_corpus)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeToGo())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        return job.tune(row, found, plan, progress, corpus)


def _tuned_head(
    settings: "Config",
    opened: "Profile",
    row: "EncoderRow",
    with_corpus: str | None,
    name: str,
    dry_run: bool,
) -> Any:
    from streamer.loop.compose import make_encoder

    if with_corpus is None:
        raise UsageError("--head joins your emotions with a corpus's: give --with PLACE")
    vectors, learning = _training("joint.vectors"), _training("joint.head")
    own = vectors.enrolled_vectors(opened)
    tell(f"{len(own.emotions)} enrolled clips of {', '.join(sorted(set(own.emotions)))}")
    if dry_run:
        return None
    rich = vectors.corpus_vectors(
        with_corpus, make_encoder(settings, row.name), settings.models / f".embedding-{name}"
    )
    recipe = learning.HeadTuning(seed=settings.seed)
    found = learning.judge_head(rich, own, recipe)
    if found.keeps:
        matrix = learning.tune_head(rich, own, recipe)
        _training("joint.write_head").write_head(row, matrix, settings.models, name)
    return found


def _encoder(settings: "Config", opened: "Profile") -> "EncoderRow":
    """The one that the profile is of. Raises EncoderError where it is not here any more."""
    from streamer.encoders.registry import find_encoder

    row = find_encoder(opened.meta("encoder") or "", settings.models)
    if row.sha256 != opened.meta("encoder_sha256"):
        raise EncoderError(
            f"the profile is of another encoder {row.name!r} than the one that is here: "
            "carry it over with `streamer reembed` first"
        )
    return row


def _training(name: str) -> Any:
    """A module of the training code. Raises UsageError where torch is not installed."""
    from streamer.cli.extras import training_module

    try:
        return training_module(name)
    except EncoderError as error:
        raise UsageError(str(error)) from error

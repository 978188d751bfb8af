"""Verbs for a whole profile: status, forget, reembed."""

from typing import Annotated

import typer

from streamer.cli.options import AsJson, ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put, tell
from streamer.errors import UsageError
from streamer.text import many


def status(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Labels, how well they are predicted, and the size of the profile."""
    from streamer.loop.compose import known_profile
    from streamer.profiles.status import status_row
    from streamer.terminal.tables import status_lines

    with known_profile(settings_from(config, profile=profile), tell) as opened:
        row = status_row(opened)
    put(row, status_lines(row), as_json)


def forget(
    utterance: Annotated[int | None, typer.Option(help="One utterance, by its number.")] = None,
    before: Annotated[
        str | None, typer.Option(help="All utterances before a day, YYYY-MM-DD.")
    ] = None,
    emotion: Annotated[str | None, typer.Option(help="An enrolled emotion.")] = None,
    audio: Annotated[
        bool, typer.Option("--audio", help="All audio; what was learned stays.")
    ] = False,
    everything: Annotated[bool, typer.Option("--all", help="The whole profile.")] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Delete permanently: rows, audio, and what was learned from them."""
    from streamer.encoders.registry import known_encoders
    from streamer.loop.compose import existing_folder, open_profile
    from streamer.profiles import forget as forgetting
    from streamer.store.deletion import delete_profile
    from streamer.text import emotion_name

    chosen = (utterance is not None, before is not None, emotion is not None, audio, everything)
    if sum(chosen) != 1:
        raise UsageError(
            "forget what? Give exactly one of --utterance, --before, --emotion, --audio, --all"
        )
    settings = settings_from(config, profile=profile)
    if everything:
        delete_profile(existing_folder(settings))
        tell("the profile was deleted")
        for row in known_encoders(settings.models):
            if row.is_tuned:
                tell(f"encoder {row.name}, tuned on a profile, is still there: {row.path}")
        return
    with open_profile(settings, create=False) as opened:
        if audio:
            tell(f"{many(forgetting.forget_audio(opened), 'clip')} deleted")
            return
        if emotion is not None:
            count = forgetting.forget_emotion(opened, emotion_name(emotion))
            tell(f"{many(count, 'example')} of {emotion} deleted")
            return
        if before is not None:
            count = forgetting.forget_before(opened, before)
        else:
            count = forgetting.forget_utterances(opened, [utterance or 0])
    tell(f"{many(count, 'utterance')} deleted; the rest was relearned")


def reembed(
    encoder: Annotated[str | None, typer.Option(help="The encoder to change to [default].")] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also if utterances without audio are left behind.")
    ] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Carry a profile over to another encoder.

    Audio that is kept is embedded anew. The vectors of an utterance without audio are mapped, where
    there is a map between the two encoders (`streamer models`), and marked as such.
    """
    from rich.console import Console
    from rich.progress import Progress

    from streamer.loop.compose import open_profile
    from streamer.profiles.reembed import reembed as carry_over

    settings = settings_from(config, profile=profile, encoder=encoder)
    console = Console(stderr=True)
    with (
        open_profile(settings, create=False) as opened,
        Progress(console=console, transient=True) as bar,
    ):
        task = bar.add_task("re-embedding")
        found = carry_over(
            settings,
            opened,
            lambda done, of: bar.update(task, completed=done, total=of),
            losing=yes,
        )
    if found.mapped and found.map is not None:
        tell(
            f"{many(found.mapped, 'utterance')} without audio carried over by a learned map of the "
            f"vectors: an estimate (explained variance {found.map.explained:.2f}, cosine of the "
            f"emotion vectors {found.map.cosine:.2f} on other voices), marked in the profile"
        )
    tell(
        f"{many(found.carried, 'utterance')} carried over, {found.lost:,} without audio left "
        f"behind with {many(found.lost_labels, 'label')}; copy of the old profile: {found.copy}"
    )

"""Verbs for enrolled emotions: enroll, verify, emotions."""

import sys
from typing import Annotated

import typer

from streamer.cli.options import AsJson, ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put, tell
from streamer.errors import UsageError
from streamer.text import many


def enroll(
    emotion: Annotated[str, typer.Argument(help="Name of the emotion.")],
    files: Annotated[list[str] | None, typer.Argument(help="Recordings of it.")] = None,
    utterances: Annotated[
        str | None, typer.Option(help="Or utterances of the profile: ID,ID,...")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Also if they sound like another emotion.")
    ] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Enroll an emotion by about ten examples; later utterances are compared with it."""
    from streamer.annotation import enrolment as enrolling
    from streamer.loop.compose import known_profile, open_profile
    from streamer.text import emotion_name

    settings, name = settings_from(config, profile=profile), emotion_name(emotion)
    numbers = enrolling.read_numbers(utterances)
    if not files and not numbers:
        raise UsageError(f"nothing to enroll as {name!r}: give recordings, or --utterances ID,ID")
    with open_profile(settings) if files else known_profile(settings, tell) as opened:
        count = enrolling.enroll(
            settings, opened, name, numbers, files or [], tell, lambda doubt: yes or _sure(doubt)
        )
        more = enrolling.advice(opened, name)
    tell(f"enrolled {many(count, 'utterance')} as {name}" + (f"; {more}" if more else ""))


def _sure(doubt: str) -> bool:
    """Somebody at a terminal is asked; a program's clips are enrolled, and it is told."""
    if sys.stdin.isatty():
        return typer.confirm(f"{doubt}. Enroll them all the same?", err=True)
    tell(f"{doubt}: `streamer forget --emotion NAME` takes them back")
    return True


def verify(
    files: Annotated[list[str], typer.Argument(help="Recordings to compare.")],
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Name the nearest enrolled emotion of each utterance in recordings. Nothing is stored."""
    from dataclasses import asdict

    from streamer.annotation.enrolment import verify_files
    from streamer.loop.compose import known_profile
    from streamer.terminal.tables import verified_line

    settings = settings_from(config, profile=profile)
    with known_profile(settings, tell) as opened:
        for found in verify_files(settings, opened, files, tell):
            put(asdict(found), verified_line(found), as_json)


def emotions(
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """List the enrolled emotions, with their thresholds and error rates."""
    from streamer.loop.compose import known_profile
    from streamer.profiles.status import emotion_rows
    from streamer.terminal.tables import emotion_line

    with known_profile(settings_from(config, profile=profile), tell) as opened:
        rows = emotion_rows(opened)
    for row in rows:
        put(row, emotion_line(row), as_json)
    if not rows:
        tell("no emotion is enrolled; start with `streamer enroll NAME FILE...`")

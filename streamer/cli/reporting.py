"""The verbs report and note."""

import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Final

import typer

from streamer.cli.options import ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import tell
from streamer.errors import UsageError

_PAGES: Final = (".html", ".htm")
SHEETS: Final = (".png",)


def report(
    out: Annotated[Path | None, typer.Option("--out", help="The page to write, FILE.html.")] = None,
    png: Annotated[
        Path | None, typer.Option("--png", help="Its charts as one image, FILE.png.")
    ] = None,
    session: Annotated[
        int | None, typer.Option(help="Only this session, by number; -1 is the last one.")
    ] = None,
    week: Annotated[
        bool, typer.Option("--week", help="Only the last seven days, as a diary.")
    ] = False,
    day: Annotated[bool, typer.Option("--day", help="Only today, as a diary.")] = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Write one page about a profile: utterances, labels, learning curves, intervals."""
    if out is None and png is None:
        raise UsageError("nothing to write: give --out FILE.html, --png FILE.png, or both")
    if sum((week, day, session is not None)) > 1:
        raise UsageError("--week, --day and --session exclude each other: give one of them")
    check_name(out, "--out", _PAGES)
    check_name(png, "--png", SHEETS)
    from streamer.loop.compose import known_profile
    from streamer.report.diary import WEEK_DAYS, first_moment
    from streamer.report.record import read_record

    settings = settings_from(config, profile=profile)
    shown = WEEK_DAYS if week else 1 if day else None
    since = None if shown is None else first_moment(shown, time.time())
    with ExitStack() as files:
        # Both are opened first, so that one is not written where the other cannot be.
        page_file = None if out is None else files.enter_context(PrivateFile(out))
        sheet_file = None if png is None else files.enter_context(PrivateFile(png))
        with known_profile(settings, tell) as opened:
            record = read_record(opened, session, settings.blind, since)
        if page_file is not None:
            from streamer.report.page import page

            page_file.finish(page(record, settings, time.time()).encode())
        if sheet_file is not None:
            from streamer.report.poster import poster

            sheet_file.finish(poster(record))


def note(
    utterance: Annotated[int, typer.Argument(help="Number of an utterance.")],
    text: Annotated[str, typer.Argument(help='What to note; "" deletes the note.')],
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Note something about an utterance, for its report; nothing is learned from it."""
    from streamer.loop.compose import open_profile
    from streamer.text import note_text

    words = note_text(text)
    with open_profile(settings_from(config, profile=profile), create=False) as opened:
        opened.utterances.get(utterance)  # raises NotFound
        opened.notes.put(utterance, words, time.time())
    tell(f"noted of utterance {utterance}" if words else f"no note of utterance {utterance}")


class PrivateFile:
    """A file of mode 0600 that gets its name once it is complete, or leaves nothing behind.

    Raises UsageError where it cannot be written, as early as possible.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            if path.is_dir():
                raise UsageError(f"cannot write {path}: it is a folder: name another file")
            os.close(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise self._unwritten(error) from error

    def __enter__(self) -> "PrivateFile":
        return self

    def __exit__(self, *error: object) -> None:
        self._part.unlink(missing_ok=True)

    def finish(self, content: bytes) -> None:
        try:
            self._part.write_bytes(content)
            self._part.replace(self._path)
        except OSError as error:
            raise self._unwritten(error) from error
        tell(f"wrote {self._path} ({len(content) / 1000:.0f} kB)")

    def _unwritten(self, error: OSError) -> UsageError:
        return UsageError(f"cannot write {self._path}: {error.strerror}: name another file")


def check_name(path: Path | None, option: str, endings: tuple[str, ...]) -> None:
    """Raises UsageError for another ending, so that a typing error overwrites no profile."""
    if path is not None and path.suffix.lower() not in endings:
        raise UsageError(f"{option} {path}: give a name that ends in {' or '.join(endings)}")

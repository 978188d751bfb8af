"""Text helpers: counts in sentences, file names as text, and escaping for screens.

A file's name may hold any bytes: Python reads those that are not UTF-8 as surrogates, which no
database, page or terminal takes. `path_text` is the name as text, `path_of` its inverse. Names may
also contain terminal control sequences: `printable` and `json_line` escape them, and all output
passes through one of them.
"""

import json
import os
import re
import unicodedata
from pathlib import Path
from typing import Any, Final

from streamer.errors import UsageError

LONGEST_NAME: Final = 64
LONGEST_NOTE: Final = 500
# C0, DEL and C1 controls, line and paragraph separators, marks that reorder text, surrogates.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_USUAL_ESCAPES: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED_BYTE: Final = re.compile(rb"\\x([89a-f][0-9a-f])")


def many(count: int, thing: str) -> str:
    """
    >>> many(1, "label"), many(0, "label"), many(1_200, "oldest clip")
    ('1 label', '0 labels', '1,200 oldest clips')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def printable(text: str) -> str:
    """Text on one line, with control characters escaped.

    >>> print(printable("red \\x1b[31m, bell \\x07, next\\nline, Latin-1 caf\\udce9"))
    red \\x1b[31m, bell \\x07, next\\nline, Latin-1 caf\\xe9
    """
    return _UNSAFE.sub(_escape, text)


def json_line(value: Any) -> str:
    """JSON on one line, readable, and as safe on a screen as `printable` text.

    >>> json_line({"é": "\\x1b[0m\\x9b0m"})
    '{"é": "\\\\u001b[0m\\\\u009b0m"}'
    """
    # All that is left to escape stands inside strings.
    return _UNSAFE.sub(
        lambda found: f"\\u{ord(found.group()):04x}", json.dumps(value, ensure_ascii=False)
    )


def path_text(path: str | Path) -> str:
    """A path as text: a byte that is not UTF-8 as \\xNN.

    >>> path_text("caf\\udce9.wav"), path_text("café.wav")
    ('caf\\\\xe9.wav', 'café.wav')
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def path_of(text: str) -> Path:
    """The inverse of `path_text`; of two possible paths, the one that exists.

    >>> os.fsencode(path_of("caf\\\\xe9.wav"))
    b'caf\\xe9.wav'
    """
    path = Path(text)
    in_bytes = text.encode("utf-8", "surrogateescape")
    if not _ESCAPED_BYTE.search(in_bytes) or path.exists():
        return path
    raw = _ESCAPED_BYTE.sub(lambda found: bytes.fromhex(found[1].decode()), in_bytes)
    return Path(os.fsdecode(raw))


def emotion_name(name: str) -> str:
    """A normalized name: NFC, trimmed, in lower case. Raises UsageError.

    >>> emotion_name("  Quiet  JOY ")
    'quiet joy'
    """
    return unicodedata.normalize("NFC", _kept(name, " ".join(name.split()), "emotion").lower())


def annotator_name(name: str) -> str:
    """A normalized name: NFC, trimmed. Raises UsageError."""
    return _kept(name, name.strip(), "annotator")


def marker_name(name: str) -> str:
    """What an event marker says: NFC, trimmed. Raises UsageError."""
    return _kept(name, " ".join(name.split()), "marker")


def note_text(text: str) -> str:
    """A note: NFC, trimmed, on one line; "" for none. Raises UsageError.

    >>> note_text(" after the\\n meeting ")
    'after the meeting'
    """
    kept = unicodedata.normalize("NFC", " ".join(text.split()))
    if len(kept) > LONGEST_NOTE or not kept.isprintable():
        raise UsageError(f"note {kept[:40]!r}: give up to {LONGEST_NOTE} printable characters")
    return kept


def _kept(name: str, trimmed: str, what: str) -> str:
    kept = unicodedata.normalize("NFC", trimmed)
    if not 0 < len(kept) <= LONGEST_NAME or not kept.isprintable():
        raise UsageError(
            f"{what} {name!r}: give a name of 1 to {LONGEST_NAME} printable characters"
        )
    return kept


def _escape(found: re.Match[str]) -> str:
    letter = found.group()
    code = ord(letter)
    if 0xDC80 <= code <= 0xDCFF:  # a byte, as Python reads file names
        return f"\\x{code - 0xDC00:02x}"
    return _USUAL_ESCAPES.get(letter) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")

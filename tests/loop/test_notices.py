"""One list of the kinds of notices: the code's, the types' and the documentation's."""

import ast
import re
from pathlib import Path
from typing import get_args

import streamer
from streamer.loop.notices import NOTICE_KINDS
from streamer.types import NoticeKind

PACKAGE = Path(streamer.__file__).parent
REFERENCE = PACKAGE.parent / "docs" / "reference" / "events.md"
# Scripts of others wait for these.
PROMISED = {
    "silent_input", "low_level", "clipping", "offset", "hum", "noise", "channels", "undecoded",
    "skipped_file", "already_heard", "playback", "encoder_slow", "drift", "privacy", "licence",
}  # fmt: skip


def test_the_documentation_lists_every_kind_in_the_same_words() -> None:
    row = re.compile(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \|$", re.M)
    rows = row.findall(REFERENCE.read_text("utf-8"))
    listed = {kind: tuple(words) for kind, *words in rows if kind in NOTICE_KINDS}
    assert list(listed) == list(NOTICE_KINDS)
    assert listed == {k: (one.found, one.done, one.remedy) for k, one in NOTICE_KINDS.items()}


def test_the_types_know_the_same_kinds() -> None:
    assert get_args(NoticeKind) == tuple(NOTICE_KINDS)
    assert set(NOTICE_KINDS) >= PROMISED


def test_no_kind_is_listed_that_nothing_tells() -> None:
    """Each occurs as a text of its own somewhere in the code beside the list."""
    texts = {
        node.value
        for path in PACKAGE.rglob("*.py")
        if path.name not in ("notices.py", "types.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(NOTICE_KINDS) - texts == set()

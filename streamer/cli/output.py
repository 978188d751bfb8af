"""What a verb prints: rows to standard output, text for people to standard error."""

import sys
from typing import TYPE_CHECKING, Any

from streamer.text import json_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from streamer.loop.sinks import Sink


def put(row: dict[str, Any], words: "str | Sequence[str]", as_json: bool) -> None:
    """One row on standard output: as a JSON object, or as text, one line or several."""
    lines = [words] if isinstance(words, str) else words
    print(json_line(row) if as_json else "\n".join(map(printable, lines)), flush=True)


def tell(text: str) -> None:
    """A message on standard error."""
    print(printable(text), file=sys.stderr)


def output_for(
    as_json: bool,
    *,
    blind: bool = True,
    address: "Callable[[], str | None]" = lambda: None,
    sounds: "Callable[[int], str]" = lambda utterance: "",
) -> "Sink":
    """JSON lines, else the live panel on a terminal that can draw it, else plain lines.

    blind: the panel hides what is predicted of open questions; address: where pages are served,
    which the panel shows; sounds: how an utterance differs from the usual, in words.
    """
    if as_json:
        from streamer.terminal.lines import JsonLines

        return JsonLines()
    if sys.stdout and sys.stdout.isatty() and sys.stdout.encoding.lower().startswith("utf"):
        from streamer.terminal.panel import LivePanel

        return LivePanel(blind=blind, address=address, sounds=sounds)
    from streamer.terminal.lines import PlainLines

    return PlainLines()

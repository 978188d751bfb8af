"""What a verb prints: rows to standard output, text for people to standard error."""

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamer.loop.sinks import Sink


def put(row: dict[str, Any], line: str, as_json: bool) -> None:
    """One row on standard output: as a JSON object, or as text."""
    print(json.dumps(row, ensure_ascii=False) if as_json else line, flush=True)


def tell(text: str) -> None:
    """A message on standard error."""
    print(text, file=sys.stderr)


def output_for(as_json: bool) -> "Sink":
    """JSON lines, else the live panel on a terminal that can draw it, else plain lines."""
    if as_json:
        from streamer.terminal.lines import JsonLines

        return JsonLines()
    if sys.stdout and sys.stdout.isatty() and sys.stdout.encoding.lower().startswith("utf"):
        from streamer.terminal.panel import LivePanel

        return LivePanel()
    from streamer.terminal.lines import PlainLines

    return PlainLines()

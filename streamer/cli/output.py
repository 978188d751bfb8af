"""Where a verb's words go: rows to standard output, people's text to standard error."""

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from streamer.config import Config
    from streamer.loop.run import Screen


def put(row: dict[str, Any], line: str, as_json: bool) -> None:
    """One row on standard output: as a JSON object, or in words."""
    print(json.dumps(row, ensure_ascii=False) if as_json else line, flush=True)


def tell(text: str) -> None:
    """A sentence for people, on standard error."""
    print(text, file=sys.stderr)


def logged(screen: "Screen", path: "Path | None") -> "Screen":
    """The same screen, and a log of what somebody should know, where a file is named."""
    if path is None:
        return screen
    import time

    from streamer.terminal.log_file import LogFile

    return LogFile(screen, path, time.monotonic)


def told_to_broker(screen: "Screen", settings: "Config") -> "Screen":
    """The same screen, and the broker that the settings name, where they do. Raises UsageError."""
    if settings.mqtt is None:
        return screen
    import time

    from streamer.mqtt.broker import Broker
    from streamer.mqtt.publishing import Publishing
    from streamer.store.profile import profile_folder

    password = settings.mqtt_password
    broker = Broker.parse(
        settings.mqtt, settings.mqtt_user, password.get_secret_value() if password else None
    )
    folder = profile_folder(settings.profile, settings.home)
    return Publishing(screen, broker, folder.name, time.time, time.monotonic)


def screen_for(as_json: bool) -> "Screen":
    """JSON lines, else the live panel on a terminal that can draw it, else plain lines."""
    if as_json:
        from streamer.terminal.lines import JsonLines

        return JsonLines()
    if sys.stdout and sys.stdout.isatty() and sys.stdout.encoding.lower().startswith("utf"):
        from streamer.terminal.panel import LivePanel

        return LivePanel()
    from streamer.terminal.lines import PlainLines

    return PlainLines()

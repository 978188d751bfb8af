"""One result of a check."""

from dataclasses import dataclass
from typing import Literal

from streamer.errors import StreamerError

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """check: its name; said: the result; remedy: what to do, or "".

    state "fail": `streamer run` would end with `exit_code`; "warn": it runs, but with a limitation.
    """

    check: str
    state: State
    said: str
    remedy: str = ""
    exit_code: int = 0


def ok(check: str, said: str) -> Finding:
    return Finding(check, "ok", said)


def warn(check: str, said: str, remedy: str = "") -> Finding:
    return Finding(check, "warn", said, remedy)


def fail(check: str, error: StreamerError, remedy: str = "") -> Finding:
    """An error that would end the run; remedy may be "" where the message contains one."""
    return Finding(check, "fail", str(error), remedy, error.exit_code)

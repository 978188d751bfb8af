"""One line of the doctor's."""

from dataclasses import dataclass
from typing import Literal

from streamer.errors import StreamerError

State = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """check: what was looked at; said: what was found; remedy: what to do about it, or "".

    fail: `streamer run` will not work as it stands, and exit_code says of what kind that is; warn:
    it works, but not as well as it could.
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
    """What would end the run; where its own words hold the remedy, none is given."""
    return Finding(check, "fail", str(error), remedy, error.exit_code)

"""The log of a run that nobody watches: what it keeps, and what it must not."""

import stat
from pathlib import Path

import pytest

from streamer.errors import UsageError
from streamer.events import Ended, Heard, Noticed, Selected, Started, Status
from streamer.terminal import log_file
from streamer.terminal.log_file import KEPT, LogFile
from streamer.types import Estimate, Prediction, Quality, Verdict

GUESS = Estimate(0.25, -0.5, 0.75)
HEARD = Heard(
    17, "headset", 1.0, 2.0, Prediction(GUESS, GUESS, GUESS), Verdict("grumblish", 0.2, {}), -0.1,
    Quality(-20.0, 30.0, False), 9.5,
)  # fmt: skip
ENDED = Ended(16_000, 8_000, 8_000, {}, 1, 0, 1, 1.0, 0.1)


def status() -> Status:
    return Status(-40.0, False, (1, 10), 3, 7, 21, 3600.0, {"overflow": 5}, 0.02)


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "state" / "logs" / "streamer.log"


def test_starts_notices_and_ends_are_kept_and_what_was_said_is_not(log, clock):
    written = LogFile(log, lambda: clock[0])
    events = [
        Started("0", "kitchen", {"name": "made"},
                {"kind": "microphone", "name": "headset", "rate_hz": 16_000, "channels": 1}),
        HEARD,
        Selected(1, "random", "", [17], []),
        Noticed("the microphone is back"),
        ENDED,
    ]  # fmt: skip
    for event in events:
        written.emit(event)
    lines = log.read_text().splitlines()
    assert len(lines) == 3
    assert "the microphone is back" in lines[1]
    assert "16,000 captured" in lines[2]
    assert "grumblish" not in log.read_text()
    assert "0.25" not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_an_hour_is_a_line(log, clock):
    written = LogFile(log, lambda: clock[0])
    for clock[0] in (10.0, 3599.0, 3600.0, 3700.0, 7200.0):
        written.tick(status)
    assert len(log.read_text().splitlines()) == 2
    assert "5 samples dropped" in log.read_text()


def test_weeks_of_notices_take_no_more_than_they_may(log, clock, monkeypatch):
    monkeypatch.setattr(log_file, "LARGEST_BYTES", 2_000)
    written = LogFile(log, lambda: clock[0])
    for number in range(1_000):
        written.emit(Noticed(f"notice {number}"))
    files = sorted(log.parent.iterdir())
    assert [file.name for file in files] == [
        log.name,
        *(f"{log.name}.{n + 1}" for n in range(KEPT)),
    ]
    assert all(file.stat().st_size < 2_100 for file in files)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert "notice 999" in log.read_text()
    kept = "".join(file.read_text() for file in reversed(files))
    numbers = [int(line.rsplit(" ", 1)[1]) for line in kept.splitlines()]
    assert numbers == list(range(numbers[0], 1_000))


def test_a_log_that_can_no_longer_be_written_does_not_end_the_run(log, clock):
    written = LogFile(log, lambda: clock[0])
    log.unlink()
    log.mkdir()
    written.emit(Noticed("something"))


def test_a_log_that_was_deleted_starts_anew(log, clock):
    written = LogFile(log, lambda: clock[0])
    written.emit(Noticed("before"))
    log.unlink()
    written.emit(Noticed("after"))
    assert "after" in log.read_text()
    assert "before" not in log.read_text()


@pytest.mark.parametrize("place", [".", "file/a.log"])
def test_a_log_that_can_never_be_written_is_refused(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="cannot be written"):
        LogFile(tmp_path / place, lambda: 0.0)

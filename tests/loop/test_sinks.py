"""Events to several places: one that fails is left out, and without an output the run stops."""

import os

import pytest

from streamer.events import Ended, Event, Noticed, Started, Status
from streamer.loop.sinks import Sinks

STARTED = Started("0", "kitchen", {"name": "made"}, {"kind": "file", "name": "a.wav"})
ENDED = Ended(16_000, 8_000, 8_000, {}, 1, 0, 1, 1.0, 0.1)


class Recorder:
    def __init__(self, name: str = "recorder", fails: Exception | None = None) -> None:
        self.name = name
        self.fails = fails
        self.events: list[Event] = []
        self.calls: list[str] = []

    def emit(self, event: Event) -> None:
        self._call("emit")
        self.events.append(event)

    def tick(self, status) -> None:
        self._call("tick")
        status()

    def close(self) -> None:
        self._call("close")

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if self.fails:
            raise self.fails


def status() -> Status:
    return Status(-40.0, False, (1, 10), 3, 7, 21, 60.0, {}, 0.02)


def sinks_of(output: Recorder, *others: Recorder, stop=lambda: pytest.fail("stopped")) -> Sinks:
    sinks = Sinks(output, stop)
    for other in others:
        sinks.add(other)
    return sinks


@pytest.mark.parametrize("error", [OSError(28, "no room"), RuntimeError("broken"), KeyError("a")])
@pytest.mark.parametrize("where", ["emit", "tick"])
def test_one_that_fails_takes_no_other_along(where, error):
    output, first, bad, last = Recorder(), Recorder(), Recorder("the log"), Recorder()
    sinks = sinks_of(output, first, bad, last)
    sinks.emit(STARTED)
    bad.fails = error
    for _ in range(3):
        if where == "emit":
            sinks.emit(Noticed("something"))
        else:
            sinks.tick(status)
    sinks.emit(ENDED)
    assert bad.calls.count(where) - (where == "emit") == 1
    for other in (output, first, last):
        told = [e.text for e in other.events if isinstance(e, Noticed) and e.text != "something"]
        assert len(told) == 1
        assert told[0].startswith("the log failed")
        assert other.events[0] == STARTED
        assert other.events[-1] == ENDED
    sinks.close()
    assert [sink.calls[-1] for sink in (output, first, bad, last)] == ["close"] * 4


@pytest.mark.parametrize("where", ["emit", "tick"])
@pytest.mark.parametrize("error", [BrokenPipeError(32, "gone"), OSError(28, "no room")])
def test_an_output_that_cannot_be_written_stops_the_run_once(where, error, monkeypatch):
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    output, other, stops = Recorder(), Recorder(), []
    sinks = sinks_of(output, other, stop=lambda: stops.append(1))
    sinks.emit(STARTED)
    output.fails = error
    for _ in range(3):
        if where == "emit":
            sinks.emit(Noticed("something"))
        else:
            sinks.tick(status)
    assert stops == [1]
    assert output.calls.count(where) - (where == "emit") == 1
    assert other.calls.count(where) - (where == "emit") == 3
    assert sinks.failure is (None if isinstance(error, BrokenPipeError) else error)


def test_an_error_of_the_output_that_is_none_of_the_systems_is_raised():
    sinks = sinks_of(Recorder(fails=ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        sinks.emit(STARTED)


def test_nothing_follows_the_end():
    class Late(Recorder):
        def emit(self, event: Event) -> None:
            super().emit(event)
            if not isinstance(event, Noticed):  # as from another thread
                sinks.notify(f"while {type(event).__name__} was written")

    output = Late()
    sinks = sinks_of(output, Recorder())
    sinks.emit(STARTED)
    sinks.emit(ENDED)
    assert output.events[-1] == ENDED


def test_the_start_comes_first_and_a_notice_of_another_before_the_end():
    output = Recorder()
    sinks = Sinks(output, lambda: None)

    class Notifying(Recorder):
        def emit(self, event: Event) -> None:
            super().emit(event)
            if not isinstance(event, Noticed):
                sinks.notify(f"at {type(event).__name__}")

    sinks.add(Notifying())
    sinks.emit(STARTED)
    sinks.emit(ENDED)
    assert output.events == [STARTED, Noticed("at Started"), Noticed("at Ended"), ENDED]

"""A loop that hangs says where, though its thread never comes back."""

import subprocess
import sys
import time

import pytest

HANGS = """
import threading, time
from streamer.loop.watchdog import watching

def somewhere_deep():
    time.sleep(60)

with watching(0.6, leave={leave}) as turn:
    turn()
    {then}
"""


def run(leave: bool, then: str) -> subprocess.CompletedProcess[str]:
    code = HANGS.format(leave=leave, then=then)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)


def test_who_hangs_tells_where_and_leaves() -> None:
    hung = run(True, "somewhere_deep()")
    assert hung.returncode == 1
    assert "Timeout" in hung.stderr
    assert "in somewhere_deep" in hung.stderr


def test_all_threads_are_told() -> None:
    hung = run(True, "t = threading.Thread(target=somewhere_deep); t.start(); t.join()")
    assert "in somewhere_deep" in hung.stderr
    assert "in join" in hung.stderr


def test_before_a_person_it_tells_and_goes_on() -> None:
    slow = run(False, "time.sleep(1.0); print('done')")
    assert (slow.returncode, slow.stdout) == (0, "done\n")
    assert slow.stderr.count("Timeout") >= 1


@pytest.mark.parametrize("then", ["[(turn(), time.sleep(0.05)) for _ in range(24)]", "pass"])
def test_who_goes_on_or_has_ended_is_left_alone(then: str) -> None:
    quick = run(True, then)
    assert (quick.returncode, quick.stderr) == (0, "")


def test_a_closed_standard_error_is_no_reason_to_fail() -> None:
    code = (
        "import os, sys; sys.stderr.close();"
        "from streamer.loop.watchdog import watching\n"
        "with watching(1.0, leave=True) as turn: turn()"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_limit_is_not_set_at_every_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    import faulthandler

    from streamer.loop.watchdog import watching

    times: list[float] = []
    monkeypatch.setattr(
        faulthandler, "dump_traceback_later", lambda *_, **__: times.append(time.monotonic())
    )
    at = iter([0.0, 0.0, 0.1, 0.5, 1.1, 1.1, 1.2])
    with watching(5.0, leave=False, file=sys.__stderr__, now_s=lambda: next(at)) as turn:
        for _ in range(4):
            turn()
    assert len(times) == 2

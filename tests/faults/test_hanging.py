"""A loop that hangs says where, though its thread never comes back."""

import signal
import subprocess
import sys
import time

import pytest

from streamer.loop.watchdog import Watch

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


def test_what_holds_the_interpreter_is_found_by_its_cpu_time() -> None:
    hung = run(True, "3 ** 10 ** 9")  # no other thread runs meanwhile
    assert hung.returncode == -signal.SIGPROF
    assert 'File "<string>", line 10' in hung.stderr


STOPPED = """
import time
from streamer.loop.watchdog import watching

with watching(0.3, leave=True) as turn:
    print("begun", flush=True)
    until_s = time.monotonic() + 1.2
    while {condition}:
        {step}
        time.sleep(0.02)
"""


@pytest.mark.parametrize(
    ("condition", "step", "code"),
    [("time.monotonic() < until_s", "turn()", 0), ("True", "pass", 1)],
    ids=["healthy", "hanging"],
)
def test_time_in_which_the_process_was_stopped_does_not_count(
    condition: str, step: str, code: int
) -> None:
    words = [sys.executable, "-c", STOPPED.format(condition=condition, step=step)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.9)  # three times the limit
        process.send_signal(signal.SIGCONT)
        assert process.wait(20) == code


def test_only_running_time_without_progress_counts() -> None:
    now_s = 0.0
    watch = Watch(limit_s=10.0, slice_s=1.0, now_s=lambda: now_s)

    def looks(*seconds: float) -> list[bool]:
        nonlocal now_s
        found = []
        for one in seconds:
            now_s += one
            found.append(watch.look())
        return found

    assert looks(1.0, 3600.0, 1.5, 1.0, 1.0, 1.0, 1.0) == [False] * 7  # 8.5 s of it
    watch.made_progress()
    assert looks(3600.0, *[1.0] * 9) == [False] * 10
    assert looks(1.0, 1.0) == [True, False]  # then it is counted anew

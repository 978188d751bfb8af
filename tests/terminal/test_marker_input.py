"""Markers from standard input: lines of a pipe, keys of a terminal."""

import os
import pty
import queue
import termios

from streamer.errors import UsageError
from streamer.terminal.marker_input import MarkerInput


def taken(marks: "queue.Queue[tuple[str, str]]", count: int) -> list[tuple[str, str]]:
    return [marks.get(timeout=10) for _ in range(count)]


def test_each_line_of_a_pipe_is_one():
    marks: queue.Queue[tuple[str, str]] = queue.Queue()
    reading, writing = os.pipe()
    with os.fdopen(reading) as stream, MarkerInput(lambda *one: marks.put(one), print, stream):
        os.write(writing, "stimulus 1\n\nTür\nhal".encode())
        assert taken(marks, 2) == [("stimulus 1", "stdin"), ("Tür", "stdin")]
        os.write(writing, b"f")
        os.close(writing)
        assert taken(marks, 1) == [("half", "stdin")]


def test_each_key_of_a_terminal_is_one_and_the_terminal_is_left_as_it_was():
    marks: queue.Queue[tuple[str, str]] = queue.Queue()
    outer, inner = pty.openpty()
    before = termios.tcgetattr(inner)
    with os.fdopen(inner) as stream:
        with MarkerInput(lambda *one: marks.put(one), print, stream) as markers:
            assert markers.reads_keys
            os.write(outer, "a ä\r\x1b".encode())
            assert taken(marks, 4) == [
                ("a", "key"), ("space", "key"), ("ä", "key"), ("enter", "key")
            ]  # fmt: skip
        assert termios.tcgetattr(inner) == before
    os.close(outer)
    assert marks.empty()


def test_what_is_no_name_is_told_and_the_next_is_taken():
    marks: queue.Queue[tuple[str, str]] = queue.Queue()
    told: list[str] = []
    reading, writing = os.pipe()

    def mark(name: str, origin: str) -> None:
        if len(name) > 64:
            raise UsageError("too long")
        marks.put((name, origin))

    with os.fdopen(reading) as stream, MarkerInput(mark, told.append, stream):
        os.write(writing, b"x" * 65 + b"\nnext\n")
        assert taken(marks, 1) == [("next", "stdin")]
        assert told == ["too long"]
        os.close(writing)

"""The journal of a table survives any kill, and belongs to one table only."""

from contextlib import contextmanager, suppress

import pytest

from streamer.errors import StreamerError
from streamer.loop.table.journal import SUFFIX, open_journal
from streamer.loop.table.reader import Fault, UnitRows

ROWS = UnitRows([{"file": "é.wav", "valence": 0.1 + 0.2}], [Fault("b", "empty")], ["hum"])


class Killed(Exception):
    pass


@contextmanager
def killed_in(table, key):
    """A journal that is not finished: its process ends with the block."""
    with suppress(Killed), open_journal(table, key) as journal:
        yield journal
        raise Killed


def stopped_after(table, key, units) -> None:
    with killed_in(table, key) as journal:
        for unit in units:
            journal.add(unit, ROWS)


def test_what_was_added_is_read_back_the_same(tmp_path):
    table = tmp_path / "t.csv"
    stopped_after(table, "k", ["a", "b"])
    with open_journal(table, "k") as journal:
        assert "a" in journal and "b" in journal and "c" not in journal  # noqa: PT018
        assert journal.read("b") == ROWS
        assert list(journal.rows(["b", "a"])) == [ROWS, ROWS]
    assert list(tmp_path.iterdir()) == []


def test_cut_off_at_any_byte_it_keeps_the_units_that_are_whole(tmp_path):
    table = tmp_path / "t.csv"
    stopped_after(table, "k", ["a", "b"])
    path = table.with_name(table.name + SUFFIX)
    content = path.read_bytes()
    ends = [k + 1 for k, byte in enumerate(content) if byte == ord("\n")]
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        with killed_in(table, "k") as journal:
            assert ("a" in journal, "b" in journal) == (size >= ends[1], size >= ends[2])
            journal.add("c", ROWS)
        with killed_in(table, "k") as journal:
            assert journal.read("c") == ROWS


def test_zeros_that_a_power_cut_left_are_cut_off(tmp_path):
    table = tmp_path / "t.csv"
    stopped_after(table, "k", ["a"])
    path = table.with_name(table.name + SUFFIX)
    path.write_bytes(path.read_bytes() + bytes(4096))
    with open_journal(table, "k") as journal:
        assert "a" in journal


def test_another_table_begins_anew(tmp_path):
    table = tmp_path / "t.csv"
    stopped_after(table, "k", ["a"])
    with open_journal(table, "other") as journal:
        assert "a" not in journal


def test_one_process_writes_a_table(tmp_path):
    table = tmp_path / "t.csv"
    with (
        open_journal(table, "k"),
        pytest.raises(StreamerError, match="another process"),
        open_journal(table, "k"),
    ):
        pass

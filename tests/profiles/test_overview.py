"""All profiles of a folder, at a glance."""

import json

from streamer.annotation.labels import give
from streamer.cli import app
from streamer.profiles.overview import overview
from streamer.store.profile import FILE_NAME
from streamer.terminal.tables import profile_line
from tests.support import bound_profile, label_of, store_utterance


def test_each_profile_is_counted_and_one_that_cannot_be_read_says_why(tmp_path):
    ann = bound_profile(tmp_path / "ann")
    for _ in range(3):
        store_utterance(ann)
    give(ann, [label_of(1, valence=0.5)])
    assert ann.take_over("streamer run")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / FILE_NAME).write_bytes(b"no database, but long enough to be one" * 99)
    (tmp_path / "not a profile").mkdir()
    found = {row.name: row for row in overview(tmp_path)}
    assert list(found) == ["ann", "bad"]
    row = found["ann"]
    assert (row.sessions, row.utterances, row.labels) == (1, 3, 1)
    assert row.disk_bytes > 10_000
    assert "streamer run" in row.listening
    assert profile_line(row, 5).startswith("ann    1 session, 3 utterances, 1 label, ")
    assert found["bad"].problem
    assert "cannot be read" in profile_line(found["bad"])
    ann.close()
    assert overview(tmp_path / "none") == []


def test_the_verb_lists_them_and_says_where_there_is_none(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path))
    app(["profiles"], standalone_mode=False)
    assert "streamer start" in capsys.readouterr().err
    for name in ("ann", "bea"):
        profile = bound_profile(tmp_path / name)
        store_utterance(profile)
        started = 100.0 if name == "ann" else 200.0
        profile.database.write("UPDATE sessions SET started_at = ?", started)
        profile.close()
    app(["profiles", "--json", "--sort", "last"], standalone_mode=False)
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["name"] for row in rows] == ["bea", "ann"]
    assert rows[0]["last_used_at"] == 200.0

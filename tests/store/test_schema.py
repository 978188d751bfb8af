"""Migrations: all or none, old files carried on, newer files refused; and what the rows may be."""

import sqlite3
from pathlib import Path

import pytest

from streamer.errors import ProfileError, ProfileTooNew
from streamer.store import schema
from streamer.store.database import Database


def version(path: Path) -> int:
    connection = sqlite3.connect(path)
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    connection.close()
    return int(found)


def tables(path: Path) -> set[str]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    connection.close()
    return {row[0] for row in rows if not row[0].startswith("sqlite_")}


def test_a_new_file_has_the_newest_schema(tmp_path):
    Database(tmp_path / "a.db").close()
    assert version(tmp_path / "a.db") == len(schema.MIGRATIONS)
    assert {"utterances", "queries", "labels", "enrollments", "states"} <= tables(tmp_path / "a.db")


def test_an_older_file_is_carried_on_with_its_rows(tmp_path, monkeypatch):
    path = tmp_path / "a.db"
    old = Database(path)
    old.write("INSERT INTO meta (key, value) VALUES ('a', 'kept')")
    old.close()
    more = "CREATE TABLE extra (a TEXT); INSERT INTO extra SELECT value FROM meta;"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, more))
    new = Database(path)
    assert new.rows("SELECT a FROM extra")[0]["a"] == "kept"
    new.close()
    assert version(path) == len(schema.MIGRATIONS)
    Database(path).close()


def test_queries_from_before_there_was_a_lot_were_chosen(tmp_path, monkeypatch):
    path = tmp_path / "a.db"
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:1])
    old = Database(path)
    old.write("INSERT INTO sessions (id, kind, source, started_at) VALUES (1, 'file', 'a', 0)")
    old.write(
        "INSERT INTO utterances (id, session, source, onset_s, offset_s, heard_at, quality, "
        "embedding, emotion, prediction, verdict, state) "
        "VALUES (7, 1, 'a', 0, 1, 0, '{}', x'', x'', '{}', '{}', 'asked')"
    )
    old.write("INSERT INTO queries (utterance, score, asked_at) VALUES (7, 0.5, 1)")
    old.close()
    monkeypatch.undo()
    new = Database(path)
    (row,) = new.rows("SELECT score, explored, propensity FROM queries")
    new.close()
    assert tuple(row) == (0.5, 0, None)


def test_a_learner_of_other_arrays_is_folded_anew(tmp_path, monkeypatch):
    path = tmp_path / "a.db"
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:3])
    old = Database(path)
    for name in ("learner", "usual"):
        old.write("INSERT INTO states (name, arrays, through) VALUES (?, x'00', 5)", name)
    old.close()
    monkeypatch.undo()
    new = Database(path)
    kept = [row["name"] for row in new.rows("SELECT name FROM states")]
    new.close()
    assert kept == []  # and since, all that is learned is a fold of other arrays


def test_a_migration_that_fails_half_way_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "a.db"
    Database(path).close()
    before = version(path), tables(path)
    broken = "CREATE TABLE extra (a TEXT); CREATE TABLE nonsense (;"
    monkeypatch.setattr(schema, "MIGRATIONS", (*schema.MIGRATIONS, broken))
    with pytest.raises(ProfileError):
        Database(path)
    assert (version(path), tables(path)) == before


def test_a_newer_file_is_refused_with_the_way_out(tmp_path):
    path = tmp_path / "a.db"
    Database(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()
    with pytest.raises(ProfileTooNew, match="upgrade streamer"):
        Database(path)
    assert version(path) == len(schema.MIGRATIONS) + 1


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO labels (utterance, annotator, scale_low, scale_high, given_at) "
        "VALUES (99, 'me', -1, 1, 0)",
        "INSERT INTO queries (utterance, score, asked_at) VALUES (99, 0, 0)",
        "INSERT INTO lessons (label, features) VALUES (99, x'00')",
    ],
)
def test_a_row_that_points_nowhere_cannot_be_written(statement):
    database = Database(":memory:")
    with pytest.raises(sqlite3.IntegrityError):
        database.write(statement)
    database.close()

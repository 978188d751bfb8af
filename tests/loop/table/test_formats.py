"""A table's file holds every value, in all formats, or it is not there."""

import csv
import json

import pytest

from streamer.errors import UsageError
from streamer.loop.table.columns import Column, Contents, columns_of
from streamer.loop.table.formats import writer_for

COLUMNS = (
    Column("file", "text", "", "a file"),
    Column("valence", "number", "", "a number"),
    Column("own", "flag", "", "a flag"),
    Column("embedding", "vector", "", "a vector"),
)
ROWS = [
    {"file": "=1+1.wav", "valence": 1 / 3, "own": True, "embedding": [0.1, 0.33333334]},
    {"file": 'a "b", c.wav', "valence": None, "own": False, "embedding": [1e-8, -2.0]},
    {"file": "é\n.wav", "valence": -1.0, "own": None, "embedding": [0.0, 1.0]},
]


def write(path, rows=ROWS, columns=COLUMNS):
    writer_for(path)(path, columns, iter(rows))
    return path


def test_csv_holds_every_digit_and_runs_nothing(tmp_path):
    with write(tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["file"] for row in rows] == ["'=1+1.wav", 'a "b", c.wav', "é\n.wav"]
    assert float(rows[0]["valence"]) == 1 / 3
    assert [row["valence"] for row in rows[1:]] == ["", "-1.0"]
    assert [row["own"] for row in rows] == ["true", "false", ""]
    assert [float(row["embedding_1"]) for row in rows] == [0.33333334, -2.0, 1.0]


def test_json_lines_hold_the_rows(tmp_path):
    text = write(tmp_path / "t.jsonl").read_text("utf-8")
    assert [json.loads(line) for line in text.splitlines()] == ROWS


def test_parquet_holds_types_units_and_meanings(tmp_path):
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow (extra cluster) is not installed")
    columns = columns_of(Contents(embeddings=True), ["anger"])
    numbers = {c.name: 0.5 for c in columns if c.kind == "number"}
    flags = {c.name: True for c in columns if c.kind == "flag"}
    row = {**numbers, **flags, "file": "a.wav", "emotion": None, "embedding": [0.25, -1.5]}
    found = pq.read_table(write(tmp_path / "t.parquet", [row], columns))
    assert found.to_pylist() == [{c.name: row[c.name] for c in columns}]
    assert found.schema.field("snr_db").metadata[b"unit"] == b"dB"
    assert found.schema.metadata[b"streamer_schema"] == b"1"
    assert str(found.schema.field("embedding").type) == "list<element: float>"


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet"])
def test_an_error_on_the_way_leaves_the_old_file(tmp_path, name):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow (extra cluster) is not installed")
    path = tmp_path / name
    path.write_text("old")

    def rows():
        yield ROWS[0]
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write(path, rows())
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_without_rows_has_its_columns(tmp_path):
    assert write(tmp_path / "t.csv", []).read_text() == "file,valence,own\n"


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"\.csv, \.parquet or \.jsonl"):
        writer_for(tmp_path / "t.xlsx")

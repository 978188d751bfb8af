"""Rows written into a manifest are read back as they were."""

import os
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.encoders.manifest import write_row

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SIMPLE = st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(-1e9, 1e9), TEXT)
KEY = st.from_regex(r"[a-z_]{1,8}", fullmatch=True)


@given(
    st.dictionaries(
        KEY, st.one_of(SIMPLE, st.lists(st.dictionaries(KEY, SIMPLE, min_size=1), max_size=3))
    )
)
def test_what_is_written_is_read(tmp_path_factory, row):
    path = tmp_path_factory.mktemp("models") / "manifest.toml"
    row = {**row, "name": "a"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)  # a hundred times takes seconds
        write_row(path, row)
    assert tomllib.loads(path.read_text("utf-8")) == {"encoder": [row]}


def test_a_row_takes_the_place_of_the_one_of_its_name(tmp_path):
    path = tmp_path / "manifest.toml"
    for name, size in (("a", 1), ("b", 2), ("a", 3)):
        write_row(path, {"name": name, "size": size})
    rows = tomllib.loads(path.read_text("utf-8"))["encoder"]
    assert rows == [{"name": "a", "size": 3}, {"name": "b", "size": 2}]
    assert [file.name for file in tmp_path.iterdir()] == ["manifest.toml"]


def test_a_file_that_is_no_manifest_is_left_alone(tmp_path):
    path = tmp_path / "manifest.toml"
    path.write_text("[[encoder")
    with pytest.raises(ValueError, match="end of document"):
        write_row(path, {"name": "a"})
    assert path.read_text() == "[[encoder"

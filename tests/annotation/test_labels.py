"""Answers from people: what is told back, and what a file of them may hold."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.annotation import labels as labelling
from streamer.annotation.csv import COLUMNS, read_labels
from streamer.errors import NotFound, UsageError
from streamer.loop.profile_model import ProfileModel
from streamer.store.database import Database
from streamer.store.labels import Labels
from streamer.store.profile import Profile
from tests.support import HOLDER, bound_profile, label_of, store_utterance


@pytest.fixture
def labelled(tmp_path):
    profile = bound_profile(tmp_path / "p")
    for _ in range(5):
        store_utterance(profile)
    yield profile
    profile.close()


def read(tmp_path: Path, text: str | bytes):
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_labels(path, "me")


def test_a_label_is_stored_and_learned_where_nobody_listens(labelled):
    assert labelling.give(labelled, [label_of(1, valence=0.5)]) == (
        "1 label stored; learned, 1 label in all"
    )
    told = labelling.give(labelled, [label_of(n, arousal=4.0) for n in (2, 3)], (1.0, 5.0))
    assert told == "2 labels stored; learned, 3 labels in all"
    profile_model = ProfileModel(labelled)
    assert profile_model.model.labels == 3
    assert labelled.labels.effective()[1].label.arousal == 0.5
    assert labelled.holder() is None


def test_where_somebody_listens_it_is_left_to_them(labelled):
    command = [sys.executable, "-c", HOLDER, str(labelled.folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        told = labelling.give(labelled, [label_of(1, valence=0.5)])
        assert told == "1 label stored; the listening session learns it"
        assert labelling.take_back(labelled, 1).endswith(
            "(#1 by me); the listening session learns it"
        )
        holder.communicate("go\n")
    assert labelled.labels.log()[0].features is None


def test_an_answer_in_place_of_an_earlier_one_is_told(labelled: Profile) -> None:
    told = labelling.give(labelled, [label_of(1, emotion="joy"), label_of(1, valence=0.1)])
    assert told.startswith("2 labels stored, 1 in place of an earlier one; ")


def test_only_those_of_the_annotator_named_are_taken_back(labelled: Profile) -> None:
    labelling.give(labelled, [label_of(1, valence=0.3), label_of(1, "bob", valence=0.1)])
    assert "by me" in labelling.take_back(labelled, 1, "me")
    assert labelling.take_back(labelled, 1, "carol") == "there is no label to take back"
    assert "#1 by bob" in labelling.take_back(labelled, 1)


def test_taking_back_names_what_was_taken(labelled):
    labelling.give(labelled, [label_of(n, valence=0.5) for n in (1, 3, 4)])
    assert labelling.take_back(labelled, 2) == (
        "2 labels taken back (#4 by me, #3 by me); learned, 1 label in all"
    )
    assert labelling.take_back(labelled, 5) == (
        "1 label taken back (#1 by me), there were no more; learned, 0 labels in all"
    )
    assert labelling.take_back(labelled, 1) == "there is no label to take back"


@pytest.mark.parametrize("count", [0, -1, -(10**30)])
def test_less_than_one_cannot_be_taken_back(labelled, count):
    with pytest.raises(UsageError, match="give 1 or more"):
        labelling.take_back(labelled, count)


def test_however_many_more_than_there_are_can_be_taken_back(labelled):
    labelling.give(labelled, [label_of(1, valence=0.5)])
    assert labelling.take_back(labelled, 10**30).startswith("1 label taken back")


def test_of_a_file_with_one_bad_line_nothing_is_stored(labelled, tmp_path):
    for absent in ("99", "9" * 30, "-" + "9" * 30):
        text = f"utterance,valence,arousal\n1,0.5,0\n2,0.5,0\n{absent},0.5,0\n"
        with pytest.raises(NotFound, match=f"{absent} in this profile; `streamer queue`"):
            labelling.give(labelled, read(tmp_path, text))
    assert labelled.labels.newest() == 0


def test_an_empty_list_is_nothing_stored(labelled):
    assert labelling.give(labelled, []) == "0 labels stored; learned, 0 labels in all"


def test_a_file_is_read_with_its_columns_in_any_order(tmp_path):
    text = (
        "﻿emotion, utterance ,arousal,valence,annotator,dominance\r\n"
        " Anger ,1, 0.5,-1,anna,0\r\n"
        "\r\n"
        ",2,0,0.25,,\r\n"
        '"very\n  happy",3,,,  ,\r\n'
    )
    assert read(tmp_path, text) == [
        label_of(1, "anna", valence=-1.0, arousal=0.5, dominance=0.0, emotion="anger"),
        label_of(2, valence=0.25, arousal=0.0),
        label_of(3, emotion="very happy"),
    ]
    assert read(tmp_path, "utterance,valence,arousal\n") == []
    assert read(tmp_path, "utterance,emotion\n7,joy") == [label_of(7, emotion="joy")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must name the columns"),
        ("valence,arousal\n1,2\n", "must name the columns"),
        ("utterance,mood\n1,2\n", "must name the columns"),
        ("1,0.5,0.5\n", "must name the columns"),
        ("utterance,valence,arousal,valence\n1,0.5,0,0.6\n", "must name the columns"),
        ("utterance\n1\n", "must name the columns"),
        ("utterance,valence\n1,0.5\n", "line 1: .* valence and arousal"),
        ("utterance,valence,emotion\n1,0.5,joy\n", "line 1: .* valence and arousal"),
        ("utterance,dominance,emotion\n1,0.5,joy\n", "line 1: .* valence and arousal"),
        ("utterance,valence,arousal\nx,0.5,0\n", "line 2: utterance is 'x'"),
        ("utterance,valence,arousal\n1,0.5,0\n1.5,0.5,0\n", "line 3: utterance is '1.5'"),
        ("utterance,valence,arousal\n,0.5,0\n", "line 2: utterance is ''"),
        ("utterance,valence,arousal\n1,high,0\n", "line 2: valence is 'high'; give a number"),
        ("utterance,valence,arousal\n1,0,5,0\n", "line 2: more cells"),
        ("utterance,valence,arousal\n1,0,0\n5,0.5\n", "line 3: fewer cells"),
        ("utterance,valence,arousal\n5,0.5,\n", "line 2: utterance 5: .* arousal together"),
        ("utterance,valence,arousal,dominance\n5,,,0.4\n", "line 2: .* dominance only with both"),
        ("utterance,valence,arousal\n5,,\n", "line 2: .* is empty"),
        ("utterance,valence,arousal\n5,0,1.5\n", r"line 2: arousal 1.5 .* outside \[-1, 1\]"),
        ("utterance,valence,arousal\n5,nan,0\n", "line 2: valence nan"),
        ("utterance;valence;arousal\n1;0.5;0\n", "must name the columns"),
        ("utterance,emotion\n1," + "x" * 65 + "\n", "line 2: .* 1 to 64 printable"),
        ("utterance,emotion,annotator\n1,joy," + "x" * 65 + "\n", "line 2: annotator"),
        ("utterance,valence,arousal\n1,0," + "9" * 200_000 + "\n", "not a CSV file"),
        (b"utterance,valence,arousal\n1,\xff,\xfe\n", "not a CSV file in UTF-8.*: save it anew"),
        ("utterance,valence,arousal\n1,0,0\n".encode("utf-16"), "not a CSV file in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_place(tmp_path, text, message):
    with pytest.raises(UsageError, match=f"labels.csv.*{message}"):
        read(tmp_path, text)


def test_values_of_a_file_are_on_its_scale(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("utterance,valence,arousal\n1,5,1\n")
    (label,) = read_labels(path, "me", (1.0, 5.0))
    assert (label.valence, label.arousal) == (5.0, 1.0)
    with pytest.raises(UsageError, match=r"labels.csv, line 2: valence 5 .* outside \[-1, 1\]"):
        read_labels(path, "me")


@pytest.mark.parametrize("values", [(0.3, None, None), (None, 0.3, None), (None, None, 0.4)])
@pytest.mark.parametrize("emotion", [None, "joy"])
def test_half_an_answer_is_none(values, emotion):
    with pytest.raises(UsageError, match="utterance 3: give valence and arousal together"):
        labelling.one(3, *values, emotion, "me")


def test_a_file_that_is_not_there_is_told_of(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(UsageError, match=r"cannot read .*: give an existing CSV file"):
            read_labels(path, "me")


CELL = st.one_of(
    st.text(max_size=6),
    st.sampled_from(["1", "2", "0.5", "-1", "nan", "inf", "1e999", "", " ", "joy", '"', "9" * 30]),
)
TABLE = st.builds(
    lambda header, rows: "\n".join([",".join(header), *(",".join(row) for row in rows)]),
    st.lists(st.sampled_from([*COLUMNS, "", "mood"]), max_size=7),
    st.lists(st.lists(CELL, max_size=8), max_size=5),
)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(TABLE.map(str.encode), st.binary(max_size=80), st.text(max_size=80).map(str.encode))
)
def test_any_file_gives_labels_or_a_usage_error(content):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        path.write_bytes(content)
        try:
            labels = read_labels(path, "me")
        except UsageError:
            return
        database = Database(":memory:")
        with suppress(UsageError, NotFound):
            Labels(database).add(labels, 0.0)
        database.close()


@pytest.mark.parametrize(
    ("text", "kept"),
    [("Joy", "joy"), ("  Very   HAPPY ", "very happy"), ("Ärger", "ärger"), ("x" * 64, "x" * 64)],
)
def test_an_emotion_is_kept_trimmed_and_in_lower_case(text, kept):
    assert labelling.emotion_name(text) == kept
    assert labelling.one(3, None, None, None, text, "me") == label_of(3, emotion=kept)


@pytest.mark.parametrize("text", ["", "   ", "x" * 65, "a\x00b", "a\x1b[31m", "\udcff"])
def test_an_emotion_without_a_printable_name_is_refused(text):
    with pytest.raises(UsageError, match="printable"):
        labelling.emotion_name(text)


def test_a_scale_is_low_and_high():
    assert labelling.read_scale(None) == (-1.0, 1.0)
    assert labelling.read_scale("1:5") == (1.0, 5.0)
    assert labelling.read_scale("-3.5:3.5") == (-3.5, 3.5)


@pytest.mark.parametrize("text", ["", "5", "1-5", "1:2:3", "a:b", ":", "1:", "5:1", "nan:1"])
def test_another_scale_is_refused(text):
    with pytest.raises(UsageError, match="LOW:HIGH"):
        labelling.read_scale(text)

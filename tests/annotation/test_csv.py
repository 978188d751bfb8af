"""Tables of labels as people have them, and what is asked or refused rather than guessed."""

import csv
import io
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.annotation import labels as labelling
from streamer.annotation.csv import COLUMNS, LabelFile, read_labels, write_labels
from streamer.annotation.scales import Scales, read_scale
from streamer.errors import NotFound, UsageError
from streamer.store.database import Database
from streamer.store.labels import Labels
from streamer.store.profile import Profile
from streamer.types import Label
from tests.conftest import Streamer
from tests.support import bound_profile, label_of, store_utterance


def whole(tmp_path: Path, text: str | bytes, scale: str | None = None, **options) -> LabelFile:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_labels(path, "me", None if scale is None else Scales.parse(scale), **options)


def read(tmp_path: Path, text: str | bytes) -> list[Label]:
    return whole(tmp_path, text).labels


@pytest.fixture
def labelled(tmp_path):
    profile = bound_profile(tmp_path / "p")
    for _ in range(5):
        store_utterance(profile)
    yield profile
    profile.close()


def test_of_a_file_with_one_bad_line_nothing_is_stored(labelled, tmp_path):
    for absent in ("99", "9" * 30, "-" + "9" * 30):
        text = f"utterance,valence,arousal\n1,0.5,0\n2,0.5,0\n{absent},0.5,0\n"
        with pytest.raises(NotFound, match=f"{absent} in this profile; `streamer queue`"):
            labelling.give(labelled, read(tmp_path, text))
    assert labelled.labels.newest() == 0


def test_a_file_is_read_with_its_columns_in_any_order(tmp_path):
    text = (
        "\ufeffemotion, utterance ,arousal,valence,annotator,dominance\r\n"
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
        ("utterance valence arousal\n1 0 0\n", "line 1: 'utterance valence arousal' must name"),
        ("1,0.5,0.5\n", "must name the columns"),
        ("utterance,valence,arousal,valence\n1,0.5,0,0.6\n", "must name the columns"),
        ("utterance\n1\n", "must name the columns"),
        ("utterance,valence\n1,0.5\n", "line 1: .* valence and arousal"),
        ("utterance,valence,emotion\n1,0.5,joy\n", "line 1: .* valence and arousal"),
        ("utterance,dominance,emotion\n1,0.5,joy\n", "line 1: .* valence and arousal"),
        ("utterance,valence,arousal\nx,0.5,0\n", "line 2 .*: utterance is 'x'"),
        ("utterance,valence,arousal\n1,0.5,0\n1.5,0.5,0\n", "line 3 .*: utterance is '1.5'"),
        ("utterance,valence,arousal\n,0.5,0\n", "line 2 .*: utterance is ''"),
        ("utterance,valence,arousal\n1,high,0\n", "line 2 .*: valence is 'high'; give a number"),
        ("utterance,valence,arousal\n1,0,5,0\n", "line 2 .*: more cells"),
        ("utterance,valence,arousal\n1,0,0\n5,0.5\n", "line 3 .*: fewer cells"),
        ("utterance,valence,arousal\n5,0.5,\n", "line 2 .*: utterance 5: .* arousal together"),
        (
            "utterance,valence,arousal,dominance\n5,,,0.4\n",
            "line 2 .*: .* dominance only with both",
        ),
        (
            "utterance,valence,arousal\n5,0,1.5\n",
            "line 2 .*: the values reach from 0 to 1.5",
        ),
        ("utterance,valence,arousal\n5,nan,0\n", "line 2 .*: .* arousal together"),
        ("utterance,valence,arousal\n5,inf,0\n", "line 2 .*: valence is 'inf'; give a number"),
        ("utterance,valence,arousal\n5,0_1,0\n", "line 2 .*: valence is '0_1'; give a number"),
        ("utterance,valence,arousal\n1_0,0,0\n", "line 2 .*: utterance is '1_0'"),
        ("utterance,emotion\n1," + "x" * 65 + "\n", "line 2 .*: .* 1 to 64 printable"),
        ("utterance,emotion,annotator\n1,joy," + "x" * 65 + "\n", "line 2 .*: annotator"),
        ("utterance,valence,arousal\n1,0," + "9" * 200_000 + "\n", "not a CSV file"),
        (b"utterance,valence,arousal\n1,\xff,\xfe\n", "line 2 .*: valence is 'ÿ'; give"),
        (b"utterance,valence,arousal\n1,\x00,0\n", "not a text file: save it again"),
        (b"utterance,valence,arousal\n1,\x81,0\n", "not a text file: save it again"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_with_its_place(tmp_path, text, message):
    with pytest.raises(UsageError, match=f"labels.csv.*{message}"):
        read(tmp_path, text)


def test_values_of_a_file_are_on_its_scale(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("utterance,valence,arousal\n1,5,1\n")
    (label,) = read_labels(path, "me", Scales.parse("1:5")).labels
    assert (label.valence, label.arousal) == (5.0, 1.0)
    with pytest.raises(UsageError, match=r"labels.csv, line 2 .*: the values reach from 1 to 5"):
        read_labels(path, "me")


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
            labels = read_labels(path, "me").labels
        except UsageError:
            return
        database = Database(":memory:")
        with suppress(UsageError, NotFound):
            Labels(database).add(labels, 0.0)
        database.close()


ONE = label_of(1, valence=0.5, arousal=-0.2)


@pytest.mark.parametrize(
    "text",
    [
        "utterance;valence;arousal\n1;0,5;-0,2\n",
        "\ufeffutterance;valence;arousal\n1;0,5;-0,2\n",
        "sep=;\r\nutterance;valence;arousal\r\n1;0,5;-0,2\r\n",
        '"sep=;"\nutterance;valence;arousal\n1;0,5;-0,2\n',
        "utterance\tvalence\tarousal\n1\t0.5\t-.2\n",
        "utterance|valence|arousal\r1|0.5|-0.2\r",
        '"utterance","valence","arousal"\n"1","0,5","-0,2"\n',
        "Utterance,VALENCE, Arousal \n1,0.5,-0.2\n",
        "utterance,valence,arousal\n1.0,0.5,-0.2\n",
        "utterance;valence;arousal\n1,0;+0,5;-2e-1\n",
        "utterance,valence,arousal,emotion,dominance\n1,0.5,-0.2,NA,NaN\n",
        "utterance,valence,arousal,comment\n1,0.5,-0.2,loud\n",
        ",utterance,valence,arousal\n0,1,0.5,-0.2\n",
        "utterance;valence;arousal\n1;0,5;-0,2\n".encode("utf-16"),
        "utterance,valence,arousal\n1,0.5,-0.2\n\n,,\n2,,\n",
    ],
)
def test_a_table_is_read_as_people_have_it(tmp_path, text):
    assert read(tmp_path, text) == [ONE]


def test_what_is_left_out_or_read_otherwise_is_told(tmp_path):
    text = "utterance;emotion;comment;speaker\n1;\xe4rger;laut;a\n2;;;\n".encode("cp1252")
    found = whole(tmp_path, text)
    assert found.labels == [label_of(1, emotion="\xe4rger")]
    assert found.notes == [
        "read as Windows-1252, as it is not UTF-8: '1;\xe4rger;laut;a'",
        "left out columns 'comment', 'speaker'",
        "left out 1 row without an answer",
    ]
    assert whole(tmp_path, "utterance,emotion\n1,joy\n").notes == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("utterance,valence,arousal\n1,0,5,-0,2\n", "line 2 \\('1,0,5,-0,2'\\): more cells"),
        (
            "utterance;valence;arousal\n1;0,5;0\n2;0.5;0\n",
            "line 2 .* has a decimal comma, line 3 .* a decimal point",
        ),
        (
            "utterance,valence,arousal,dominace\n1,0,0,0\n",
            "line 1: .*is 'dominace' meant as 'dominance'",
        ),
        ("utterance,valence,arousal\n1,0,0\n2,4,1\n", "line 3 .*reach from 0 to 4.*0:10"),
        ("utterance,valence,arousal\n1,1,5\n", "--scale 1:5 or 1:7 or 1:9"),
        ("utterance,valence,arousal\n1,1,\u0665\n", "arousal is '\u0665'; give a number"),
        ("utterance,valence,arousal\n1,0,0\n2.0,,0.1\n", r"line 3 \('2.0,,0.1'\): .*arousal tog"),
    ],
)
def test_what_is_not_clear_is_refused_with_its_line_where_nobody_can_be_asked(
    tmp_path, text, message
):
    with pytest.raises(UsageError, match=f"labels.csv, {message}|{message}"):
        read(tmp_path, text)


def test_what_is_not_clear_is_asked_with_its_line(tmp_path):
    asked = []

    def ask(question, choices):
        asked.append((question, list(choices)))
        return "9:1" if "scale" in question else "yes"

    found = whole(tmp_path, "utterance,valence,arousal,dominace\n1,1,5,0\n", ask=ask)
    assert (found.labels, found.scale) == ([label_of(1, valence=9.0, arousal=5.0)], (1.0, 9.0))
    (spelling, of_spelling), (scale, of_scale) = asked
    assert "line 1: 'utterance,valence,arousal,dominace'" in spelling
    assert of_spelling == ["yes", "no"]
    assert "line 2 ('1,1,5,0'): the values reach from 1 to 5" in scale
    assert of_scale[0] == "1:5"
    with pytest.raises(UsageError, match="name the column 'dominance'"):
        whole(tmp_path, "utterance,valence,arousal,dominace\n1,1,1,0\n", ask=lambda q, c: "no")


@pytest.mark.parametrize(
    ("scale", "given", "kept", "inside"),
    [
        ("1:5", (1, 5, 3), (1, 5, 3), (-1, 1, 0)),
        ("5:1", (1, 5, 2), (5, 1, 4), (1, -1, 0.5)),
        ("1-9", (9, 1, 3), (9, 1, 3), (1, -1, -0.5)),
        ("0-100", (75, 0, 50), (75, 0, 50), (0.5, -1, 0)),
        ("SAM", (9, 5, 1), (9, 5, 1), (1, 0, -1)),
        ("sam-reversed", (9, 5, 1), (1, 5, 9), (-1, 0, 1)),
        ("valence=1:9,arousal=9:1", (9, 9, 1), (9, 1, 1), (1, -1, -1)),
        ("valence=1:5, arousal=0..100, dominance=sam", (2, 25, 5), (2, 2, 3), (-0.5, -0.5, 0)),
    ],
)
def test_scales_of_every_kind(tmp_path, labelled, scale, given, kept, inside):
    row = ",".join(map(str, (1, *given)))
    found = whole(tmp_path, f"utterance,valence,arousal,dominance\n{row}\n", scale)
    label = found.labels[0]
    assert (label.valence, label.arousal, label.dominance) == kept
    labelling.give(labelled, found.labels, found.scale)
    stored = labelled.labels.effective()[0].label
    assert (stored.valence, stored.arousal, stored.dominance) == inside


def test_a_scale_is_low_and_high():
    assert read_scale("1:5") == (1.0, 5.0)
    assert read_scale("-3.5:3.5") == (-3.5, 3.5)
    for reversed_scale in ("5:1", "3:3"):
        with pytest.raises(UsageError, match="LOW:HIGH"):
            read_scale(reversed_scale)


@pytest.mark.parametrize(
    "text",
    ["", "5", "1:2:3", "a:b", ":", "1:", "nan:1", "3:3", "1_0:5", "valence=1:5", "mood=1:5",
     "valence=1:5,arousal", "valence=1:5,valence=1:5,arousal=1:5"],
)  # fmt: skip
def test_another_scale_is_refused(text):
    with pytest.raises(UsageError, match="scale"):
        Scales.parse(text)


@pytest.mark.parametrize("name", ["=1+1", "+49", "-joy", "@sum", "'quoted", "'=1", "＝1", "plain"])
def test_an_export_runs_nothing_in_a_spreadsheet_and_is_read_back(tmp_path, labelled, name):
    given = [label_of(1, name, valence=-0.5, arousal=0.25, emotion=name)]
    labelling.give(labelled, given)
    text = write_labels(entry.label for entry in labelled.labels.effective())
    for cell in list(csv.reader(io.StringIO(text)))[1]:
        assert not cell.startswith(("=", "+", "@", "＝", "-j"))
    assert read(tmp_path, text) == given


def test_a_large_table_is_read_in_time_that_grows_with_its_rows(tmp_path):
    def seconds(rows: int) -> float:
        lines = ["utterance;valence;arousal", *(f"{n};0,5;-0,5" for n in range(1, rows + 1))]
        begun_s = time.perf_counter()
        assert len(read(tmp_path, "\n".join(lines))) == rows
        return time.perf_counter() - begun_s

    small = min(seconds(5_000) for _ in range(3))
    assert seconds(50_000) < 30 * small


def test_the_verb_tells_what_it_left_out_and_takes_a_scale(
    streamer: Streamer, labelled: Profile, tmp_path: Path
) -> None:
    path = tmp_path / "from a lab.csv"
    path.write_text("Utterance;Valence;Arousal;Note\n1;1;9;loud\n2;9;1;\n3;;;\n")
    profile = ("--profile", labelled.folder)
    unclear = streamer("label", "--import", path, *profile)
    assert unclear.returncode == 2
    assert "line 2 ('1;1;9;loud'): the values reach from 1 to 9" in unclear.stderr
    done = streamer("label", "--import", path, "--scale", "9:1", *profile)
    assert done.returncode == 0, done.stderr
    assert "left out column 'note'" in done.stderr
    assert "left out 1 row without an answer" in done.stderr
    assert "2 labels stored" in done.stderr
    first = labelled.labels.effective()[0].label
    assert (first.valence, first.arousal) == (1.0, -1.0)
    one = streamer(
        "label", 4, "--valence", 2, "--arousal", 3, "--scale", "valence=5:1,arousal=1:5", *profile
    )
    assert one.returncode == 0, one.stderr
    last = labelled.labels.effective()[-1].label
    assert (last.valence, last.arousal) == (0.5, 0.0)

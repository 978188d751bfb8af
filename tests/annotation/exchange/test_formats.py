"""What other programs wrote is read as it was meant; what is written is read back the same."""

import json

import pytest

from streamer.annotation.exchange import audacity, elan, label_studio, nova, open, praat
from streamer.annotation.exchange.timed import TimedLabel, read_text, write_text
from streamer.errors import UsageError

LABELS = [
    TimedLabel("talk.wav", 1.0, 2.5, {"valence": 0.5, "arousal": -0.25}, "quiet joy", "ann", 1),
    TimedLabel("talk.wav", 3.0, 4.0, {}, "anger", "ann", 2),
    TimedLabel("talk.wav", 5.0, 6.0, {"valence": 1.0, "arousal": 0.0, "dominance": -1.0}, None,
               "ann", 3),
]  # fmt: skip


def said(labels):
    return [(one.onset_s, one.offset_s, one.values, one.emotion) for one in labels]


@pytest.mark.parametrize(
    "name", ["talk.txt", "talk.eaf", "talk.TextGrid", "talk.annotation", "talk.json"]
)
def test_what_is_written_is_read_back(tmp_path, name):
    path = tmp_path / name
    open.write_timed(path, LABELS)
    read = open.read_timed(path)
    assert said(read) == said(LABELS)
    if path.suffix != ".txt":  # Audacity's labels have no author
        assert {one.annotator for one in read} == {"ann"}
    if path.suffix == ".json":
        assert [one.utterance for one in read] == [1, 2, 3]


def test_audacitys_labels_with_frequencies_and_decimal_commas(tmp_path):
    path = tmp_path / "talk.txt"
    path.write_text("0,5\t1,25\tjoy\n\\\t100.0\t2000.0\n2.000000\t2.000000\tpoint\n3\t4\n")
    assert [(o.onset_s, o.offset_s, o.emotion) for o in audacity.read(path)] == [
        (0.5, 1.25, "joy"),
        (2.0, 2.0, "point"),
        (3.0, 4.0, None),
    ]
    assert len(open.read_timed(path)) == 2  # a point is no stretch


def test_praats_short_text_and_tiers_of_dimensions(tmp_path):
    path = tmp_path / "talk.TextGrid"
    path.write_text(
        'File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n3\n<exists>\n3\n'
        '"IntervalTier"\n"valence"\n0\n3\n2\n0\n1\n""\n1\n3\n"0.5"\n'
        '"IntervalTier"\n"arousal"\n0\n3\n2\n0\n1\n""\n1\n3\n"-0.5"\n'
        '"TextTier"\n"clicks"\n0\n3\n1\n0.5\n"click"\n'
    )
    (label,) = praat.read(path)
    assert (label.onset_s, label.offset_s) == (1.0, 3.0)
    assert label.values == {"valence": 0.5, "arousal": -0.5}
    assert label.annotator is None


def test_elans_tiers_by_annotator_and_its_media(tmp_path):
    pympi = pytest.importorskip("pympi", reason="pympi-ling (extra exchange) is not installed")
    document = pympi.Elan.Eaf()
    document.add_linked_file("file:///data/Interview.wav", mimetype="audio/x-wav")
    for tier in ("emotion@ben", "valence@ben", "arousal@ben"):
        document.add_tier(tier)
    for tier, text in (("emotion@ben", "fear"), ("valence@ben", "-1"), ("arousal@ben", "0,5")):
        document.add_annotation(tier, 1500, 2750, text)
    path = tmp_path / "other.eaf"
    document.to_file(str(path))
    (label,) = elan.read(path)
    assert (label.source, label.onset_s, label.offset_s) == ("Interview", 1.5, 2.75)
    assert label.annotator == "ben"
    assert (label.values, label.emotion) == ({"valence": -1.0, "arousal": 0.5}, "fear")


def track(folder, name, scheme, rows):
    (folder / f"{name}.annotation").write_text(
        f'<annotation ssi-v="3"><info ftype="ASCII" size="{len(rows)}"/>'
        f'<meta role="user" annotator="eve"/>{scheme}</annotation>'
    )
    (folder / f"{name}.annotation~").write_text("".join(f"{row}\n" for row in rows))
    return folder / f"{name}.annotation"


def test_novas_classes_and_continuous_tracks_side_by_side(tmp_path):
    classes = (
        '<scheme name="emotion" type="DISCRETE"><item id="0" name="joy"/><item id="1" name="fear"/>'
        "</scheme>"
    )
    path = track(tmp_path, "one", classes, ["0.5;1.5;1;0.9", "2;3;-1;1", "4;5;0;1"])
    assert [(o.onset_s, o.emotion) for o in nova.read(path)] == [(0.5, "fear"), (4.0, "joy")]
    continuous = '<scheme name="{}" type="CONTINUOUS" sr="4" min="-1" max="1"/>'
    path = track(tmp_path, "user.valence.eve", continuous.format("valence"),
                 ["0.5;1", "NaN;0", "-0.5;1"])  # fmt: skip
    track(tmp_path, "user.arousal.eve", continuous.format("arousal"), ["0.1;1", "0.2;1", "0.3;1"])
    track(tmp_path, "user.arousal.bob", continuous.format("arousal"), ["1;1"])
    labels = nova.read(path)
    assert {(o.onset_s, o.offset_s): o.values for o in labels} == {
        (0.0, 0.25): {"valence": 0.5, "arousal": 0.1},
        (0.25, 0.5): {"arousal": 0.2},
        (0.5, 0.75): {"valence": -0.5, "arousal": 0.3},
    }
    assert {o.annotator for o in labels} == {"eve"}


def test_label_studios_regions_and_skipped_annotations(tmp_path):
    region = {"type": "labels", "from_name": "label",
              "value": {"start": 1.0, "end": 2.0, "labels": ["sadness"]}}  # fmt: skip
    rating = {"type": "rating", "from_name": "valence", "value": {"rating": 4}}
    tasks = [
        {"data": {"audio": "/data/upload/talk.wav"},
         "annotations": [{"completed_by": 3, "result": [region, rating]},
                         {"was_cancelled": True, "result": [region]}]},
    ]  # fmt: skip
    path = tmp_path / "export.json"
    path.write_text(json.dumps(tasks))
    first, second = label_studio.read(path)
    assert (first.onset_s, first.offset_s, first.emotion) == (1.0, 2.0, "sadness")
    assert first.annotator == "annotator 3"
    assert second.values == {"valence": 4.0}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", "1.0 2.0 joy\n", "line 1"),
        ("a.eaf", "<no", "no ELAN document"),
        ("a.TextGrid", "nothing", "no TextGrid"),
        ("a.annotation", "<no", "no annotation of NOVA"),
        ("a.annotation", "<annotation><scheme name='x' type='FREE'/></annotation>", "beside"),
        ("a.json", "{}", "no list of tasks"),
        ("a.json", '[{"data": {}, "annotations": [{"result": [{"type": "x"}]}]}]', "task 1"),
        ("a.xyz", "", "no known format"),
    ],
)
def test_a_broken_file_is_one_line_with_its_name(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(UsageError, match=says) as caught:
        open.read_timed(path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_text_is_the_inverse_of_itself():
    for label in LABELS:
        assert read_text(write_text(label)) == (label.values, label.emotion)


def test_one_recordings_formats_refuse_several(tmp_path):
    other = TimedLabel("other.wav", 0.0, 1.0, {}, "joy", "ann")
    with pytest.raises(UsageError, match="--recording"):
        open.write_timed(tmp_path / "a.txt", [*LABELS, other])
    open.write_timed(tmp_path / "a.json", [*LABELS, other])
    with pytest.raises(UsageError, match="no label to write"):
        open.write_timed(tmp_path / "a.txt", [])

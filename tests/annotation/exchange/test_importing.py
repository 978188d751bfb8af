"""Files of labels into a profile and out of it again."""

import pytest

from streamer.annotation.csv import read_labels
from streamer.annotation.exchange.importing import export_labels, read_any
from streamer.annotation.labels import give
from streamer.annotation.scales import Scales
from streamer.errors import UsageError
from tests.support import bound_profile, label_of, store_utterance


@pytest.fixture
def profile(tmp_path):
    opened = bound_profile(tmp_path / "profile")
    store_utterance(opened)  # made.wav, 1.0 to 2.5 s
    yield opened
    opened.close()


@pytest.mark.parametrize("name", ["made.csv", "made.txt", "made.eaf", "made.TextGrid",
                                  "made.annotation", "made.json"])  # fmt: skip
def test_labels_go_out_and_come_back_the_same(profile, tmp_path, name):
    table = tmp_path / "first.csv"
    table.write_text("source,onset,offset,valence,arousal,emotion,annotator\n"
                     "made,0.9,2.6,0.5,-0.25,joy,ann\n")  # fmt: skip
    read = read_any(profile, table, "me")
    assert read.notes == []
    give(profile, read.labels, read.scale)
    before = [entry.label for entry in profile.labels.effective()]
    assert [(one.utterance, one.valence, one.emotion) for one in before] == [(1, 0.5, "joy")]
    path = tmp_path / name
    assert export_labels(profile, path) == (1, 0)
    profile.labels.undo(1, 1.0)
    again = read_any(profile, path, "ann")
    give(profile, again.labels, again.scale)
    assert [entry.label for entry in profile.labels.effective()] == before


def test_a_table_of_predictions_that_was_filled_in_is_a_table_by_time(profile, tmp_path):
    path = tmp_path / "filled.csv"
    path.write_text("file,onset_s,offset_s,emotion,snr_db\n/x/made.wav,1.0,2.5,anger,20\n"
                    "/x/made.wav,7.0,8.0,anger,20\n")  # fmt: skip
    read = read_any(profile, path, "me")
    assert [(one.utterance, one.emotion) for one in read.labels] == [(1, "anger")]
    assert any("match no utterance" in note for note in read.notes)


def test_another_scale_is_kept_as_given(profile, tmp_path):
    path = tmp_path / "made.txt"
    path.write_text("1.0\t2.5\tvalence=5 arousal=3\n")
    read = read_any(profile, path, "me", Scales.parse("1:5"))
    give(profile, read.labels, read.scale)
    (entry,) = profile.labels.effective()
    assert (entry.label.valence, entry.label.arousal) == (1.0, 0.0)


def test_a_number_comes_before_times(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("utterance,onset,offset,emotion\n7,0,1,joy\n")
    read = read_labels(path, "me")
    assert [one.utterance for one in read.labels] == [7]
    assert read.timed == []


@pytest.mark.parametrize("row", ["made,2,1,joy", "made,,1,joy", "made,-1,1,joy"])
def test_a_stretch_that_is_none_is_refused_with_its_line(profile, tmp_path, row):
    path = tmp_path / "t.csv"
    path.write_text(f"source,onset,offset,emotion\n{row}\n")
    with pytest.raises(UsageError, match="line 2"):
        read_any(profile, path, "me")


def test_only_one_recording_and_one_annotator(profile, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("utterance,emotion,annotator\n1,joy,ann\n1,fear,ben\n")
    read = read_any(profile, path, "me")
    give(profile, read.labels, read.scale)
    assert export_labels(profile, tmp_path / "a.txt", annotator="ben") == (1, 0)
    assert "fear" in (tmp_path / "a.txt").read_text()
    with pytest.raises(UsageError, match="no label"):
        export_labels(profile, tmp_path / "b.txt", recording="other")


@pytest.mark.parametrize("name", ["s.txt", "s.eaf", "s.TextGrid", "s.json"])
def test_a_session_goes_out_with_its_markers_and_its_labels_come_back(profile, tmp_path, name):
    """Two sessions of one microphone, both of which begin at 0 s."""
    first, second = 1, profile.sessions.begin("microphone", "made.wav", 0.0)
    store_utterance(profile)  # at the same time
    profile.database.write("UPDATE utterances SET session = ? WHERE id = 2", second)
    for session, utterance in ((first, 1), (second, 2)):
        give(profile, [label_of(utterance, "ann", emotion="joy")], (-1.0, 1.0))
        profile.markers.add(session, f"stimulus {session}", "key", "made.wav", 1.5, 0.003, 5.0)
        profile.markers.add(session, "second", "key", "made.wav", 1.5, 0.003, 5.0)
    path = tmp_path / name
    assert export_labels(profile, path, session=-1) == (1, 2)
    assert f"stimulus {second}" in path.read_text()
    assert f"stimulus {first}" not in path.read_text()
    read = read_any(profile, path, "ann", session=-1)
    assert [(one.utterance, one.emotion, one.annotator) for one in read.labels] == [
        (2, "joy", "ann")
    ]
    assert read.notes == []


def test_markers_alone_make_a_file_and_formats_without_them_leave_them_out(profile, tmp_path):
    profile.markers.add(1, "beep", "key", "made.wav", 1.5, None, 5.0)
    assert export_labels(profile, tmp_path / "a.TextGrid", session=1) == (0, 1)
    with pytest.raises(UsageError, match="no label to write"):
        export_labels(profile, tmp_path / "a.annotation", session=1)

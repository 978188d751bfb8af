"""A folder of one's own, and label files as people have them."""

import pytest

from streamer.annotation.scales import Scales
from streamer.errors import CorpusError, UsageError
from streamer.evaluation.readers.own_labels import (
    NOT_LABELLED,
    LabelColumns,
    OwnLabels,
    read_own_corpus,
)
from streamer.evaluation.scales import Rating
from tests.evaluation.readers.corpus_files import text, wav


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mine")
    for name in ("anna/01.wav", "anna/02.wav", "ben/01.wav", "ben/03.wav"):
        wav(folder / name, seconds=0.05)
    return folder


def read(folder, tmp_path, *lines, encoding="utf-8", **settings):
    return read_own_corpus(
        folder, OwnLabels(text(tmp_path / "l.csv", *lines, encoding=encoding), **settings)
    )


def test_usual_names_and_what_nobody_labelled(folder, tmp_path):
    corpus = read(
        folder, tmp_path,
        "File,Speaker,Emotion,comment", "anna/01.wav,anna,Joy,x", "ben/03.wav,ben,Schadenfreude,",
    )  # fmt: skip
    assert [(c.utterance, c.speaker, c.emotion) for c in corpus.clips] == [
        ("anna/01.wav", "anna", "happy"),
        ("ben/03.wav", "ben", "schadenfreude"),
    ]
    assert corpus.clips[0].path == folder / "anna" / "01.wav"
    left = [fault.what for fault in corpus.faults if fault.problem == NOT_LABELLED]
    assert left == ["anna/02.wav", "ben/01.wav"]


def test_a_german_spreadsheet_with_columns_of_its_own(folder, tmp_path):
    corpus = read(
        folder, tmp_path,
        "sep=;", "Aufnahme;Person;Wertung;Erregung", "02;Änne;2,5;9", "03;Bo;1;1",
        encoding="cp1252",
        columns=LabelColumns("aufnahme", "Person", valence="Wertung", arousal="Erregung"),
        scales=Scales.parse("valence=1:5,arousal=9:1"),
    )  # fmt: skip
    assert [clip.speaker for clip in corpus.clips] == ["Änne", "Bo"]
    assert corpus.clips[0].rated == Rating(2.5, 9.0)
    assert [clip.affect for clip in corpus.clips] == [Rating(-0.25, -1.0), Rating(-1.0, 1.0)]


def test_several_people_answer_about_one_clip(folder, tmp_path):
    corpus = read(
        folder, tmp_path, "file,speaker,emotion,valence,arousal,annotator",
        "02,a,sad,-0.5,0,x", "02,a,sad,-0.25,,y", "02,a,calm,0,,z", "03,b,sad,0,0,x",
        "03,b,calm,0,0,y",
    )  # fmt: skip
    first, second = corpus.clips
    assert first.emotion == "sad"
    assert first.affect == Rating(-0.25, 0.0)
    assert [answer.annotator for answer in first.answers] == ["x", "y", "z"]
    assert second.emotion is None
    assert second.original_emotion == "sad|calm"
    assert "as many answers" in corpus.faults[0].problem


def test_parts_of_one_recording(folder, tmp_path):
    corpus = read(
        folder, tmp_path, "wav,subject,label,start,end,part",
        "02,a,joy,0,0.02,TRAIN", "02,b,joy,0.02,,test",
    )  # fmt: skip
    assert [(c.start_s, c.end_s, c.split) for c in corpus.clips] == [
        (0.0, 0.02, "train"),
        (0.02, None, "test"),
    ]
    assert len({clip.utterance for clip in corpus.clips}) == 2


@pytest.mark.parametrize(
    "name", ["anna/01", "/their/corpus/mine/anna/01.wav", "D:\\x\\anna\\01.wav", "anna/01.wav"]
)
def test_what_a_recording_may_be_called(folder, tmp_path, name):
    corpus = read(folder, tmp_path, "path,speaker,emotion", f"{name},a,joy")
    assert corpus.clips[0].utterance == "anna/01.wav"


@pytest.mark.parametrize(
    ("lines", "settings", "error", "says"),
    [
        (["file,speaker,emotion", "02,a,joy", "ben/02.wav,b,joy", "x,b,joy"], {}, CorpusError,
         r"2 rows of .*l\.csv without a recording in .*\(line 3: ben/02\.wav, line 4: x\): .*"
         "--skip-missing"),
        (["file,speaker,emotion", "01,a,joy"], {}, CorpusError,
         r"line 2 .*'01' could be anna/01\.wav or ben/01\.wav"),
        (["file,emotion", "02,joy"], {}, CorpusError, "no column with the speaker.*file, emotion"),
        (["file,speaker", "02,a"], {}, CorpusError, "no column emotion, valence or arousal"),
        (["name,speaker,emotion", "02,a,joy"], {}, UsageError, "line 1: .*--file-column"),
        (["file,wav,speaker,emotion", "02,02,a,joy"], {}, UsageError, "file and wav could both"),
        (["file,speaker,emotion", "02,a,joy"], {"columns": LabelColumns(emotion="mood")},
         UsageError, "--emotion-column mood: there is no such column; there is: file, speaker"),
        (["file,speaker,valence", "02,a,3"], {}, UsageError, "--scale 1:5 or 1:7"),
        (["file,speaker,valence", "02,a,6"], {"scales": Scales.parse("1:5")}, CorpusError,
         "line 2 .*valence is 6, not on the scale 1:5"),
        (["file,speaker,valence", "02,a,high"], {}, CorpusError, "valence is 'high'"),
        (["file,speaker,emotion,valence", "02,a,joy,0.5", "03,b,joy,0,5"], {}, UsageError,
         "line 3 .*more cells"),
        (["file,speaker,emotion", "02,a,joy", "02,b,joy"], {}, CorpusError, "has two speakers"),
        (["file,speaker,emotion,onset,offset", "02,a,joy,2,1"], {}, CorpusError, "onset < offset"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named_with_its_remedy(
    folder, tmp_path, lines, settings, error, says
):
    with pytest.raises(error, match=says):
        read(folder, tmp_path, *lines, **settings)


def test_rows_without_a_recording_are_left_out_when_asked(folder, tmp_path):
    lines = ["file,speaker,emotion", "02,a,joy", "x,b,joy"]
    corpus = read(folder, tmp_path, *lines, skip_missing=True)
    assert len(corpus) == 1
    assert corpus.faults[0].what == "line 3: x"

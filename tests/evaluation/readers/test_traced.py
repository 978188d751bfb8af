"""Corpora rated in traces or files beside the sound: SEMAINE, AVEC 2012, VAM."""

import numpy as np
import pytest

from streamer.errors import CorpusError
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.scales import Rating
from streamer.evaluation.sound import ClipSound
from tests.evaluation.readers.corpus_files import text, wav

WORDS = (
    "---recording 4 turn 1---",
    "100 300 HELLO",
    "320 500 <LAUGH>",
    ".",
    "---recording 4 turn 3---",
    "600 900 YES",
    ".",
    "---recording 4 turn 5---",
    ".",
)


def trace(value: float, until_s: float = 1.0) -> list[str]:
    return [f"{t:.2f} {value}" for t in np.arange(0.0, until_s, 0.02)]


def semaine(folder):
    session = folder / "Sessions" / "19"
    text(session / "session.xml", '<?xml version="1.0"?>',
         '<session recording="4" character="Poppy"/>')  # fmt: skip
    wav(session / "2009.06.19.14.01.24_User HeadMounted_Poppy.wav", 1.0)
    wav(session / "2009.06.19.14.01.24_Operator HeadMounted_Poppy.wav", 1.0)
    text(session / "wordLevel_alignedTranscript_19_user", *WORDS)
    text(session / "A1S19TUCPoDV.txt", *trace(0.5))
    text(session / "A2S19TUCPoDV.txt", *trace(-0.1))
    text(session / "A1S19TUCPoDA.txt", *trace(0.2, until_s=0.55))
    text(session / "A1S19TUCPoDE.txt", *trace(0.9))
    return folder


def test_semaine_turns_take_the_mean_of_their_traces(tmp_path):
    corpus = read_corpus("auto", semaine(tmp_path))
    assert corpus.name == "semaine"
    first, second = corpus.clips
    assert (first.utterance, first.speaker, first.session) == ("19_turn001", "recording 4", "19")
    assert (first.start_s, first.end_s) == (0.1, 0.5)
    assert first.affect.valence == pytest.approx(0.2)
    assert first.affect.arousal == pytest.approx(0.2)
    assert first.affect.dominance is None
    assert [(a.annotator, a.affect.valence) for a in first.answers] == [
        ("A1", pytest.approx(0.5)),
        ("A2", pytest.approx(-0.1)),
    ]
    assert second.affect.arousal is None  # that trace ends before the turn
    sound = ClipSound()
    assert len(sound.read(first)) == 6_400
    assert len(sound.read(second)) == 4_800
    sound.close()


def test_semaine_faults_are_told(tmp_path):
    session = semaine(tmp_path) / "Sessions"
    text(session / "19" / "A3S19TUCPoDV.txt", "0.0 0.1", "no trace")
    text(session / "20" / "session.xml", '<session recording="4"/>')
    text(session / "21" / "session.xml", "<session")
    corpus = read_corpus("semaine", tmp_path)
    assert len(corpus) == 2
    assert {fault.problem for fault in corpus.faults} == {
        "a trace that is not lines of time and value",
        "a session without the user's sound or words",
        "a session.xml that names no recording",
    }


def test_avec_labels_run_at_the_video_frame_rate(tmp_path):
    labels = tmp_path / "emotion labels" / "train" / "FC_train_labels"
    rising = [f"{value:.4f}" for value in np.linspace(-1.0, 1.0, 50)]
    text(labels / "labels_continuous_train002_arousal.dat", *rising)
    text(labels / "labels_continuous_train002_valence.dat", *["0.25"] * 50)
    text(labels / "labels_continuous_train002_power.dat", *["-0.5"] * 50)
    text(labels / "labels_continuous_train002_expectancy.dat", *["33.0"] * 50)
    text(tmp_path / "emotion labels" / "labels_continuous_test001_valence.dat", "0.1")
    wav(tmp_path / "audio" / "train_audio002.wav", 1.0)
    text(tmp_path / "transcripts" / "train_transcript002.txt", *WORDS)
    corpus = read_corpus("auto", tmp_path)
    assert corpus.name == "avec2012"
    first, second = corpus.clips
    assert (first.utterance, first.split, first.session) == (
        "train002_turn001",
        "train",
        "train002",
    )
    frames = np.arange(50) / 49.979
    within = (frames >= 0.1) & (frames < 0.5)
    assert first.affect.arousal == pytest.approx(
        np.linspace(-1.0, 1.0, 50)[within].mean(), abs=1e-4
    )
    assert (first.affect.valence, first.affect.dominance) == (0.25, -0.5)
    assert second.affect.arousal > first.affect.arousal
    assert [fault.what for fault in corpus.faults] == ["test001"]


def test_vam_takes_the_merged_evaluation(tmp_path):
    folder = tmp_path / "data" / "Sprecher01"
    wav(folder / "Satz01001.wav")
    text(folder / "Satz01001.ewe", "-0.1250 0.3500 0.5000")
    text(folder / "Satz01001.eva", "-0.5 0.5 0.5", "0.0 0.5 0.0", "bad row")
    wav(folder / "Satz01002.wav")
    text(folder / "Satz01002.eva", "-1 0 1", "-0.5 0.5 1")
    wav(folder / "Satz01003.wav")
    corpus = read_corpus("auto", tmp_path)
    first, second = corpus.clips
    assert (first.utterance, first.speaker, first.emotion) == ("Satz01001", "01", None)
    assert first.affect == Rating(-0.125, 0.35, 0.5)
    assert [a.affect.valence for a in first.answers] == [-0.5, 0.0]
    assert second.affect == Rating(-0.75, 0.25, 1.0)
    assert [fault.problem for fault in corpus.faults] == [
        "a row that is not three numbers",
        "a sentence without its evaluation",
    ]


def test_a_semaine_folder_without_sessions(tmp_path):
    with pytest.raises(CorpusError, match=r"Sessions/19/session\.xml"):
        read_corpus("semaine", tmp_path)

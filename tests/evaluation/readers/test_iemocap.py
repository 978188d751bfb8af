from pathlib import Path

import pytest

from streamer.errors import CorpusError
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.scales import Rating
from tests.evaluation.readers.corpus_files import text, wav

BLOCKS = """\
% [START_TIME - END_TIME] TURN_NAME EMOTION [V, A, D]

[6.2901 - 8.2357]\tSes01F_impro01_F000\tneu\t[2.5000, 2.5000, 2.5000]
C-E2:\tNeutral;\t()
C-E3:\tNeutral; Sadness;\t()
C-E4:\tOther;\t(a comment; with a semicolon)
C-F1:\tAnger;\t()
A-E3:\tval 3; act 2; dom  2;\t()
A-E4:\tval 2; act 3; dom  ;\t(guarded)
A-F1:\tval 5; act 5; dom  5;\t()

[10.0100 - 11.3925]\tSes01F_impro01_M003\txxx\t[5.5000, 3.0000, 1.0000]
C-E2:\tFrustration;\t()

[14.8872 - 18.0175]\tSes01F_impro01_F002\toth\t[1.0000, 5.0000, 3.0000]
"""


def session(folder: Path, blocks: str = BLOCKS) -> Path:
    text(folder / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", blocks)
    # What a Mac leaves beside every file.
    text(folder / "Session1/dialog/EmoEvaluation/._Ses01F_impro01.txt", "\x00\x05")
    for name in ("F000", "M003", "F002"):
        wav(folder / f"Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_{name}.wav")
    return folder


def test_summary_lines_and_evaluators(tmp_path):
    corpus = read_corpus("auto", session(tmp_path))
    assert corpus.name == "iemocap"
    first, second, third = corpus.clips
    assert first.utterance == "Ses01F_impro01_F000"
    assert (first.speaker, first.session, first.emotion) == ("Ses01F", "01", "neutral")
    assert first.rated == Rating(2.5, 2.5, 2.5)
    assert first.affect == Rating(-0.25, -0.25, -0.25)
    assert first.path is not None
    assert first.path.is_file()
    # The other side of the dialog speaks too.
    assert second.speaker == "Ses01M"
    assert third.affect == Rating(-1.0, 1.0, 0.0)


def test_evaluators_answer_in_category_and_attributes(tmp_path):
    first = read_corpus("iemocap", session(tmp_path)).clips[0]
    assert [(a.annotator, a.emotion) for a in first.answers] == [
        ("E2", "neutral"),
        ("E3", "neutral"),
        ("E4", None),
    ]
    assert first.answers[0].affect == Rating()
    assert first.answers[1].affect == Rating(0.0, -0.5, -0.5)
    assert first.answers[2].affect == Rating(-0.5, 0.0, None)


def test_no_agreement_and_other_keep_their_ratings(tmp_path):
    corpus = read_corpus("iemocap", session(tmp_path))
    assert [(c.original_emotion, c.emotion) for c in corpus.clips[1:]] == [
        ("xxx", None),
        ("oth", None),
    ]
    assert "2 without a usable emotion (xxx: 1, oth: 1)" in corpus.summary()
    # A published mean off the scale is kept as it is, counts as the end, and is told.
    assert corpus.clips[1].rated.valence == 5.5
    assert corpus.clips[1].affect.valence == 1.0
    assert [fault.problem for fault in corpus.faults] == [
        "a rating off the scale 1 to 5, taken as its nearer end"
    ]


def test_missing_sounds_and_broken_lines_are_told(tmp_path):
    broken = BLOCKS + "\n[1.0 - ]\tSes01F_impro01_F009\tneu\t[2.5, 2.5, 2.5]\n"
    broken += "[1.0 - 2.0]\tSes01F_impro01_F010\tjoy\t[2.5, 2.5, 2.5]\n"
    session(tmp_path, broken)
    (tmp_path / "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F002.wav").unlink()
    corpus = read_corpus("iemocap", tmp_path)
    assert len(corpus) == 2
    problems = [fault.problem for fault in corpus.faults]
    assert "an utterance without its sound file" in problems
    assert "a summary line that cannot be read" in problems
    assert "an unknown emotion code 'joy'" in problems
    assert corpus.faults[0].what.startswith("Session1/dialog/EmoEvaluation/Ses01F_impro01.txt line")


def test_labels_without_any_sound_say_how_it_should_look(tmp_path):
    text(tmp_path / "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt", BLOCKS)
    with pytest.raises(CorpusError, match="Session1/sentences/wav/Ses01F_impro01"):
        read_corpus("auto", tmp_path)

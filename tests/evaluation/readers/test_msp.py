"""MSP-Podcast and MSP-IMPROV."""

import pytest

from streamer.errors import CorpusError
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.scales import Rating
from tests.evaluation.readers.corpus_files import text, wav

HEADER = "FileName,EmoClass,EmoAct,EmoVal,EmoDom,SpkrID,Gender,Split_Set"
FIRST, SECOND = "MSP-PODCAST_0001_0008.wav", "MSP-PODCAST_0002_0033.wav"


def podcast(folder, *rows: str, name: str = "labels_consensus.csv"):
    text(folder / "Labels" / name, HEADER, *rows)
    for file in (FIRST, SECOND):
        wav(folder / "Audios" / file)
    return folder


def test_podcast_consensus_and_parts(tmp_path):
    podcast(
        tmp_path,
        f"{FIRST},N,2.2,4.0,7.0,127,Female,Train",
        f"{SECOND},X,1.0,,nan,Unknown,Male,Development",
    )
    corpus = read_corpus("auto", tmp_path)
    first, second = corpus.clips
    assert corpus.name == "msp-podcast"
    assert (first.speaker, first.emotion, first.split) == ("127", "neutral", "train")
    assert first.rated == Rating(4.0, 2.2, 7.0)
    assert first.affect.valence == 0.0
    assert first.affect.arousal == pytest.approx(-0.6)
    assert first.affect.dominance == 1.0
    assert (second.speaker, second.emotion, second.split) == ("", None, "validation")
    assert second.affect == Rating(None, -1.0, None)
    assert corpus.speakers == ["127"]


def test_podcast_single_answers_in_one_field(tmp_path):
    podcast(tmp_path, f"{FIRST},A,5.0,2.0,5.0,127,Female,Test1")
    text(
        tmp_path / "Labels" / "labels_detailed.csv",
        "FileName,EmoDetail",
        f'{FIRST},"WORKER00000001; Angry; Angry,Annoyed; A:7.000000; V:1.000000; D:4.000000;"',
        f'{FIRST},"WORKER00000002; Other-Concerned; Concerned; A:4.0; V:2.5; D:NaN;"',
        f'{FIRST},"WORKER00000003; Angry;"',
    )
    corpus = read_corpus("auto", tmp_path)
    (clip,) = corpus.clips
    assert clip.split == "test1"
    assert [(a.annotator, a.emotion) for a in clip.answers] == [
        ("WORKER00000001", "angry"),
        ("WORKER00000002", None),
    ]
    assert clip.answers[0].affect == Rating(-1.0, 1.0, 0.0)
    assert clip.answers[1].affect == Rating(-0.5, 0.0, None)
    assert [fault.problem for fault in corpus.faults] == ["an answer that cannot be read"]


def test_podcast_single_answers_in_columns_of_an_older_release(tmp_path):
    row = f"{FIRST},H,5.0,2.0,5.0,127,Female,Train"
    podcast(tmp_path, row, name="labels_concensus.csv")
    text(
        tmp_path / "Labels" / "labels_detailed.csv",
        "FileName,Workers,EmoClass_Major,EmoClass_Second,EmoAct,EmoVal,EmoDom",
        f"{FIRST},WORKER1,Happy,,4,7,1",
    )
    (answer,) = read_corpus("auto", tmp_path).clips[0].answers
    assert (answer.annotator, answer.emotion) == ("WORKER1", "happy")
    assert answer.affect == Rating(1.0, 0.0, -1.0)


def test_podcast_faults_are_told(tmp_path):
    podcast(
        tmp_path,
        f"{FIRST},N,2.2,4.0,4.0,127,Female,Train",
        "MSP-PODCAST_0009_0001.wav,N,2.2,4.0,4.0,127,Female,Train",
        f'{SECOND},N,"2,2",4.0,4.0,127,Female,Train',
        f"{SECOND},N,2.2",
    )
    corpus = read_corpus("msp-podcast", tmp_path)
    assert len(corpus) == 1
    assert {fault.problem for fault in corpus.faults} == {
        "no answers of single annotators",
        "a row without its sound file",
        "a rating that is no number",
        "a row of more or fewer fields than the header",
    }


def test_podcast_without_its_labels_or_columns(tmp_path):
    with pytest.raises(CorpusError, match=r"no Labels/labels_consensus\.csv"):
        read_corpus("msp-podcast", tmp_path)
    text(tmp_path / "Labels" / "labels_consensus.csv", "FileName,Emotion", f"{FIRST},N")
    with pytest.raises(CorpusError, match=r"no columns FileName, EmoClass.*'FileName,Emotion'"):
        read_corpus("auto", tmp_path)


EVALUATION = """\
UTD-IMPROV-S01A-F01-P-FM01.avi; A; A:2.000000; V:1.000000; D:5.000000 ; N:4.200000;
WORKER_1; Angry; Angry,Frustrated; A:1.000000; V:1.000000; D:5.000000; N:5.000000;
WORKER_2; Other; Concerned, (worried); A:3.000000; V:1.000000; D:NaN; N:NaN;
what is this

UTD-IMPROV-S12H-M06-R-MF03.avi; X; A:3.000000; V:4.000000; D:NaN ; N:3.0;
WORKER_1; Happy; Happy; A:3.0; V:4.0; D:3.0; N:3.0;

UTD-IMPROV-S12H-M06-R-MF04.avi; H; A:3.000000; V:4.000000; D:3.0 ; N:3.0;
WORKER_1; Happy; Happy; A:3.0; V:4.0; D:3.0; N:3.0;
"""


def test_improv_turns_its_activation_around(tmp_path):
    text(tmp_path / "Evaluation.txt", EVALUATION)
    wav(tmp_path / "session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav")
    wav(tmp_path / "session6/S12H/R/MSP-IMPROV-S12H-M06-R-MF03.wav")
    wav(tmp_path / "session6/S12H/R/MSP-IMPROV-S12H-M06-R-MF09.wav")
    corpus = read_corpus("auto", tmp_path)
    first, second = corpus.clips
    assert first.utterance == "MSP-IMPROV-S01A-F01-P-FM01"
    assert (first.speaker, first.session, first.emotion) == ("F01", "01", "angry")
    assert first.rated == Rating(1.0, 2.0, 5.0)
    # From excited (1) to calm (5): 2 is rather excited.
    assert first.affect == Rating(-1.0, 0.5, 1.0)
    assert [(a.annotator, a.emotion, a.affect.arousal) for a in first.answers] == [
        ("WORKER_1", "angry", 1.0),
        ("WORKER_2", None, 0.0),
    ]
    assert first.answers[1].affect.dominance is None
    assert (second.speaker, second.emotion, second.affect.dominance) == ("M06", None, None)
    assert len(second.answers) == 1
    assert [fault.problem for fault in corpus.faults] == [
        "an answer that cannot be read",
        "an utterance without its sound file",
        "a sound file without an evaluation",
    ]


def test_improv_needs_its_evaluation(tmp_path):
    with pytest.raises(CorpusError, match=r"no Evaluation\.txt"):
        read_corpus("msp-improv", tmp_path)

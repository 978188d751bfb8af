import numpy as np
import pytest

from streamer.errors import CorpusError
from streamer.evaluation.readers import read_corpus
from tests.evaluation.readers.corpus_files import SHARED, text, wav

VOTED = SHARED / "labels" / "cremad_votes.csv.gz"
RESPONSES = (
    '"","localid","pos","ans","ttr","queryType","numTries","clipNum","questNum","subType",'
    '"clipName","sessionNums","respEmo","respLevel","dispEmo","dispVal","dispLevel"'
)
SIX = ["angry", "disgusted", "fearful", "happy", "neutral", "sad"]


def response(listener: str, query: int, clip: str, vote: str) -> str:
    return f"1,{listener},1,{vote}_80,1,{query},0,1,1,4,{clip},s1,{vote},80,A,50,X"


def test_answers_are_those_to_the_voice_alone(tmp_path):
    wav(tmp_path / "AudioWAV" / "1001_DFA_ANG_XX.wav")
    wav(tmp_path / "AudioMP3" / "1001_DFA_ANG_XX.wav")  # the same clips in another form
    text(
        tmp_path / "finishedResponses.csv",
        RESPONSES,
        response("anna", 1, "1001_DFA_ANG_XX", "A"),
        response("ben", 1, "1001_DFA_ANG_XX", "D"),
        response("ben", 2, "1001_DFA_ANG_XX", "H"),
        response("cleo", 1, "1001_DFA_ANG_XX", "Q"),
    )
    corpus = read_corpus("auto", tmp_path)
    (clip,) = corpus.clips
    assert clip.emotion == "angry"
    assert [(a.annotator, a.emotion) for a in clip.answers] == [
        ("anna", "angry"),
        ("ben", "disgusted"),
    ]
    assert [fault.problem for fault in corpus.faults] == ["an unknown vote 'Q'"]
    np.testing.assert_array_equal(corpus.votes(SIX), [[1, 1, 0, 0, 0, 0]])


def test_counts_do_where_single_answers_are_missing(tmp_path):
    wav(tmp_path / "AudioWAV" / "1001_IEO_HAP_HI.wav")
    header = '"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote"'
    text(
        tmp_path / "processedResults" / "tabulatedVotes.csv",
        header,
        '"100004",2,0,0,6,2,0,"1001_IEO_HAP_HI",10,0.6,"H"',
        '"300004",0,0,0,9,0,0,"1001_IEO_HAP_HI",9,1,"H"',
    )
    corpus = read_corpus("auto", tmp_path)
    np.testing.assert_array_equal(corpus.votes(SIX), [[2, 0, 0, 6, 2, 0]])
    assert {answer.annotator for answer in corpus.clips[0].answers} == {""}
    assert not corpus.faults


def test_no_votes_at_all_is_told(tmp_path):
    wav(tmp_path / "AudioWAV" / "1001_IEO_HAP_HI.wav")
    (fault,) = read_corpus("auto", tmp_path).faults
    assert fault.problem.startswith("no votes: neither finishedResponses.csv")


def test_votes_without_audio_make_a_corpus(tmp_path):
    table = text(
        tmp_path / "votes.csv",
        "clip,modality,A,D,F,H,N,S,numResponses",
        "1001_IEO_NEU_XX,voice,0,0,0,1,10,0,11",
        "1001_IEO_NEU_XX,face,0,5,0,1,5,0,11",
        "1001_IEO_HAP_LO,voice,0,0,0,three,6,0,9",
        "untitled,voice,0,0,0,1,6,0,9",
    )
    corpus = read_corpus("crema-d", table)
    assert [(c.utterance, c.emotion, c.path) for c in corpus.clips] == [
        ("1001_IEO_NEU_XX", "neutral", None)
    ]
    np.testing.assert_array_equal(corpus.votes(SIX), [[0, 0, 0, 1, 10, 0]])
    assert len(corpus.faults) == 2
    with pytest.raises(CorpusError, match="no columns clip, modality"):
        read_corpus("crema-d", text(tmp_path / "other.csv", "a,b", "1,2"))


@pytest.mark.skipif(not VOTED.is_file(), reason="needs ../shared/data/labels/cremad_votes.csv.gz")
def test_the_real_votes():
    corpus = read_corpus("crema-d", VOTED)
    assert len(corpus) == 7442
    assert len(corpus.speakers) == 91
    assert corpus.emotions == SIX
    assert not corpus.faults
    votes = corpus.votes(SIX)
    names = {clip.utterance: k for k, clip in enumerate(corpus.clips)}
    np.testing.assert_array_equal(votes[names["1001_IEO_HAP_HI"]], [2, 0, 0, 6, 2, 0])
    # Voices alone are hard: many who should sound happy or sad are heard as neutral.
    acted = corpus.classes(SIX)
    assert 0.3 < np.mean(votes.argmax(axis=1) == acted) < 0.6

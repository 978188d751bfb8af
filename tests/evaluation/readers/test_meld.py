import pytest

from streamer.errors import CorpusError
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.splits import predefined_split, shared_speakers
from tests.evaluation.readers.corpus_files import text, wav

HEADER = (
    "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,"
    "StartTime,EndTime"
)


def row(speaker: str, emotion: str, dialogue: int, utterance: int) -> str:
    said = '"Oh my God, he’s lost it."'
    times = '"00:20:57,256","00:21:00,049"'
    return f"1,{said},{speaker},{emotion},negative,{dialogue},{utterance},4,7,{times}"


def meld(folder, encoding: str = "utf-8"):
    """MELD.Raw, with the sound of each film beside it. Numbers begin anew in each part."""
    text(folder / "train" / "train_sent_emo.csv", HEADER, row("Ross", "joy", 0, 0),
         row("Monica", "surprise", 0, 1), encoding=encoding)  # fmt: skip
    text(folder / "dev_sent_emo.csv", HEADER, row("Phoebe", "sadness", 0, 0), encoding=encoding)
    text(folder / "test_sent_emo.csv", HEADER, row("Ross", "anger", 0, 0), encoding=encoding)
    for name in (
        "train/train_splits/dia0_utt0",
        "train/train_splits/dia0_utt1",
        "dev_splits_complete/dia0_utt0",
        "output_repeated_splits_test/dia0_utt0",
    ):
        wav(folder / f"{name}.wav")
    return folder


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_three_parts(tmp_path, encoding):
    corpus = read_corpus("auto", meld(tmp_path, encoding))
    assert corpus.name == "meld"
    assert [(c.utterance, c.speaker, c.emotion, c.split) for c in corpus.clips] == [
        ("train_dia0_utt0", "Ross", "happy", "train"),
        ("train_dia0_utt1", "Monica", "surprised", "train"),
        ("dev_dia0_utt0", "Phoebe", "sad", "validation"),
        ("test_dia0_utt0", "Ross", "angry", "test"),
    ]
    assert corpus.clips[3].path == tmp_path / "output_repeated_splits_test" / "dia0_utt0.wav"
    assert not corpus.faults


def test_its_own_split_shares_speakers(tmp_path):
    corpus = read_corpus("meld", meld(tmp_path))
    split = predefined_split(corpus)
    assert (split.train.tolist(), split.test.tolist()) == ([0, 1], [3])
    assert shared_speakers(corpus, split) == ["Ross"]


def test_what_is_missing_is_told(tmp_path):
    meld(tmp_path)
    (tmp_path / "dev_sent_emo.csv").unlink()
    (tmp_path / "output_repeated_splits_test" / "dia0_utt0.wav").unlink()
    wav(tmp_path / "output_repeated_splits_test" / "final_videos_testdia93_utt6.wav")
    corpus = read_corpus("meld", tmp_path)
    assert len(corpus) == 2
    assert {fault.problem for fault in corpus.faults} == {
        "a table that is not there",
        "an utterance without its sound file",
        "a sound file that is no utterance of meld",
    }


def test_films_alone_say_how_to_get_their_sound(tmp_path):
    text(tmp_path / "train_sent_emo.csv", HEADER, row("Ross", "joy", 0, 0))
    with pytest.raises(CorpusError, match=r"without its sound file.*ffmpeg"):
        read_corpus("auto", tmp_path)

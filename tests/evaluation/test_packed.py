import numpy as np
import pytest
import soundfile

from streamer.errors import CorpusError
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.sound import ClipSound
from tests.evaluation.readers.corpus_files import SHARED, text

HEADER = "corpus,clip,start,samples,language,speaker,gender,emotion,extra"


def packed(folder):
    ramp = np.linspace(-0.5, 0.5, 3_000).astype(np.float32)
    soundfile.write(folder / "one.wav", ramp, 16_000, "FLOAT")
    text(folder / "clips.csv", HEADER,
         "one,a.wav,0,1000,en,ann,f,anger,", "one,b.wav,1000,2000,en,ben,m,,x",
         "one,c.wav,many,2000,en,ben,m,,", "two,a.wav,0,1000,pl,cleo,f,joy,")  # fmt: skip
    return folder


def test_a_corpus_of_a_packed_folder(tmp_path):
    corpus = read_corpus("one", packed(tmp_path))
    first, second = corpus.clips
    assert (first.utterance, first.speaker, first.emotion) == ("a.wav", "ann", "angry")
    assert second.emotion is None
    assert [fault.what for fault in corpus.faults] == ["clips.csv line 4"]
    sound = ClipSound()
    np.testing.assert_array_equal(
        np.concatenate([sound.read(first), sound.read(second)]),
        soundfile.read(tmp_path / "one.wav", dtype="float32")[0],
    )
    sound.close()


def test_which_one_must_be_said(tmp_path):
    with pytest.raises(CorpusError, match="name one of: one, two"):
        read_corpus("auto", packed(tmp_path))
    with pytest.raises(CorpusError, match=r"no two\.opus; its clips\.csv names: one, two"):
        read_corpus("two", tmp_path)


@pytest.mark.skipif(not (SHARED / "speech").is_dir(), reason="needs ../shared/data/speech")
def test_the_real_packed_corpora():
    ravdess = read_corpus("ravdess", SHARED / "speech")
    assert (len(ravdess), len(ravdess.speakers), len(ravdess.emotions)) == (1440, 24, 8)
    first = ravdess.clips[0]
    audio = ClipSound().read(first)
    assert len(audio) == 61_395
    assert 0.01 < abs(audio).max() < 1.0

"""Corpora whose file names say everything."""

import pytest

from streamer.errors import CorpusError
from streamer.evaluation.readers import read_corpus
from tests.evaluation.readers.corpus_files import wav

# Corpus, then file, utterance, speaker, emotion.
CASES = [
    ("ravdess", "Actor_12/03-01-06-01-02-01-12.wav", "03-01-06-01-02-01-12", "12", "fearful"),
    ("ravdess", "Actor_01/03-01-02-01-01-01-01.wav", "03-01-02-01-01-01-01", "01", "calm"),
    ("tess", "OAF_angry/OAF_back_angry.wav", "OAF_back_angry", "OAF", "angry"),
    ("tess", "YAF_pleasant_surprised/YAF_back_ps.wav", "YAF_back_ps", "YAF", "surprised"),
    ("tess", "OAF_neutral/OA_bite_neutral.wav", "OAF_bite_neutral", "OAF", "neutral"),
    ("tess", "testnew/0testYAF_gaze_ps39.wav", "YAF_gaze_ps", "YAF", "surprised"),
    ("emodb", "wav/03a01Wa.wav", "03a01Wa", "03", "angry"),
    ("emodb", "wav/16b10Lb.wav", "16b10Lb", "16", "bored"),
    ("savee", "AudioData/DC/a01.wav", "DC_a01", "DC", "angry"),
    ("savee", "AudioData/KL/su15.wav", "KL_su15", "KL", "surprised"),
    ("savee", "ALL/JE_sa03.wav", "JE_sa03", "JE", "sad"),
    ("shemo", "female/F01A01.wav", "F01A01", "F01", "angry"),
    ("shemo", "male/M44W02.wav", "M44W02", "M44", "surprised"),
    ("shemo", "female/F05F01.wav", "F05F01", "F05", "fearful"),
    ("emov-db", "bea_Amused/amused_1-15_0001.wav", "bea_amused_1-15_0001", "bea", "amused"),
    ("emov-db", "sam/Sleepy/sleepiness_1-28_0009.wav", "sam_sleepiness_1-28_0009", "sam", "sleepy"),
    ("nemo", "samples/SM0_anger_6.wav", "SM0_anger_6", "SM0", "angry"),
    ("nemo", "samples/WR0_surprised_64.wav", "WR0_surprised_64", "WR0", "surprised"),
    ("enterface", "subject 1/anger/sentence 1/s1_an_1.wav", "s1_an_1", "1", "angry"),
    ("enterface", "subject 11/fear/sentence 2/s12_fe_2.wav", "s11_fe_2", "11", "fearful"),
    ("enterface", "subject 3/sadness/sentence 3/s_3_sa_3.wav", "s3_sa_3", "3", "sad"),
    ("enterface", "subject 16/surprise/sentence 3/s16_su_3avi.wav", "s16_su_3", "16", "surprised"),
    ("crema-d", "AudioWAV/1001_DFA_ANG_XX.wav", "1001_DFA_ANG_XX", "1001", "angry"),
    ("crema-d", "AudioWAV/1091_WSI_DIS_HI.wav", "1091_WSI_DIS_HI", "1091", "disgusted"),
]


@pytest.mark.parametrize("name", ["auto", "by its name"])
@pytest.mark.parametrize(("corpus", "file", "utterance", "speaker", "emotion"), CASES)
def test_a_file_name_gives_speaker_and_emotion(
    tmp_path, name, corpus, file, utterance, speaker, emotion
):
    path = wav(tmp_path / file)
    found = read_corpus("auto" if name == "auto" else corpus, tmp_path)
    assert found.name == corpus
    (clip,) = found.clips
    assert (clip.utterance, clip.speaker, clip.emotion) == (utterance, speaker, emotion)
    assert clip.path == path
    assert (clip.start_s, clip.end_s) == (0.0, None)


def test_other_files_are_counted_and_told(tmp_path):
    wav(tmp_path / "wav" / "03a01Wa.wav")
    wav(tmp_path / "wav" / "03a01Xa.wav")
    wav(tmp_path / "noise.wav")
    (tmp_path / "erkennung.txt").write_text("no sound")
    corpus = read_corpus("emodb", tmp_path)
    assert len(corpus) == 1
    assert {(f.what, f.problem) for f in corpus.faults} == {
        ("noise.wav", "a file name that is not one of emodb"),
        ("wav/03a01Xa.wav", "an unknown emotion code 'X'"),
    }
    assert "2 at fault" in corpus.summary()


def test_an_archive_that_holds_everything_twice_is_read_once(tmp_path):
    """RAVDESS and TESS are passed around with a second copy inside."""
    for folder in ("Actor_01", "audio_speech_actors_01-24/Actor_01"):
        wav(tmp_path / folder / "03-01-06-01-02-01-01.wav")
    corpus = read_corpus("auto", tmp_path)
    assert len(corpus) == 1
    assert [fault.problem for fault in corpus.faults] == ["a second clip of the same name"]


def test_ravdess_songs_and_silent_films_are_no_speech(tmp_path):
    wav(tmp_path / "03-01-06-01-02-01-12.wav")
    wav(tmp_path / "03-02-06-01-02-01-12.wav")
    wav(tmp_path / "02-01-06-01-02-01-12.wav")
    corpus = read_corpus("ravdess", tmp_path)
    assert [clip.utterance for clip in corpus.clips] == ["03-01-06-01-02-01-12"]
    assert len(corpus.faults) == 2


def test_enterface_videos_alone_say_how_to_get_their_sound(tmp_path):
    film = tmp_path / "subject 1" / "anger" / "sentence 1" / "s1_an_1.avi"
    film.parent.mkdir(parents=True)
    film.write_bytes(b"RIFF....AVI ")
    with pytest.raises(CorpusError, match=r"a video without a WAV beside it.*ffmpeg"):
        read_corpus("auto", tmp_path)
    wav(film.with_suffix(".wav"))
    assert len(read_corpus("auto", tmp_path)) == 1


def test_a_folder_of_nothing_known_says_what_was_looked_for(tmp_path):
    with pytest.raises(CorpusError, match=r"Actor_01/03-01-06-01-02-01-01\.wav"):
        read_corpus("ravdess", tmp_path)
    wav(tmp_path / "holiday.wav")
    with pytest.raises(CorpusError, match=r"none of the known corpora .*name one of them: iemocap"):
        read_corpus("auto", tmp_path)
    with pytest.raises(CorpusError, match=r"holiday\.wav: a file name that is not one of tess"):
        read_corpus("tess", tmp_path)
    with pytest.raises(CorpusError, match="no reader 'swahili'"):
        read_corpus("swahili", tmp_path)
    with pytest.raises(CorpusError, match="does not exist"):
        read_corpus("auto", tmp_path / "nowhere")


def test_a_folder_of_two_corpora_asks_which(tmp_path):
    wav(tmp_path / "03a01Wa.wav")
    wav(tmp_path / "F01A01.wav")
    with pytest.raises(CorpusError, match="could be any of: emodb, shemo"):
        read_corpus("auto", tmp_path)
    assert len(read_corpus("shemo", tmp_path)) == 1

"""Single files as their owners ship them, where the shared data has some."""

import shutil
from pathlib import Path

import pytest

from streamer.evaluation.readers import read_corpus
from streamer.evaluation.sound import ClipSound
from tests.evaluation.readers.corpus_files import SHARED

WAV = SHARED / "wav"
needs_wav = pytest.mark.skipif(not WAV.is_dir(), reason="needs ../shared/data/wav")


def under_their_own_names(corpus: str, folder: Path) -> Path:
    for path in WAV.glob(f"{corpus}_*.wav"):
        shutil.copy(path, folder / path.name.removeprefix(f"{corpus}_"))
    return folder


@needs_wav
@pytest.mark.parametrize(
    ("corpus", "clips", "speakers", "emotions"),
    [
        (
            "ravdess",
            8,
            {"02", "03", "04", "06", "10", "14", "20", "21"},
            {"angry", "calm", "fearful", "happy", "sad", "surprised"},
        ),
        ("tess", 5, {"OAF", "YAF"}, {"disgusted", "fearful", "happy", "surprised"}),
        ("nemo", 3, {"EB0", "IC0", "SM0"}, {"angry", "happy"}),
    ],
)
def test_owners_files_are_read_and_heard(tmp_path, corpus, clips, speakers, emotions):
    found = read_corpus("auto", under_their_own_names(corpus, tmp_path))
    assert found.name == corpus
    assert not found.faults
    assert len(found) == clips
    assert set(found.speakers) <= speakers
    assert set(found.emotions) == emotions
    sound = ClipSound()
    for clip in found.clips:
        audio = sound.read(clip)
        assert 0.5 < len(audio) / 16_000 < 6.0
        assert abs(audio).max() > 0.01
    sound.close()

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from streamer.errors import UnreadableAudio
from streamer.evaluation.corpus import CorpusClip
from streamer.evaluation.sound import ClipSound


def clip(path: Path, start_s: float = 0.0, end_s: float | None = None, **fields) -> CorpusClip:
    return CorpusClip("u", "ann", path=path, start_s=start_s, end_s=end_s, **fields)


@pytest.fixture
def noise() -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal(200_000)).astype(np.float32)


@pytest.mark.parametrize(
    "pieces", [[(0.0, 1.0), (1.0, 1.5), (9.0, 12.5)], [(9.0, 9.5), (0.5, 1.0)]]
)
def test_pieces_in_any_order(tmp_path, noise, pieces):
    path = tmp_path / "long.wav"
    soundfile.write(path, noise, 16_000, "FLOAT")
    sound = ClipSound()
    for start_s, end_s in pieces:
        expected = noise[round(start_s * 16_000) : round(end_s * 16_000)]
        np.testing.assert_array_equal(sound.read(clip(path, start_s, end_s)), expected)
    np.testing.assert_array_equal(sound.read(clip(path)), noise)
    sound.close()


def test_other_rates_and_channels(tmp_path, noise):
    path = tmp_path / "stereo.flac"
    both = np.stack([noise[:48_000], 0.5 * noise[48_000:96_000]], axis=1)
    soundfile.write(path, both, 48_000, "PCM_24")
    sound = ClipSound()
    for channel, mono in ((None, both.mean(axis=1)), (1, both[:, 0]), (2, both[:, 1])):
        heard = sound.read(clip(path, channel=channel))
        assert len(heard) == 16_000
        np.testing.assert_allclose(heard, soxr.resample(mono, 48_000, 16_000), atol=1e-4)
    sound.close()


def test_what_cannot_be_heard(tmp_path, noise):
    sound = ClipSound()
    path = tmp_path / "short.wav"
    soundfile.write(path, noise[:16_000], 16_000)
    with pytest.raises(UnreadableAudio, match="ends before u does"):
        sound.read(clip(path, 0.5, 1.5))
    with pytest.raises(UnreadableAudio, match="ends before u does"):
        sound.read(clip(path, 2.0, 2.5))
    with pytest.raises(UnreadableAudio, match="does not exist"):
        sound.read(clip(tmp_path / "none.wav"))
    soundfile.write(path, np.full(16_000, np.nan), 16_000, "FLOAT")
    with pytest.raises(UnreadableAudio, match="not finite"):
        ClipSound().read(clip(path))
    soundfile.write(path, np.zeros(16_000), 16_000)
    with pytest.raises(UnreadableAudio, match="only zeros for u"):
        ClipSound().read(clip(path))
    with pytest.raises(UnreadableAudio, match="a row of a table"):
        sound.read(CorpusClip("u", "ann"))

import numpy as np
import pytest

from streamer.evaluation.duplicates import first_alike, sketch


@pytest.fixture
def sounds() -> list[np.ndarray]:
    """Coloured, as speech is: neighbouring samples are alike. Some lie about another level."""
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((40, 8_000))
    return [
        (np.convolve(row, np.hanning(20), "same") + k % 3).astype(np.float32)
        for k, row in enumerate(noise)
    ]


def alike(sounds: list[np.ndarray]) -> list[int]:
    lengths = np.array([len(sound) for sound in sounds])
    return first_alike(lengths, np.array([sketch(sound) for sound in sounds])).tolist()


def test_only_the_same_samples_are_alike(sounds):
    assert alike(sounds) == list(range(40))
    assert alike([*sounds[:3], sounds[1]]) == [0, 1, 2, 1]


def test_a_codec_and_a_gain_do_not_hide_a_copy(sounds):
    error = np.random.default_rng(5).standard_normal(8_000) * sounds[2].std() * 0.07
    assert alike([*sounds, sounds[2] + error, 0.5 * sounds[2]])[-2:] == [2, 2]


def test_another_length_is_another_recording(sounds):
    assert alike([sounds[0], sounds[0][:-1]]) == [0, 1]


@pytest.mark.parametrize("length", [1, 50, 128, 4_000])
def test_silence_is_like_nothing(length):
    silence = np.zeros(length, np.float32)
    assert alike([silence, silence]) == [0, 1]
    assert sketch(silence).shape == (128,)

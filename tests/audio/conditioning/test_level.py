"""What is far too quiet is raised, what is beyond full scale lowered, anything else left alone."""

import numpy as np
import pytest

from streamer.audio.conditioning.level import LevelFollower
from streamer.audio.endpointer import Endpointer
from streamer.audio.vad import SileroVoiceActivity
from streamer.testing import Spoken
from streamer.types import Samples


def follow(*frames_dbfs: float) -> LevelFollower:
    follower = LevelFollower()
    for frame_dbfs in frames_dbfs:
        follower.observe(10.0 ** (frame_dbfs / 10.0))
    return follower


def cut(sound: Samples) -> list[Samples]:
    endpointer = Endpointer(SileroVoiceActivity(), level=LevelFollower())
    return [audio for _, audio, _ in [*endpointer.hear(sound), *endpointer.finish()]]


def test_ordinary_levels_are_left_alone() -> None:
    assert follow(*[-62.0] * 30, *[-30.0] * 3).gain_db == 0
    assert follow(*[-62.0] * 30).gain_db == 0
    assert follow(*[-90.0] * 3, *[-48.0] * 20).gain_db == 0


def test_quiet_speech_is_raised_but_not_the_noise_above_its_ceiling() -> None:
    assert follow(*[-118.0] * 5, *[-80.0] * 5).gain_db == pytest.approx(56, abs=1)
    assert follow(*[-90.0] * 5, *[-80.0] * 5).gain_db == pytest.approx(28, abs=1)
    assert follow(*[-55.0] * 5).gain_db == 0


def test_a_level_is_too_quiet_once_enough_of_it_was_heard() -> None:
    assert follow(*[-90.0, -45.0, -45.0] * 10).gain_db == 0
    assert follow(*[-90.0, -45.0, -45.0] * 200).gain_db == pytest.approx(21)


def test_a_loud_voice_after_a_pause_is_not_raised() -> None:
    follower = follow(*[-100.0] * 2_000)
    assert follower.gain_db > 30
    follower.observe(0.001)
    assert follower.gain_db == 0


def test_digital_silence_says_nothing_of_the_noise_after_it() -> None:
    assert follow(*[-120.0] * 100, -52.0, -54.0, -52.0).gain_db == 0


def test_a_click_is_no_level() -> None:
    assert follow(*[-80.0] * 5, 0.0, *[-80.0] * 5).gain_db == pytest.approx(18, abs=1)


@pytest.mark.parametrize("gain_db", [-50, -60, 26])
def test_the_same_utterances_are_found_at_any_level(
    spoken_session: tuple[Samples, list[Spoken]], gain_db: float
) -> None:
    sound = spoken_session[0]
    usual = cut(sound)
    found = cut(sound * np.float32(10.0 ** (gain_db / 20.0)))
    assert len(found) == len(usual) == len(spoken_session[1])
    for audio in found:
        assert 0.01 < np.abs(audio).max() <= 1.0


def test_audio_of_ordinary_level_is_handed_out_as_it_is(
    spoken_session: tuple[Samples, list[Spoken]],
) -> None:
    sound = spoken_session[0]
    plain = Endpointer(SileroVoiceActivity())
    expected = [audio for _, audio, _ in [*plain.hear(sound), *plain.finish()]]
    for audio, same in zip(cut(sound), expected, strict=True):
        np.testing.assert_array_equal(audio, same)

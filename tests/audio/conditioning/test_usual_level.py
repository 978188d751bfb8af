"""A microphone that was set differently is told from a voice in another mood."""

import pytest

from streamer.audio.conditioning.level import LevelFollower
from streamer.audio.conditioning.usual_level import UsualLevel
from streamer.audio.endpointer import Endpointer
from streamer.audio.quality import level_dbfs
from streamer.audio.vad import SileroVoiceActivity
from streamer.testing import Spoken
from streamer.types import Samples


def gains(usual_dbfs: float | None, *levels_dbfs: float) -> list[float]:
    usual = UsualLevel(usual_dbfs)
    return [usual.gain_db(level) for level in levels_dbfs]


def test_a_voice_that_nobody_knows_is_left_alone() -> None:
    assert gains(None, *[-60.0] * 9) == [0.0] * 9


def test_a_mood_is_left_alone() -> None:
    assert gains(-25.0, *[-36.0] * 9, *[-15.0] * 9) == [0.0] * 18


def test_one_whisper_or_shout_is_left_alone() -> None:
    assert gains(-25.0, -45.0, -24.0, -26.0, -3.0, -26.0) == [0.0] * 5


@pytest.mark.parametrize("shift_db", [-50.0, -20.0, 20.0])
def test_another_setting_is_taken_back_as_one(shift_db: float) -> None:
    levels = [-25.0, -20.0, -31.0, -24.0, -27.0, -22.0]
    after = gains(-25.0, *[level + shift_db for level in levels])[2:]
    assert after == pytest.approx([-shift_db] * 4, abs=1.0)  # one from another stay as far apart


def test_a_setting_that_is_put_back_is_left_alone_again() -> None:
    assert gains(-25.0, *[-45.0] * 9, *[-25.0] * 9)[-1] == 0.0


def test_another_source_is_judged_by_itself() -> None:
    usual = UsualLevel(-25.0)
    for _ in range(5):
        usual.gain_db(-50.0)
    usual.reset()
    assert usual.gain_db(-30.0) == 0.0


@pytest.mark.parametrize("gain_db", [-40, -20, 20])
def test_audio_is_handed_out_at_the_usual_level(
    spoken_session: tuple[Samples, list[Spoken]], gain_db: float
) -> None:
    sound = spoken_session[0] * 10.0 ** (gain_db / 20.0)
    endpointer = Endpointer(
        SileroVoiceActivity(), level=LevelFollower(), usual_level=UsualLevel(-24.0)
    )
    found = [*endpointer.hear(sound.astype("float32")), *endpointer.finish()]
    levels = sorted(level_dbfs(audio) for _, audio, _ in found)
    assert levels[len(levels) // 2] == pytest.approx(-24.0, abs=3.0)
    for _, audio, quality in found:
        assert quality.level_dbfs + quality.gain_db == pytest.approx(level_dbfs(audio), abs=0.01)

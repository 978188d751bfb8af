"""Each thing that is wrong is said once a source, with what helps."""

from functools import partial

import numpy as np
import pytest

from streamer.audio.channels import ChannelMixer
from streamer.audio.conditioning.conditioner import Conditioner
from streamer.audio.conditioning.level import LevelFollower
from streamer.audio.endpointer import Endpointer
from streamer.audio.resampling import Resampler
from streamer.audio.utterance_stream import UtteranceStream
from streamer.audio.vad import SileroVoiceActivity
from streamer.testing import Spoken
from streamer.types import SAMPLE_RATE_HZ, Chunk, Notice, Samples

T = np.arange(60 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ


def listen(
    sound: Samples, rate_hz: int = SAMPLE_RATE_HZ
) -> tuple[list[Notice], UtteranceStream, list[float]]:
    """What is said of it, and the trust in each utterance."""
    stream = UtteranceStream(
        Endpointer(SileroVoiceActivity(), level=LevelFollower()),
        partial(Resampler, channel=None),
        Conditioner(),
        ChannelMixer,
    )
    sound = np.asarray(sound, np.float32).reshape(len(sound), -1)
    said, found = [], []
    for chunk in np.split(sound, range(8_000, len(sound), 8_000)):
        found += stream.hear(Chunk(chunk, rate_hz, "made.wav"))
        said += stream.take_notices()
    found += stream.finish()
    said += stream.take_notices()
    account = stream.accounting
    assert account.captured == account.speech + account.silence + account.dropped.total()
    return said, stream, [utterance.quality.trust for utterance in found]


@pytest.fixture(scope="session")
def voice(spoken_session: tuple[Samples, list[Spoken]]) -> Samples:
    return spoken_session[0]


def kinds(said: list[Notice]) -> list[str]:
    return [notice.kind for notice in said]


def test_of_good_sound_nothing_is_said(voice: Samples) -> None:
    said, _, trust = listen(voice)
    assert said == []
    assert set(trust) == {1.0}


@pytest.mark.parametrize("value", [0.0, 0.125, -1.0])
def test_a_sound_that_never_changes(value: float) -> None:
    said, _, _ = listen(np.full(5 * SAMPLE_RATE_HZ, value))
    assert kinds(said).count("silent_input") == 1


def test_a_pause_of_digital_silence_between_words_is_not_news(voice: Samples) -> None:
    said, _, _ = listen(np.concatenate([voice[:80_000], np.zeros(2 * SAMPLE_RATE_HZ), voice]))
    assert "silent_input" not in kinds(said)


def test_half_a_minute_of_almost_nothing() -> None:
    rng = np.random.default_rng(1)
    said, _, _ = listen(1e-5 * rng.standard_normal(31 * SAMPLE_RATE_HZ))
    assert kinds(said) == ["low_level"]


@pytest.mark.parametrize(
    ("kind", "spoil"),
    [
        ("low_level", lambda x: x * 0.002),
        ("offset", lambda x: x + 0.05),
        ("hum", lambda x: x + 0.1 * np.sin(2 * np.pi * 60 * T[: len(x)])),
        ("rumble", lambda x: x + 0.1 * np.sin(2 * np.pi * 12 * T[: len(x)])),
        ("channels", lambda x: np.stack([x, -x], axis=1)),
        ("clipping", lambda x: np.clip(x * 30, -1, 1)),
        ("clipping", lambda x: np.clip(x * 10, -0.5, 0.5)),
        ("noise", lambda x: x / 2 + 0.04 * np.random.default_rng(2).standard_normal(len(x))),
    ],
)
def test_what_is_wrong_is_said_once(voice: Samples, kind: str, spoil) -> None:
    said, _, _ = listen(spoil(voice))
    assert kinds(said) == [kind]
    assert said[0].text.startswith("made.wav: ")


def test_what_cannot_be_repaired_lowers_the_trust(voice: Samples) -> None:
    noise = np.random.default_rng(2).standard_normal(len(voice))
    for spoiled in (
        voice + 0.06 * noise,
        np.clip(voice * 30, -1, 1),
        np.clip(voice * 30, -0.5, 0.5),
    ):
        _, _, trust = listen(spoiled)
        assert min(trust) < 0.6


def test_telephones_are_told(voice: Samples) -> None:
    import soxr

    low = soxr.resample(voice, SAMPLE_RATE_HZ, 8_000)
    assert kinds(listen(low, 8_000)[0]) == ["low_rate"]
    again = soxr.resample(low, 8_000, SAMPLE_RATE_HZ)
    assert kinds(listen(again)[0]) == ["low_rate"]
    # A headset that falls to 8 kHz in the middle of a session, as soon as it plays something.
    (said,) = listen(np.concatenate([voice, again]))[0]
    assert (said.kind, "any more at 16,000" in said.text) == ("low_rate", True)

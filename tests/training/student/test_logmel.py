"""The log-mel front end against a plain Fourier transform, and its graph against itself."""

import librosa
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")
ort = pytest.importorskip("onnxruntime")

from streamer.training.data.targets import MIN_SAMPLES  # noqa: E402
from streamer.training.export.embedder import valid_frames  # noqa: E402
from streamer.training.student.logmel import HOP, WINDOW, LogMel  # noqa: E402


def speechlike(samples, seed=0):
    """Noise whose level goes through 60 dB."""
    rng = np.random.default_rng(seed)
    level = 10.0 ** np.linspace(-4.0, -1.0, samples)
    return (level * rng.standard_normal(samples)).astype(np.float32)


def plain_logmel(audio, bands=80):
    """By numpy's transform, in double precision: [frames, bands]."""
    padded = np.pad(audio.astype(np.float64), WINDOW // 2)
    count = len(audio) // HOP + 1
    frames = np.stack([padded[HOP * i : HOP * i + WINDOW] for i in range(count)])
    window = np.hanning(WINDOW + 1)[:-1]
    power = np.abs(np.fft.rfft(frames * window)) ** 2
    return np.log10(
        np.maximum(
            power @ librosa.filters.mel(sr=16_000, n_fft=WINDOW, n_mels=bands).T.astype(np.float64),
            1e-10,
        )
    )


@pytest.mark.parametrize("samples", [1, 159, 160, 161, 400, 1_600, 16_000, 20_123])
def test_it_is_the_fourier_transform(samples):
    audio = np.stack([speechlike(samples), speechlike(samples, 1)])
    found = LogMel()(torch.from_numpy(audio)).numpy()
    for row, clip in zip(found, audio, strict=True):
        np.testing.assert_allclose(row, plain_logmel(clip), atol=1e-4)


def test_another_number_of_bands():
    audio = speechlike(5_000)
    found = LogMel(128)(torch.from_numpy(audio)[None])[0].numpy()
    np.testing.assert_allclose(found, plain_logmel(audio, 128), atol=1e-4)


def test_every_frequency_counts_once():
    """A tone in the middle of a frame, at every bin: its band's power is the filter's."""
    front, filters = LogMel(), librosa.filters.mel(sr=16_000, n_fft=WINDOW, n_mels=80)
    for frequency in range(2, WINDOW // 2 - 1, 7):
        tone = np.cos(2 * np.pi * frequency * np.arange(4 * HOP) / WINDOW).astype(np.float32)
        found = 10 ** front(torch.from_numpy(tone)[None])[0, 2].double().numpy()
        # A Hann window spreads a tone over three bins: amplitudes 1/4, 1/2, 1/4 of the samples.
        near = filters[:, frequency - 1 : frequency + 2]
        expected = near @ (WINDOW * np.array([0.125, 0.25, 0.125])) ** 2
        np.testing.assert_allclose(found, np.maximum(expected, 1e-10), rtol=1e-3, atol=1e-3)


def test_the_graph_is_free_in_both_axes(tmp_path):
    front = LogMel()
    torch.onnx.export(
        front, (torch.zeros(2, 16_000),), str(tmp_path / "front.onnx"), dynamo=False,
        opset_version=17, input_names=["audio"], output_names=["mel"],
        dynamic_axes={"audio": {0: "batch", 1: "samples"}, "mel": {0: "batch", 1: "frames"}},
    )  # fmt: skip
    session = ort.InferenceSession(str(tmp_path / "front.onnx"), providers=["CPUExecutionProvider"])
    for batch, samples in ((1, 1_600), (3, 8_001), (2, 20_123)):
        audio = np.stack([speechlike(samples, seed) for seed in range(batch)])
        found = session.run(None, {"audio": audio})[0]
        np.testing.assert_allclose(found, front(torch.from_numpy(audio)).numpy(), atol=1e-4)


@pytest.mark.parametrize("samples", [1, 160, 1_599, 1_600, 1_601, 4_000, 4_001])
def test_valid_frames_end_with_the_last_sound(samples):
    audio = torch.zeros(4, samples)
    ends = [0, 1, samples // 2 + 1, samples]
    for row, end in enumerate(ends):
        audio[row, max(0, end - 1) : end] = -0.1
    expected = [-(-max(end, MIN_SAMPLES) // HOP) for end in ends]
    assert valid_frames(audio).tolist() == expected

"""An encoder in an ONNX file: what is refused, what is fed, and the one that ships."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.encoders.onnx import BUCKET_SAMPLES, OnnxEncoder
from streamer.encoders.registry import find_encoder
from streamer.errors import EncoderError
from streamer.testing import synthetic_session
from tests.encoders.tiny import TensorProto, row_of, write_encoder

ONE = np.ones(20_000, np.float32)


@pytest.fixture(scope="module")
def shipped() -> OnnxEncoder:
    return OnnxEncoder(find_encoder())


@pytest.fixture(scope="module")
def voices() -> list[np.ndarray]:
    audio, spoken = synthetic_session(np.random.default_rng(5), 4)
    return [audio[round(s.onset_s * 16_000) : round(s.offset_s * 16_000)] for s in spoken]


def samples_fed(encoder, count):
    return int(encoder.encode(ONE[:count])[0][0])


def test_a_file_that_is_missing_or_altered_is_refused(tmp_path):
    path = write_encoder(tmp_path / "tiny.onnx")
    row = row_of(path)
    with pytest.raises(EncoderError, match=r"gone\.onnx.*No such file.*reinstall"):
        OnnxEncoder(replace(row, file="gone.onnx"))
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(EncoderError, match="altered or damaged"):
        OnnxEncoder(row)


def test_a_file_of_the_right_hash_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "noise.onnx"
    path.write_bytes(b"not a model")
    with pytest.raises(EncoderError, match="onnxruntime cannot load it"):
        OnnxEncoder(row_of(path))


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"inputs": ("sound",)}, "not one 'audio'"),
        ({"inputs": ("audio", "length")}, "not one 'audio'"),
        ({"input_shape": ("batch", 1, "samples")}, "not one 'audio'"),
        ({"input_shape": ("batch", 16_000)}, "not one 'audio'"),
        ({"input_shape": (8, "samples")}, "not one 'audio'"),
        ({"input_type": TensorProto.DOUBLE}, "not one 'audio'"),
        ({"outputs": ("embedding", "mood")}, "output 'emotion' has shape None"),
    ],
)
def test_other_inputs_and_outputs_than_the_rows_are_refused(tmp_path, made, message):
    with pytest.raises(EncoderError, match=message):
        OnnxEncoder(row_of(write_encoder(tmp_path / "tiny.onnx", **made)))


def test_another_rate_and_another_size_are_refused(tmp_path):
    path = write_encoder(tmp_path / "tiny.onnx")
    with pytest.raises(EncoderError, match="needs 8000 Hz"):
        OnnxEncoder(row_of(path, rate_hz=8_000))
    with pytest.raises(EncoderError, match=r"'emotion' has shape .*not \[batch, 7\]"):
        OnnxEncoder(row_of(path, emotion_size=7))


def test_what_only_running_shows_is_an_encoder_error_too(tmp_path):
    unpooled = write_encoder(tmp_path / "unpooled.onnx", pooled=False)
    with pytest.raises(EncoderError, match=r"gave \[1, 20000\], not \[1, 4\]"):
        OnnxEncoder(row_of(unpooled)).encode(ONE)
    rigid = OnnxEncoder(row_of(write_encoder(tmp_path / "rigid.onnx", only_samples=16_000)))
    assert samples_fed(rigid, 16_000) == 16_000
    with pytest.raises(EncoderError, match="'tiny' failed"):
        rigid.encode(ONE)


def test_audio_reaches_the_encoder_whole_and_padded_as_its_row_says(tmp_path):
    path = write_encoder(tmp_path / "tiny.onnx")
    plain = OnnxEncoder(row_of(path, min_samples=1_600))
    assert [samples_fed(plain, n) for n in (0, 10, 1_600, 1_601)] == [1_600, 1_600, 1_600, 1_601]
    bucketed = OnnxEncoder(row_of(path, min_samples=1_600, padding_invariant=True))
    assert samples_fed(bucketed, 10) == BUCKET_SAMPLES
    assert samples_fed(bucketed, BUCKET_SAMPLES) == BUCKET_SAMPLES
    assert samples_fed(bucketed, BUCKET_SAMPLES + 1) == 2 * BUCKET_SAMPLES
    embedding, emotion = bucketed.encode(ONE[:900])
    assert embedding.dtype == emotion.dtype == np.float32
    np.testing.assert_allclose(emotion, [30.0, 30.0, 30.0])


def test_values_that_are_not_finite_are_refused(tmp_path):
    encoder = OnnxEncoder(row_of(write_encoder(tmp_path / "tiny.onnx")))
    with pytest.raises(EncoderError, match="not finite"):
        encoder.encode(-ONE)
    endless = OnnxEncoder(row_of(write_encoder(tmp_path / "endless.onnx", scale=np.inf)))
    with pytest.raises(EncoderError, match="not finite"):
        endless.encode(ONE)


def test_the_shipped_encoder_gives_finite_vectors_of_its_sizes(shipped, voices):
    vectors = [shipped.encode(voice) for voice in voices]
    for embedding, emotion in vectors:
        assert embedding.shape == (shipped.embedding_size,)
        assert emotion.shape == (shipped.emotion_size,)
        assert np.linalg.norm(emotion) == pytest.approx(1.0, abs=1e-4)
    assert np.abs(vectors[0][0] - vectors[1][0]).max() > 1e-3
    again = shipped.encode(voices[0])
    np.testing.assert_array_equal(again[0], vectors[0][0])
    shipped.encode(np.zeros(10, np.float32))


def test_silence_after_the_utterance_changes_nothing_in_the_shipped_encoder(voices):
    row = find_encoder()
    if not row.padding_invariant:
        pytest.skip("the default encoder does not claim it")
    encoder = OnnxEncoder(replace(row, padding_invariant=False))
    for voice in voices:
        padded = np.concatenate([voice, np.zeros(23_456, np.float32)])
        for alone, longer in zip(encoder.encode(voice), encoder.encode(padded), strict=True):
            np.testing.assert_allclose(longer, alone, atol=1e-4)


def test_memory_does_not_grow_with_the_variety_of_lengths():
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs /proc to read the resident memory")
    encoder = OnnxEncoder(replace(find_encoder(), padding_invariant=False))
    rng = np.random.default_rng(0)
    audio = 0.1 * rng.standard_normal(40_000).astype(np.float32)
    encoder.encode(audio[:1_600])
    before = resident_bytes()
    for count in rng.permutation(np.linspace(1_600, 40_000, 200).astype(int)):
        encoder.encode(audio[:count])
    assert resident_bytes() - before < 30e6


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

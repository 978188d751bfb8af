"""What is found out by running an encoder, on encoders whose properties are known."""

import itertools

import numpy as np
import pytest

from streamer.encoders.onnx import open_session
from streamer.encoders.probe_outputs import choose_outputs, measure, runner
from streamer.errors import EncoderError
from tests.encoders.tiny import write_encoder


def ticking():
    """A clock that goes on by 30 ms each time that it is read."""
    readings = itertools.count()
    return lambda: next(readings) * 0.03


def measured(run):
    return measure(run, np.random.default_rng(0), ticking())


def energies(audio):
    """Two sums that zeros do not change, and their direction."""
    sums = np.array([np.sum(audio**2), np.sum(np.abs(audio))])
    return sums, sums / max(np.linalg.norm(sums), 1e-12)


def test_sums_ignore_padding_and_means_do_not():
    found = measured(energies)
    assert (found.embedding_size, found.emotion_size) == (2, 2)
    assert found.padding_invariant
    assert found.unit_length
    assert found.min_samples == 1
    assert not measured(lambda audio: (audio.mean(keepdims=True), np.ones(3))).padding_invariant


def test_one_output_that_changes_is_enough():
    def run(audio):
        return energies(audio)[0], np.array([len(audio) * 1e-3])

    found = measured(run)
    assert not found.padding_invariant
    assert not found.unit_length


@pytest.mark.parametrize("fewest", [2, 400, 1_601])
def test_the_shortest_audio_is_found_by_trying(fewest):
    def run(audio):
        if len(audio) < fewest:
            raise EncoderError("too short")
        return energies(audio)

    assert measured(run).min_samples == fewest


def test_latency_is_the_clocks():
    found = measured(energies)
    assert found.latency_ms == pytest.approx(30.0)
    assert found.realtime_factor == pytest.approx(0.01)


def test_an_encoder_that_never_works_is_an_error(tmp_path):
    session = open_session(write_encoder(tmp_path / "a.onnx", only_samples=7))
    with pytest.raises(EncoderError, match="fails on 48000 samples"):
        measured(runner(session, *choose_outputs(session, None, None)))


def test_values_that_are_not_finite_are_an_error(tmp_path):
    session = open_session(write_encoder(tmp_path / "a.onnx"))
    run = runner(session, *choose_outputs(session, None, None))
    assert np.isfinite(run(np.ones(9, np.float32))[1]).all()
    with pytest.raises(EncoderError, match="'emotion' is not finite"):
        run(-np.ones(9, np.float32))


def test_outputs_are_found_by_name_by_being_alone_or_by_being_told(tmp_path):
    usual = open_session(write_encoder(tmp_path / "a.onnx"))
    assert choose_outputs(usual, None, None) == ("audio", "embedding", "emotion")
    assert choose_outputs(usual, "emotion", None) == ("audio", "emotion", "emotion")
    other = open_session(
        write_encoder(tmp_path / "b.onnx", inputs=("signal",), outputs=("hidden", "logits"))
    )
    with pytest.raises(EncoderError, match=r"--embedding, one of: hidden .*, logits"):
        choose_outputs(other, None, None)
    assert choose_outputs(other, "hidden", None) == ("signal", "hidden", "hidden")
    assert choose_outputs(other, "hidden", "logits") == ("signal", "hidden", "logits")
    with pytest.raises(EncoderError, match="no output 'pooled'"):
        choose_outputs(other, "pooled", None)


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": ("audio", "lengths")},
        {"input_shape": ("batch", 16_000)},
        {"input_shape": ("batch", "frames", 80)},
    ],
)
def test_a_model_that_takes_no_waveform_is_refused(tmp_path, changes):
    session = open_session(write_encoder(tmp_path / "a.onnx", **changes))
    with pytest.raises(EncoderError, match="not one waveform"):
        choose_outputs(session, None, None)

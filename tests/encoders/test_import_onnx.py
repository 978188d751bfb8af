"""An encoder is taken in: copied, measured, described, and found again."""

from dataclasses import replace

import numpy as np
import pytest

from streamer.encoders.import_onnx import SPREAD, Statement, add_encoder, measured_prior
from streamer.encoders.onnx import OnnxEncoder
from streamer.encoders.registry import find_encoder, known_encoders, load_prior, verify_files
from streamer.errors import EncoderError, UsageError
from streamer.learners.affect import AffectLearner
from streamer.learners.normalization import RunningNormalization
from streamer.learners.scale import squash
from tests.encoders.tiny import EMBEDDING_SIZE, EMOTION_SIZE, write_encoder

RNG = np.random.default_rng
VOICES = [RNG(seed).random(1_000 + 500 * seed).astype(np.float32) for seed in range(4)]


def added(file, folder, statement=None, voices=VOICES):
    statement = statement or Statement("mine", licence="MIT", commercial_use=True)
    return add_encoder(file, folder, statement, voices, RNG(0), lambda: 0.0)


@pytest.fixture
def file(tmp_path):
    return write_encoder(tmp_path / "encoder.onnx", any_sign=True)


def test_the_encoder_is_copied_and_found_beside_the_shipped_ones(tmp_path, file):
    folder = tmp_path / "own" / "models"
    row, _ = added(file, folder)
    assert find_encoder("mine", folder) == row
    assert row.path.read_bytes() == file.read_bytes()
    verify_files(row)
    names = [known.name for known in known_encoders(folder)]
    assert names == ["mine", *(known.name for known in known_encoders())]
    assert (row.licence, row.commercial_use, row.default) == ("MIT", True, False)
    assert (row.embedding_size, row.emotion_size) == (EMBEDDING_SIZE, EMOTION_SIZE)
    assert row.size_bytes == file.stat().st_size
    assert not row.padding_invariant  # it counts the samples


def test_the_scale_of_its_outputs_is_that_of_the_voices(tmp_path, file):
    prior = load_prior(added(file, tmp_path / "own")[0])
    counts = np.array([len(voice) for voice in VOICES])
    np.testing.assert_allclose(prior.embedding_mean, np.full(EMBEDDING_SIZE, counts.mean()))
    np.testing.assert_allclose(prior.embedding_deviation, np.full(EMBEDDING_SIZE, counts.std()))
    assert not prior.weights.any()


def test_an_emotion_of_any_length_is_brought_to_unit_length(tmp_path, file):
    row, found = added(file, tmp_path / "own")
    assert not found.unit_length
    _, emotion = OnnxEncoder(row).encode(VOICES[1])
    assert np.linalg.norm(emotion) == pytest.approx(1.0, abs=1e-6)
    _, raw = OnnxEncoder(replace(row, unit_length=True)).encode(VOICES[1])
    assert np.linalg.norm(raw) > 2.0
    np.testing.assert_allclose(emotion, raw / np.linalg.norm(raw), rtol=1e-6)


def test_one_output_serves_as_both(tmp_path, file):
    statement = Statement("both", emotion="embedding")
    row, _ = added(file, tmp_path / "own", statement)
    embedding, emotion = OnnxEncoder(row).encode(VOICES[2])
    np.testing.assert_allclose(emotion, embedding / np.linalg.norm(embedding), rtol=1e-6)


def test_a_vector_a_frame_is_refused_with_the_remedy(tmp_path):
    onnx = pytest.importorskip("onnx")
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Unsqueeze", ["audio", "axis"], ["frames"])],
        "framewise",
        [helper.make_tensor_value_info("audio", floats, ["batch", "samples"])],
        [helper.make_tensor_value_info("frames", floats, ["batch", "samples", 1])],
        [onnx.numpy_helper.from_array(np.array([2]), "axis")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "frames.onnx")
    with pytest.raises(EncoderError, match=r"a vector a frame.*pool"):
        added(tmp_path / "frames.onnx", tmp_path / "own")
    assert not (tmp_path / "own").exists()


@pytest.mark.parametrize("name", ["", "a b", "../a", "ä" * 70, "acoustic", "streamer-small"])
def test_a_name_that_cannot_be_or_is_taken_is_refused(tmp_path, file, name):
    with pytest.raises(UsageError, match=r"name|--name"):
        added(file, tmp_path / "own", Statement(name))


def test_a_name_is_never_given_twice(tmp_path, file):
    added(file, tmp_path / "own")
    with pytest.raises(UsageError, match="'mine' exists already"):
        added(file, tmp_path / "own")


def test_what_is_no_model_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(EncoderError, match=r"nowhere\.onnx"):
        added(tmp_path / "nowhere.onnx", tmp_path / "own")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(EncoderError, match="cannot load"):
        added(tmp_path / "text.onnx", tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_weights_in_another_file_are_noticed_before_it_is_copied(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = write_encoder(tmp_path / "whole.onnx")
    model = onnx.load(path)
    onnx.save(
        model, tmp_path / "split.onnx", save_as_external_data=True, location="split.data",
        size_threshold=0,
    )  # fmt: skip
    with pytest.raises(EncoderError, match="cannot load"):
        added(tmp_path / "split.onnx", tmp_path / "own")


def test_a_folder_that_cannot_be_written_is_named(tmp_path, file):
    (tmp_path / "own").write_text("a file")
    with pytest.raises(EncoderError, match=r"models folder .*own.*STREAMER_MODELS"):
        added(file, tmp_path / "own")


def test_the_encoders_own_predictions_are_the_first_ones():
    rng = RNG(1)
    embeddings = rng.normal(3.0, 2.0, (20, 5))
    prior = measured_prior(embeddings, rng.random((20, 2)), own=3)
    np.testing.assert_allclose(prior.embedding_mean[:2], embeddings[:, :2].mean(0))
    usual = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
    learner = AffectLearner(prior)
    for own in rng.uniform(-0.9, 0.9, (10, 3)):
        vector = np.concatenate([rng.normal(3.0, 2.0, 2), own])
        told = learner.predict(usual.apply(vector))
        found = (told.valence.mean, told.arousal.mean, told.dominance.mean)
        assert found == pytest.approx(tuple(squash(own)), abs=1e-12)
    assert pytest.approx(1 / 3) == SPREAD

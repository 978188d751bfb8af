"""An encoder is taken in: copied, measured, described, and found again."""

import json
import os
import signal
import stat
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.encoders.import_onnx import SPREAD, Statement, add_encoder, measured_prior
from streamer.encoders.measured_apart import Limits
from streamer.encoders.onnx import OnnxEncoder
from streamer.encoders.registry import find_encoder, known_encoders, load_prior, verify_files
from streamer.errors import EncoderError, UsageError
from streamer.learners.affect import AffectLearner
from streamer.learners.normalization import RunningNormalization
from streamer.learners.scale import squash
from streamer.system import module_command
from tests.encoders.tiny import EMBEDDING_SIZE, EMOTION_SIZE, write_encoder

RNG = np.random.default_rng
onnx = pytest.importorskip("onnx")
VOICES = [RNG(seed).random(1_000 + 500 * seed).astype(np.float32) for seed in range(4)]


def added(file, folder, statement=None, voices=VOICES, limits=Limits()):  # noqa: B008
    statement = statement or Statement("mine", licence="MIT", commercial_use=True)
    return add_encoder(file, folder, statement, voices, RNG(0), limits)


@pytest.fixture
def file(tmp_path):
    return write_encoder(tmp_path / "encoder.onnx", any_sign=True)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A models folder with one encoder added: the file, its row, what was found."""
    folder = tmp_path_factory.mktemp("added")
    file = write_encoder(folder / "encoder.onnx", any_sign=True)
    return file, *added(file, folder / "own" / "models")


def test_the_encoder_is_copied_and_found_beside_the_shipped_ones(own):
    file, row, _ = own
    assert find_encoder("mine", row.folder) == row
    assert row.path.read_bytes() == file.read_bytes()
    verify_files(row)
    names = [known.name for known in known_encoders(row.folder)]
    assert names == ["mine", *(known.name for known in known_encoders())]
    assert (row.licence, row.commercial_use, row.default) == ("MIT", True, False)
    assert (row.embedding_size, row.emotion_size) == (EMBEDDING_SIZE, EMOTION_SIZE)
    assert row.size_bytes == file.stat().st_size
    assert not row.padding_invariant  # it counts the samples
    kept = {path.name for path in row.folder.iterdir()}
    assert kept == {"manifest.toml", "mine.onnx", "mine.prior.npz"}


def test_the_scale_of_its_outputs_is_that_of_the_voices(own):
    prior = load_prior(own[1])
    counts = np.array([len(voice) for voice in VOICES])
    np.testing.assert_allclose(prior.embedding_mean, np.full(EMBEDDING_SIZE, counts.mean()))
    np.testing.assert_allclose(prior.embedding_deviation, np.full(EMBEDDING_SIZE, counts.std()))
    assert not prior.weights.any()


def test_an_emotion_of_any_length_is_brought_to_unit_length(own):
    _, row, found = own
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


def test_a_name_is_never_given_twice(own):
    file, row, _ = own
    with pytest.raises(UsageError, match="'mine' exists already"):
        added(file, row.folder)


def model_of(path, nodes, constants, output):
    """An ONNX file of these operators, from the input "audio" to the output "embedding"."""
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "hostile",
        [helper.make_tensor_value_info("audio", floats, ["batch", "samples"])],
        [helper.make_tensor_value_info("embedding", floats, output)],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


def endless(path):
    """A loop of 2^62 rounds."""
    helper, types = onnx.helper, onnx.TensorProto
    values = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Neg", ["x"], ["y"])],
        "body",
        [values("round", types.INT64, []), values("go", types.BOOL, []),
         values("x", types.FLOAT, None)],
        [values("on", types.BOOL, []), values("y", types.FLOAT, None)],
    )  # fmt: skip
    nodes = [
        helper.make_node("ReduceMean", ["audio"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Loop", ["rounds", "true", "mean"], ["embedding"], body=body),
    ]
    constants = {"rounds": np.array(2**62), "true": np.array(True)}
    return model_of(path, nodes, constants, ["batch", "size"])


def expanding(path, values):
    """Gives so many values, each the mean of the audio."""
    helper = onnx.helper
    nodes = [
        helper.make_node("ReduceMean", ["audio"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Expand", ["mean", "shape"], ["embedding"]),
    ]
    return model_of(path, nodes, {"shape": np.array([1, values])}, ["batch", "size"])


def test_a_model_that_never_ends_is_stopped(tmp_path):
    file = endless(tmp_path / "endless.onnx")
    begun_s = time.monotonic()
    with pytest.raises(EncoderError, match=r"2 s were not enough for one utterance.*loops"):
        added(file, tmp_path / "own", limits=Limits(patience_s=2.0))
    assert time.monotonic() - begun_s < 20.0
    assert not (tmp_path / "own").exists()


@pytest.mark.long
def test_a_model_that_outlives_the_program_ends_by_its_processor_time(tmp_path):
    voices = tmp_path / "voices.npz"
    np.savez(voices, *VOICES)
    request = {"file": str(endless(tmp_path / "endless.onnx")), "embedding": None, "emotion": None,
               "seed": 0, "memory_bytes": 2**30, "patience_s": 0.1}  # fmt: skip
    (tmp_path / "request.json").write_text(json.dumps(request))
    command = module_command("streamer.encoders.measuring_child", str(tmp_path))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        child.communicate()  # nobody ends it
    assert child.returncode == -signal.SIGXCPU


@pytest.mark.parametrize(
    ("values", "told"),
    [(60_000, r"60,000 values an utterance, not 1 to 2,048: pool"), (2**30, "the model fails on")],
)
def test_a_model_of_too_many_values_is_refused(tmp_path, values, told):
    file = expanding(tmp_path / "large.onnx", values)
    with pytest.raises(EncoderError, match=told):
        added(file, tmp_path / "own", limits=Limits(memory_bytes=2**30))
    assert not (tmp_path / "own").exists()


def test_it_is_on_the_disk_before_it_is_told(tmp_path, file, monkeypatch):
    synced = []
    fsync = os.fsync

    def seen(descriptor):
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", seen)
    added(file, tmp_path / "own", voices=VOICES[:1])
    assert [name for name in synced if name == "own"] == ["own"] * 3
    assert synced[0] == ".mine.onnx.part"
    assert synced[-2:] == [".manifest.toml.part", "own"]
    assert synced.count("mine.prior.part.npz") == 1


def test_models_are_their_owners_under_any_umask(tmp_path, file):
    before = os.umask(0)
    try:
        row, _ = added(file, tmp_path / "all" / "own", voices=VOICES[:1])
    finally:
        os.umask(before)
    for path in (row.folder.parent, row.folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in row.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_no_plain_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    for path in (tmp_path, tmp_path / "pipe.onnx", Path("/dev/zero")):
        with pytest.raises(EncoderError, match="give an ONNX file"):
            added(path, tmp_path / "own")


def test_what_is_no_model_is_refused_and_leaves_nothing(tmp_path):
    with pytest.raises(EncoderError, match=r"nowhere\.onnx"):
        added(tmp_path / "nowhere.onnx", tmp_path / "own")
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(EncoderError, match="cannot load"):
        added(tmp_path / "text.onnx", tmp_path / "own")
    assert not (tmp_path / "own").exists()


def test_weights_in_another_file_are_noticed_before_it_is_copied(tmp_path):
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

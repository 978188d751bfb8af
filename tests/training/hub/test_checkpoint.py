"""Hugging Face checkpoints become encoders: small random ones of each class, saved and exported."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
transformers = pytest.importorskip(
    "transformers", reason="the extra 'train' (transformers) is not installed"
)
pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")
ort = pytest.importorskip("onnxruntime")

from streamer.encoders.import_onnx import Statement, add_encoder  # noqa: E402
from streamer.encoders.onnx import OnnxEncoder  # noqa: E402
from streamer.encoders.registry import find_encoder, load_prior  # noqa: E402
from streamer.errors import EncoderError, UsageError  # noqa: E402
from streamer.learners.affect import AffectLearner  # noqa: E402
from streamer.learners.normalization import RunningNormalization  # noqa: E402
from streamer.learners.scale import squash_one  # noqa: E402
from streamer.training.hub.checkpoint import EmotionModel, export_checkpoint  # noqa: E402
from streamer.training.hub.presets import PRESETS  # noqa: E402

LENGTHS = (8_000, 19_123)
SMALL = {
    "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 48,
    "conv_dim": (16,) * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
LARGE = {**SMALL, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
CONFIGS = {
    "wav2vec2": lambda: transformers.Wav2Vec2Config(**SMALL),
    "wav2vec2-large": lambda: transformers.Wav2Vec2Config(**LARGE),
    "hubert": lambda: transformers.HubertConfig(**SMALL),
    "wavlm": lambda: transformers.WavLMConfig(**SMALL),
    "wavlm-large": lambda: transformers.WavLMConfig(**LARGE),
    "whisper": lambda: transformers.WhisperConfig(
        vocab_size=64, d_model=32, encoder_layers=3, encoder_attention_heads=2, encoder_ffn_dim=48,
        decoder_layers=1, decoder_attention_heads=2, decoder_ffn_dim=48,
        pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1,
    ),
}  # fmt: skip
WAVEFORM = [name for name in CONFIGS if name != "whisper"]


def voice(samples, seed=0):
    """Something like a voice: a wobbling harmonic tone in noise, off centre."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(samples) / 16_000
    phase = 2 * np.pi * ((120 + 30 * seed) * time_s + 3 * np.sin(2 * np.pi * 2 * time_s))
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    loud = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time_s)
    noise = 0.01 * rng.standard_normal(samples)
    return (0.02 + 0.1 * loud * tone + noise).astype(np.float32)


def save(name, folder, do_normalize=True):
    """A checkpoint as the hub has it; the model comes back, built afresh from those files."""
    torch.manual_seed(0)
    config = CONFIGS[name]()
    # Larger than the usual first weights, so that every block matters to the output.
    config.initializer_range = config.init_std = 0.3
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    if name == "whisper":
        transformers.WhisperFeatureExtractor().save_pretrained(folder)
    else:
        extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=do_normalize)
        extractor.save_pretrained(folder)
    return transformers.AutoModel.from_pretrained(folder).eval()


def frames_by_transformers(model, folder, audio, layer):
    """What transformers itself makes of the clip: the frames after a block, by a hook on it."""
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    encoder = model.encoder
    caught = []
    hook = encoder.layers[layer - 1].register_forward_hook(lambda m, i, o: caught.append(o))
    with torch.no_grad():
        if model.config.model_type == "whisper":
            features = extractor(
                audio, sampling_rate=16_000, padding="do_not_pad", return_tensors="pt"
            ).input_features
            kept = encoder.embed_positions.weight.clone()
            # transformers hears 30 s only; a model of as many positions as the clip has frames.
            positions = features.shape[2] // 2
            encoder.embed_positions = torch.nn.Embedding.from_pretrained(kept[:positions])
            encoder.config.max_source_positions = positions
            final = encoder(features).last_hidden_state
            encoder.embed_positions = torch.nn.Embedding.from_pretrained(kept)
            encoder.config.max_source_positions = len(kept)
        else:
            values = extractor(audio, sampling_rate=16_000, return_tensors="pt").input_values
            final = model(values).last_hidden_state
    hook.remove()
    output = caught[0][0] if isinstance(caught[0], tuple) else caught[0]
    return (final if layer == len(encoder.layers) else output)[0].numpy()


def run(path, audio):
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"audio": audio})


@pytest.mark.parametrize(
    ("name", "layer", "pooling"),
    [(name, 3, "mean") for name in CONFIGS] + [(name, 2, "mean+deviation") for name in CONFIGS],
)
def test_the_onnx_gives_what_transformers_gives(tmp_path, name, layer, pooling):
    model = save(name, tmp_path / "checkpoint")
    path, _ = export_checkpoint(
        "mine", tmp_path, layer=layer, pooling=pooling, checkpoint=tmp_path / "checkpoint"
    )
    for samples in LENGTHS:
        # transformers' Whisper wants an even number of log-mel frames.
        audio = voice(samples - samples % 320 if name == "whisper" else samples)
        frames = frames_by_transformers(model, tmp_path / "checkpoint", audio, layer)
        expected = frames.mean(0)
        if pooling == "mean+deviation":
            expected = np.concatenate([expected, frames.std(0)])
        embedding, emotion = run(path, np.stack([audio, voice(len(audio), 1)]))
        assert np.abs(expected).max() > 0.05
        np.testing.assert_allclose(embedding[0], expected, atol=1e-3)
        np.testing.assert_allclose(emotion[0], expected / np.linalg.norm(expected), atol=1e-3)
        assert np.abs(embedding[1] - expected).max() > 1e-2


def test_without_a_layer_the_model_is_taken_whole(tmp_path):
    save("hubert", tmp_path / "checkpoint")
    whole, _ = export_checkpoint("mine", tmp_path, checkpoint=tmp_path / "checkpoint")
    audio = voice(9_000)[None]
    expected = run(whole, audio)[0]
    last, _ = export_checkpoint("mine", tmp_path, layer=3, checkpoint=tmp_path / "checkpoint")
    np.testing.assert_array_equal(run(last, audio)[0], expected)
    cut, _ = export_checkpoint("mine", tmp_path, layer=1, checkpoint=tmp_path / "checkpoint")
    assert np.abs(run(cut, audio)[0] - expected).max() > 1e-2


@pytest.mark.parametrize("name", ["wav2vec2", "wav2vec2-large", "hubert", "whisper"])
def test_layers_are_the_mean_of_the_blocks(tmp_path, name):
    model = save(name, tmp_path / "checkpoint")
    path, statement = export_checkpoint(
        "mine", tmp_path, layers=(1, 2), checkpoint=tmp_path / "checkpoint"
    )
    assert "mean of blocks 1 to 2" in statement.description
    audio = voice(9_280)
    blocks = [frames_by_transformers(model, tmp_path / "checkpoint", audio, k) for k in (1, 2)]
    for _ in range(2):  # nothing is left over from the pass before
        embedding, _ = run(path, audio[None])
        np.testing.assert_allclose(embedding[0], np.mean(blocks, axis=0).mean(0), atol=1e-3)


@pytest.mark.parametrize(
    ("blocks", "says"), [((0, 2), "0-2"), ((3, 2), "3-2"), ((1, 9), "blocks 1 to 3")]
)
def test_layers_that_are_not_there_are_refused(tmp_path, blocks, says):
    save("wav2vec2", tmp_path / "checkpoint")
    with pytest.raises(UsageError, match=says):
        export_checkpoint("mine", tmp_path, layers=blocks, checkpoint=tmp_path / "checkpoint")


@pytest.mark.parametrize("do_normalize", [True, False])
def test_the_waveform_is_normalized_as_its_feature_extractor_says(tmp_path, do_normalize):
    save("wav2vec2-large", tmp_path / "checkpoint", do_normalize)
    path, _ = export_checkpoint("mine", tmp_path, checkpoint=tmp_path / "checkpoint")
    audio = voice(8_000)[None]
    quiet, loud = run(path, 0.25 * audio)[0], run(path, audio)[0]
    assert (np.abs(quiet - loud).max() < 1e-3) == do_normalize


def test_whisper_hears_the_first_thirty_seconds(tmp_path):
    save("whisper", tmp_path / "checkpoint")
    path, _ = export_checkpoint("mine", tmp_path, layer=1, checkpoint=tmp_path / "checkpoint")
    long = np.concatenate([voice(480_000), voice(20_000, 1)])[None]
    np.testing.assert_allclose(run(path, long)[0], run(path, long[:, :480_000])[0], atol=1e-5)


def save_emotion_model(folder):
    torch.manual_seed(0)
    config = transformers.Wav2Vec2Config(**LARGE, num_labels=3)
    model = EmotionModel(config)
    with torch.no_grad():
        model.classifier.out_proj.bias.copy_(torch.tensor([0.9, 0.5, 0.2]))
    model.save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(folder)
    return model.eval()


def test_audeerings_own_outputs_are_the_first_predictions(tmp_path):
    model = save_emotion_model(tmp_path / "checkpoint")
    path, statement = export_checkpoint(
        "audeering-dimensional", tmp_path, checkpoint=tmp_path / "checkpoint"
    )
    voices = [voice(8_000, seed) for seed in range(4)]
    rng = np.random.default_rng(0)
    row, _ = add_encoder(path, tmp_path / "own", statement, voices, rng)
    assert row.licence == "CC BY-NC-SA 4.0"
    assert not row.commercial_use
    encoder, prior = OnnxEncoder(row), load_prior(row)
    usual = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
    learner = AffectLearner(prior)
    for seed in range(3):
        audio = voice(12_345, 7 + seed)
        normed = torch.from_numpy((audio - audio.mean()) / audio.std())[None]
        with torch.no_grad():
            pooled = model.wav2vec2(normed).last_hidden_state.mean(dim=1)
            dense, out = model.classifier.dense, model.classifier.out_proj
            arousal, dominance, valence = out(torch.tanh(dense(pooled)))[0].tolist()
        embedding, emotion = encoder.encode(audio)
        assert len(embedding) == 32 + 3
        assert len(emotion) == 32
        np.testing.assert_allclose(embedding[:32], pooled[0].numpy(), atol=1e-3)
        predicted = learner.predict(usual.apply(embedding.astype(np.float64)))
        assert predicted.valence.mean == pytest.approx(squash_one(2 * valence - 1), abs=1e-3)
        assert predicted.arousal.mean == pytest.approx(squash_one(2 * arousal - 1), abs=1e-3)
        assert predicted.dominance.mean == pytest.approx(squash_one(2 * dominance - 1), abs=1e-3)
    assert predicted.arousal.mean > predicted.dominance.mean > predicted.valence.mean


def test_an_exported_encoder_is_measured_truthfully(tmp_path):
    save("wav2vec2", tmp_path / "checkpoint")
    path, statement = export_checkpoint("mine", tmp_path, checkpoint=tmp_path / "checkpoint")
    rng, voices = np.random.default_rng(0), [voice(6_000, seed) for seed in range(3)]
    row, found = add_encoder(path, tmp_path / "own", statement, voices, rng)
    assert row == find_encoder("mine", tmp_path / "own")
    assert (row.embedding_size, row.emotion_size) == (32, 32)
    assert row.min_samples == 400  # the receptive field of wav2vec 2.0's convolutions
    assert not row.padding_invariant  # its group norm, and the waveform's, look at the whole clip
    assert row.unit_length
    assert (row.licence, row.commercial_use) == ("not stated", False)
    assert found.embedding_size == 32


def test_a_public_checkpoint_that_is_no_preset_has_no_stated_licence(tmp_path):
    save("wavlm", tmp_path / "wavlm")
    _, statement = export_checkpoint("someone/wavlm", tmp_path, checkpoint=tmp_path / "wavlm")
    assert isinstance(statement, Statement)
    assert (statement.name, statement.licence) == ("wavlm", "not stated")


def test_every_preset_says_its_licence_and_where_it_is_stated():
    assert set(PRESETS) == {
        "wav2vec2-base", "wav2vec2-large-robust", "whisper-tiny.en", "audeering-dimensional"
    }  # fmt: skip
    for preset in PRESETS.values():
        assert preset.licence in ("Apache-2.0", "MIT", "CC BY-NC-SA 4.0")
        assert preset.commercial_use == (preset.licence != "CC BY-NC-SA 4.0")
        assert "as stated on" in preset.source
        assert preset.training_data


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("wav2vec3", {}, "wav2vec2-base"),
        ("wav2vec2-base", {"pooling": "max"}, r"mean\+deviation"),
        ("mine", {"layer": 4}, "blocks 1 to 3"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path, name, options, told):
    save("wav2vec2", tmp_path / "checkpoint")
    given = {} if name == "wav2vec3" else {"checkpoint": tmp_path / "checkpoint"}
    with pytest.raises(UsageError, match=told):
        export_checkpoint(name, tmp_path, **given, **options)


def test_a_folder_that_is_no_checkpoint_is_named(tmp_path):
    with pytest.raises(EncoderError, match=r"holds no checkpoint: put config\.json"):
        export_checkpoint("mine", tmp_path, checkpoint=tmp_path)
    save("wav2vec2", tmp_path / "checkpoint")
    (tmp_path / "checkpoint" / "preprocessor_config.json").unlink()
    with pytest.raises(EncoderError, match=r"preprocessor_config\.json"):
        export_checkpoint("mine", tmp_path, checkpoint=tmp_path / "checkpoint")


def test_a_checkpoint_of_another_kind_or_without_its_head_is_refused(tmp_path):
    config = transformers.BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=32,
    )  # fmt: skip
    transformers.BertModel(config).save_pretrained(tmp_path / "bert")
    with pytest.raises(EncoderError, match="'bert' model"):
        export_checkpoint("mine", tmp_path, checkpoint=tmp_path / "bert")
    save("wav2vec2-large", tmp_path / "headless")
    with pytest.raises(EncoderError, match=r"lacks 4 of the weights"):
        export_checkpoint("audeering-dimensional", tmp_path, checkpoint=tmp_path / "headless")


def test_offline_it_says_what_to_fetch_and_where_to_put_it(tmp_path):
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "hub")}
    done = subprocess.run(
        [sys.executable, "-m", "streamer", "models", "export", "wav2vec2-base"],
        capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert done.returncode == 4
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for told in ("facebook/wav2vec2-base", "model.safetensors", "--checkpoint"):
        assert told in done.stderr


def test_the_verb_exports_into_a_models_folder(tmp_path):
    save("hubert", tmp_path / "checkpoint")
    words = ["export", "mine", "--checkpoint", "checkpoint", "--out", "own", "--layer", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "streamer", "models", *words, "--licence", "MIT", "--json"],
        capture_output=True, text=True, cwd=tmp_path, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["name"], row["licence"], row["embedding_size"]) == ("mine", "MIT", 32)
    assert "after block 1" in row["description"]
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert find_encoder("mine", tmp_path / "own").min_samples == 400

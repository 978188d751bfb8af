"""The shipped encoder and hub checkpoints as trainable modules give what they gave before."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
transformers = pytest.importorskip(
    "transformers", reason="the extra 'train' (transformers) is not installed"
)
pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")

from streamer.encoders.onnx import OnnxEncoder  # noqa: E402
from streamer.encoders.registry import find_encoder  # noqa: E402
from streamer.errors import EncoderError  # noqa: E402
from streamer.training.tune.tunable import TunableHub, TunableStudent, padded  # noqa: E402
from tests.encoders.tiny import write_encoder  # noqa: E402
from tests.training.synthetic_clips import voice  # noqa: E402

SMALL = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 48,
    "conv_dim": (16,) * 7, "num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2,
}  # fmt: skip
LARGE = {**SMALL, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
CONFIGS = {
    "wav2vec2": lambda: transformers.Wav2Vec2Config(**SMALL),
    "wav2vec2-large": lambda: transformers.Wav2Vec2Config(**LARGE),
    "hubert": lambda: transformers.HubertConfig(**SMALL),
}


@pytest.fixture(scope="module", params=["streamer-wav2vec2", "streamer-small"])
def shipped(request) -> TunableStudent:
    tunable = TunableStudent.from_onnx(find_encoder(request.param).path)
    tunable.of = request.param
    return tunable


@torch.no_grad()
def test_the_shipped_file_gives_its_own_embedding(shipped):
    encoder = OnnxEncoder(find_encoder(shipped.of))
    for k, seconds in enumerate((0.3, 0.9, 2.0, 4.7, 10.0)):
        audio = voice(seconds, k, 110.0 + 20.0 * k)
        expected, _ = encoder.encode(audio)
        found = shipped.embedding(torch.from_numpy(audio)[None])[0].numpy()
        np.testing.assert_allclose(found, expected, atol=1e-4)


@torch.no_grad()
def test_tokens_beyond_a_clip_are_nobody_s(shipped):
    short, long = voice(0.8, 1), voice(2.0, 2)
    alone = shipped.mean_vector(*padded([short]))
    together = shipped.mean_vector(*padded([short, long]))
    np.testing.assert_allclose(alone[0], together[0], atol=1e-5)


@torch.no_grad()
def test_hidden_tokens_are_not_heard(shipped):
    audio, samples = padded([voice(1.5, 3)])
    z, mask = shipped.features(audio, samples)
    hidden = torch.zeros(z.shape[:2], dtype=torch.bool)
    hidden[0, 5:8] = True
    changed = z.clone()
    changed[0, 5:8] += 3.0
    one, other = (shipped.context(x, mask, hidden) for x in (z, changed))
    np.testing.assert_array_equal(one, other)
    assert not torch.equal(one, shipped.context(z, mask))


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_checkpoints_of_the_hub_give_what_transformers_gives(tmp_path, name):
    torch.manual_seed(0)
    transformers.AutoModel.from_config(CONFIGS[name]()).save_pretrained(tmp_path)
    transformers.Wav2Vec2FeatureExtractor(do_normalize=True).save_pretrained(tmp_path)
    tunable = TunableHub.from_checkpoint(tmp_path)
    audio = voice(0.8, 1)
    extractor = transformers.AutoFeatureExtractor.from_pretrained(tmp_path)
    values = extractor(audio, sampling_rate=16_000, return_tensors="pt").input_values
    model = transformers.AutoModel.from_pretrained(tmp_path).eval()
    expected = model(values).last_hidden_state[0]
    z, mask = tunable.features(*padded([audio]))
    assert z.shape[2] == tunable.feature_size == 16
    np.testing.assert_allclose(tunable.context(z, mask)[0], expected, atol=1e-4)
    found = tunable.embedding(torch.from_numpy(audio)[None])
    np.testing.assert_allclose(found[0], expected.mean(0), atol=1e-4)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "not.onnx").write_bytes(b"no graph")
    with pytest.raises(EncoderError, match="no ONNX file"):
        TunableStudent.from_onnx(tmp_path / "not.onnx")
    with pytest.raises(EncoderError, match="no checkpoint"):
        TunableHub.from_checkpoint(tmp_path)
    with pytest.raises(EncoderError, match="holds no student"):
        TunableStudent.from_onnx(write_encoder(tmp_path / "tiny.onnx"))

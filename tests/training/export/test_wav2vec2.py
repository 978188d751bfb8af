"""A raw student's weights in transformers' own model, and in the ONNX file."""

from pathlib import Path

import numpy as np
import pytest

from tests.training.synthetic_clips import voice

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")
transformers = pytest.importorskip("transformers", reason="transformers is not installed")
ort = pytest.importorskip("onnxruntime")

from streamer.training.export.embedder import Embedder  # noqa: E402
from streamer.training.export.onnx import HALVED_FROM, write_onnx  # noqa: E402
from streamer.training.export.wav2vec2 import write_wav2vec2  # noqa: E402
from streamer.training.student.network import pooled  # noqa: E402
from streamer.training.student.raw_network import RawShape, RawStudent  # noqa: E402

SHAPE = RawShape(
    channels=64, layers=2, heads=2, position_groups=4, widths=(8, 8, 12, 12, 16, 16, 24, 24)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    torch.manual_seed(0)
    student = RawStudent(SHAPE).eval()
    with torch.no_grad():
        for parameter in student.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    path = tmp_path_factory.mktemp("exported")
    embedder = Embedder(student, (12, 6))
    write_onnx(embedder, path / "made.onnx")
    write_wav2vec2(student, path / "made")
    torch.save(embedder.state_dict(), path / "made.pt")
    return path


def test_transformers_model_and_onnx_file_agree(folder):
    """Clips of several lengths in one padded batch, as a user of transformers would embed them."""
    clips = [voice(seconds, i) for i, seconds in enumerate((1.3, 0.2, 0.71))]
    extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(folder / "made")
    model, info = transformers.Wav2Vec2Model.from_pretrained(
        folder / "made", output_loading_info=True
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    heard = extractor(clips, sampling_rate=16_000, return_tensors="pt", padding=True)
    with torch.no_grad():
        out = model.eval()(**heard, output_hidden_states=True)
    tokens = [(len(clip) - SHAPE.field) // SHAPE.hop + 1 for clip in clips]
    mask = (torch.arange(max(tokens))[None] < torch.tensor(tokens)[:, None]).float()[:, :, None]
    blocks = [*out.hidden_states[1:-1], out.last_hidden_state]
    raw = torch.cat([pooled(block, mask) for block in blocks], dim=1)
    affine = torch.load(folder / "made.pt", weights_only=True)
    weight = affine["embedding.weight"]
    if weight.numel() >= HALVED_FROM:
        weight = weight.half().float()
    expected = (raw @ weight.T + affine["embedding.bias"]).numpy()
    session = ort.InferenceSession(str(folder / "made.onnx"), providers=["CPUExecutionProvider"])
    audio = np.zeros((3, max(map(len, clips))), np.float32)
    for place, clip in zip(audio, clips, strict=True):
        place[: len(clip)] = clip
    np.testing.assert_allclose(session.run(["embedding"], {"audio": audio})[0], expected, atol=1e-4)


def test_large_weights_are_kept_in_half(folder):
    from safetensors import safe_open

    with safe_open(folder / "made" / "model.safetensors", "pt") as stored:
        for name in stored.keys():  # noqa: SIM118
            value = stored.get_tensor(name)
            assert value.dtype == (torch.float16 if value.numel() >= HALVED_FROM else torch.float32)


def test_a_step_of_fine_tuning_changes_the_loaded_model(folder):
    model = transformers.Wav2Vec2Model.from_pretrained(folder / "made")
    before = model.encoder.layers[0].attention.q_proj.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model(torch.from_numpy(voice(0.5))[None]).last_hidden_state.square().mean().backward()
    optimizer.step()
    assert not torch.equal(model.encoder.layers[0].attention.q_proj.weight, before)


@pytest.mark.parametrize("name", ["streamer-wav2vec2"])
def test_shipped_files_agree(name):
    """models/NAME in transformers, pooled and projected as in models/NAME.onnx."""
    import onnx

    models = Path(__file__).parents[3] / "models"
    stored = {
        i.name.removesuffix(".half"): onnx.numpy_helper.to_array(i).astype(np.float32)
        for i in onnx.load(str(models / f"{name}.onnx")).graph.initializer
    }
    extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(models / name)
    model = transformers.Wav2Vec2Model.from_pretrained(models / name).eval()
    session = ort.InferenceSession(str(models / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    for seconds in (0.3, 1.7, 10.0):
        clip = voice(seconds, 4)
        heard = extractor(clip, sampling_rate=16_000, return_tensors="pt").input_values
        with torch.no_grad():
            out = model(heard, output_hidden_states=True)
        blocks = [*out.hidden_states[1:-1], out.last_hidden_state]
        raw = torch.cat([pooled(b, torch.ones(*b.shape[:2], 1)) for b in blocks], dim=1).numpy()
        expected = raw @ stored["embedding.weight"].T + stored["embedding.bias"]
        got = session.run(["embedding"], {"audio": clip[None]})[0]
        np.testing.assert_allclose(got, expected, atol=1e-4)

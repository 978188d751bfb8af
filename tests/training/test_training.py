"""The training code on small made-up sound: teacher, student, cache, prior, resume, export."""

import json
from dataclasses import replace
from pathlib import Path

import librosa
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
onnx = pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")
pytest.importorskip("sklearn", reason="the extra 'train' (scikit-learn) is not installed")
ort = pytest.importorskip("onnxruntime")

from streamer.encoders.acoustic.compilation import compile_once  # noqa: E402
from streamer.training.data.targets import Cache, tokens, write_mel  # noqa: E402
from streamer.training.data.teacher import WhisperTeacher  # noqa: E402
from streamer.training.export.embedder import Embedder, valid_frames  # noqa: E402
from streamer.training.export.onnx import HALVED_FROM, write_onnx  # noqa: E402
from streamer.training.export.projection import fit_embedding  # noqa: E402
from streamer.training.student.distill import Recipe, Run, load_distiller, read_recipe, train  # noqa: E402
from streamer.training.student.logmel import LogMel  # noqa: E402
from streamer.training.student.network import Student, StudentShape  # noqa: E402

SHARED = Path(__file__).parents[2].parent / "shared" / "data"
TINY = StudentShape(channels=32, layers=2, heads=2, position_groups=4)


def voice(seconds: float, seed: int = 0) -> np.ndarray:
    """Something like a voice: a wobbling harmonic tone in noise."""
    rng = np.random.default_rng(seed)
    time_s = np.arange(round(seconds * 16_000)) / 16_000
    phase = 2 * np.pi * (140 * time_s + 3 * np.sin(2 * np.pi * 2 * time_s))
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    loud = 0.5 + 0.5 * np.sin(2 * np.pi * 3 * time_s)
    return (0.1 * loud * tone + 0.003 * rng.standard_normal(len(time_s))).astype(np.float32)


def random_embedder() -> Embedder:
    torch.manual_seed(0)
    return Embedder(Student(TINY), (16, 8)).eval()


def make_cache(folder: Path) -> Cache:
    """Eight clips of sound with random answers of a teacher of width 8."""
    speech = folder / "speech"
    speech.mkdir()
    soundfile = pytest.importorskip("soundfile")
    for i in range(8):
        soundfile.write(speech / f"{i}.wav", voice(0.5 + 0.3 * i, seed=i), 16_000)
    write_mel(speech, folder / "cache", copies=())
    cache = Cache.open(folder / "cache")
    answers = np.random.default_rng(0).standard_normal((int(cache.offsets[-1]), 8))
    (folder / "cache" / "tiny.f16").write_bytes(answers.astype(np.float16).tobytes())
    return cache


def small_recipe() -> Recipe:
    return Recipe(
        shape=TINY, hints=((1, "tiny", 0, 8),), batch=3, crop_tokens=16, steps=6, warmup=2
    )


def test_logmel_of_a_tone_peaks_at_its_band():
    tone = np.sin(2 * np.pi * 1_000 * np.arange(16_000) / 16_000).astype(np.float32)
    mel = LogMel()(torch.from_numpy(tone)[None])[0]
    assert mel.shape == (101, 80)
    compile_once()
    assert mel[50].argmax() == librosa.filters.mel(sr=16_000, n_fft=400, n_mels=80)[:, 25].argmax()


def test_teacher_answers_50_frames_a_second():
    weights = SHARED / "weights" / "whisper_tiny_en_encoder_fp16.npz"
    if not weights.is_file():
        pytest.skip(f"teacher weights are not at {weights}")
    teacher = WhisperTeacher(weights, layers=2)
    hidden = teacher(LogMel()(torch.from_numpy(voice(1.0))[None])[0, :-1])
    assert [tuple(h.shape) for h in hidden] == [(50, 384), (50, 384)]
    assert all(torch.isfinite(h).all() for h in hidden)


def test_student_is_padding_invariant_and_gain_invariant():
    embedder = random_embedder()
    alone = torch.from_numpy(voice(0.77))[None]
    padded = torch.nn.functional.pad(alone, (0, 9_999))
    together = torch.cat([padded, torch.from_numpy(voice(1.4, 1))[None, : padded.shape[1]]])
    with torch.no_grad():
        for a, b, c in zip(embedder(alone), embedder(padded), embedder(together), strict=True):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=0)
            torch.testing.assert_close(a[0], c[0], atol=1e-4, rtol=0)
        front = embedder.front(torch.cat([alone, 0.1 * alone]))
        hidden, _ = embedder.student(front, valid_frames(torch.cat([alone, alone])))
        torch.testing.assert_close(hidden[-1][0], hidden[-1][1], atol=2e-2, rtol=0)


def test_exported_graph_equals_torch(tmp_path):
    embedder = random_embedder()
    write_onnx(embedder, tmp_path / "tiny.onnx")
    # The file keeps large weights as float16: give torch the same ones.
    with torch.no_grad():
        for parameter in embedder.parameters():
            if parameter.numel() >= HALVED_FROM:
                parameter.copy_(parameter.half().float())
    session = ort.InferenceSession(str(tmp_path / "tiny.onnx"), providers=["CPUExecutionProvider"])
    for samples in (1_600, 16_000, 40_123):
        audio = np.stack([voice(3.0, 2)[:samples], voice(3.0, 3)[:samples]])
        with torch.no_grad():
            expected = embedder(torch.from_numpy(audio))
        for got, want in zip(session.run(None, {"audio": audio}), expected, strict=True):
            np.testing.assert_allclose(got, want.numpy(), atol=1e-4)
    silent = session.run(None, {"audio": np.zeros((1, 1_600), np.float32)})
    assert all(np.isfinite(out).all() for out in silent)


def test_cache_pads_clips_to_whole_tokens(tmp_path):
    cache = make_cache(tmp_path)
    assert len(cache.clips) == 8
    assert cache.offsets[-1] == sum(tokens(c.samples) for c in cache.clips)
    assert cache.mel().shape == (cache.offsets[-1] * 4, 80)


def test_resumed_run_is_the_same_to_the_last_bit(tmp_path):
    cache, recipe = make_cache(tmp_path), small_recipe()
    straight = Run(recipe, cache)
    for _ in range(3):
        straight.advance()
    straight.save(tmp_path / "half.pt")
    rest = [straight.advance() for _ in range(3)]
    resumed = Run(recipe, cache)
    resumed.restore(tmp_path / "half.pt")
    assert [resumed.advance() for _ in range(3)] == rest
    for a, b in zip(straight.average.parameters(), resumed.average.parameters(), strict=True):
        assert torch.equal(a, b)


def test_heads_learn_first_and_the_context_network_slower(tmp_path):
    recipe = replace(small_recipe(), heads_first=2, context_rate=0.0)
    run = Run(recipe, make_cache(tmp_path))
    before = {name: value.clone() for name, value in run.model.state_dict().items()}

    def changed() -> set[str]:
        now = run.model.state_dict()
        return {name.split(".")[1] for name in now if not torch.equal(now[name], before[name])}

    rates = [run.advance()["rate"] for _ in range(2)]
    assert changed() == {"0"}  # of targets.0.head
    assert run.advance()["rate"] == rates[0] < rates[1]
    assert changed() == {"0", "convolutions", "feature_norm"}


def test_checkpoint_keeps_its_recipe(tmp_path):
    run = Run(small_recipe(), make_cache(tmp_path))
    run.advance()
    run.save(tmp_path / "one.pt")
    _, recipe = load_distiller(tmp_path / "one.pt")
    assert recipe == small_recipe()
    assert read_recipe(torch.load(tmp_path / "one.pt", weights_only=True)["recipe"]) == recipe


def test_skipped_corpora_are_named_when_nothing_is_left(tmp_path):
    cache = make_cache(tmp_path)
    recipe = Recipe(shape=TINY, hints=((1, "tiny", 0, 8),), skip=(cache.clips[0].corpus,))
    with pytest.raises(ValueError, match="speech"):
        Run(recipe, cache)


def test_embedding_has_unit_variance_whatever_the_power():
    rng = np.random.default_rng(0)
    raw = rng.standard_normal((500, 12)) @ rng.standard_normal((12, 12))
    for power in (0.0, 0.25, 0.5):
        out = fit_embedding(raw, np.ones(500), 6, power, rng)(raw)
        np.testing.assert_allclose(out.mean(0), 0.0, atol=1e-4)
        np.testing.assert_allclose(out.std(0), 1.0, atol=1e-3)


def test_log_lines_are_json(tmp_path):
    run = Run(small_recipe(), make_cache(tmp_path))
    steps = list(train(run, tmp_path / "c.pt", tmp_path / "log.jsonl", save_every=3, log_every=2))
    assert steps == [3, 6]
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4, 6]

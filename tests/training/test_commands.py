"""`python -m streamer.training` from speech to encoder, with teachers of random weights."""

import csv
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.training.synthetic_clips import voice

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")
pytest.importorskip("sklearn", reason="the extra 'train' (scikit-learn) is not installed")
ort = pytest.importorskip("onnxruntime")

from streamer.training import __main__ as training  # noqa: E402

MODELS = Path(__file__).parents[2] / "models"
EMOTIONS = ("anger", "fear", "happiness", "neutral", "sadness")


def write_packed(folder: Path) -> Path:
    """Three speakers of each of two packed corpora say something 20 times, in five emotions."""
    folder.mkdir()
    rows = [("corpus", "clip", "start", "samples", "speaker", "emotion", "language")]
    for shift, corpus in enumerate(("ravdess", "nemo")):
        parts, start = [], 0
        for speaker in range(3):
            for i, emotion in enumerate(EMOTIONS * 4):
                part = voice(0.3 + 0.01 * i, speaker, 100.0 + 20 * speaker + 5 * i + 7 * shift)
                rows.append((corpus, f"{speaker}-{i}", start, len(part), speaker, emotion, ""))
                parts.append(part)
                start += len(part)
        audio = np.concatenate(parts)
        soundfile.write(folder / f"{corpus}.opus", audio, 16_000, format="OGG", subtype="OPUS")
    with (folder / "clips.csv").open("w", newline="") as out:
        csv.writer(out).writerows(rows)
    return folder


def write_teacher(path: Path, width: int, blocks: int) -> Path:
    """An encoder as Whisper's, of random weights."""
    rng = np.random.default_rng(0)

    def matrix(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) * 0.05).astype(np.float16)

    weights = {
        "c1w": matrix(width, 80, 3), "c1b": matrix(width),
        "c2w": matrix(width, width, 3), "c2b": matrix(width),
    }  # fmt: skip
    for i in range(blocks):
        name = f"block_{i}"
        for norm in ("attn_ln", "mlp_ln"):
            weights |= {f"{name}/{norm}.w": 1 + matrix(width), f"{name}/{norm}.b": matrix(width)}
        for part in ("query", "key", "value", "out"):
            weights[f"{name}/attn/{part}.w"] = matrix(width, width)
            if part != "key":
                weights[f"{name}/attn/{part}.b"] = matrix(width)
        for part, sizes in (("mlp1", (width, 4 * width)), ("mlp2", (4 * width, width))):
            weights[f"{name}/mlp/{part}.w"] = matrix(*sizes)
            weights[f"{name}/mlp/{part}.b"] = matrix(sizes[1])
    np.savez(path, **weights)
    return path


def command(monkeypatch, capsys, *words: object) -> str:
    monkeypatch.setattr(sys, "argv", ["training", *map(str, words)])
    training.main()
    return capsys.readouterr().out


def test_from_speech_to_an_encoder(tmp_path, monkeypatch, capsys):
    speech, cache, run = write_packed(tmp_path / "speech"), tmp_path / "cache", tmp_path / "run"
    tiny = write_teacher(tmp_path / "tiny.npz", 384, 2)
    base = write_teacher(tmp_path / "base.npz", 512, 3)

    def say(*words: object) -> str:
        return command(monkeypatch, capsys, *words)

    say("cache", "--speech", speech, "--cache", cache, "--copies",
        "--teacher", f"tiny={tiny}:1,2", f"base={base}:2,3")  # fmt: skip
    log_mel = MODELS / "streamer-small.onnx"
    out = say("imitate", "--cache", cache, "--run", run, "--log-mel", log_mel, "--steps", 2)
    assert json.loads(out)["step"] == 2
    monkeypatch.setattr("streamer.training.student.distill.ESTIMATED", 60)
    out = say("distill", "--cache", cache, "--run", run, "--steps", 2, "--save-every", 2)
    assert set(json.loads(out)) == {"step", "ravdess"}
    models = tmp_path / "models"
    out = say("export", "--cache", cache, "--run", run, "--models", models, "--name", "made")
    row = tomllib.loads((models / "manifest.toml").read_text("utf-8"))["encoder"][0]
    assert row["sha256"] == json.loads(out)["sha256"]
    assert "Whisper base and tiny" in row["description"]
    assert (models / "made" / "model.safetensors").is_file()
    session = ort.InferenceSession(str(models / "made.onnx"), providers=["CPUExecutionProvider"])
    embedding, emotion = session.run(None, {"audio": voice(1.0)[None]})
    assert embedding.shape == (1, row["embedding_size"])
    assert np.linalg.norm(emotion) == pytest.approx(1.0, abs=1e-5)


def test_a_teacher_without_blocks_is_told_how(tmp_path, monkeypatch, capsys):
    speech = write_packed(tmp_path / "speech")
    with pytest.raises(SystemExit, match=r"NAME=WEIGHTS\.npz:1,2"):
        command(monkeypatch, capsys, "cache", "--speech", speech,
                "--cache", tmp_path / "cache", "--teacher", "tiny=x.npz")  # fmt: skip

"""A tuned student as the files that Streamer loads: ONNX, prior, manifest row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from streamer.encoders.manifest import write_row
from streamer.encoders.registry import MANIFEST, EncoderRow
from streamer.training.export.onnx import manifest_row, write_onnx
from streamer.training.tune.tunable import TunableStudent

PULL = 1.0


@torch.no_grad()
def vectors_of(tunable: TunableStudent, clips: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings [clips, d] and emotion vectors [clips, e] as the deployed graph gives them."""
    tunable.eval()
    pairs = [tunable.embedder(torch.from_numpy(clip)[None]) for clip in clips]
    return (
        np.concatenate([embedding.numpy() for embedding, _ in pairs]).astype(np.float64),
        np.concatenate([emotion.numpy() for _, emotion in pairs]).astype(np.float64),
    )


def write_tuned(
    tunable: TunableStudent,
    of: EncoderRow,
    folder: Path,
    name: str,
    moved: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]],
    speech_s: float,
) -> None:
    """Write NAME.onnx, its prior and its row into a models folder.

    of: the encoder that it was tuned from. moved: embeddings and emotion vectors of the same clips,
    before and after, from which the prior is carried over (see `carried_prior`).
    """
    folder.mkdir(parents=True, exist_ok=True)
    onnx_path, prior_path = folder / f"{name}.onnx", folder / f"{name}.prior.npz"
    write_onnx(tunable.embedder, onnx_path)
    if of.prior is not None:
        with np.load(of.folder / of.prior, allow_pickle=False) as stored:
            arrays = carried_prior({key: stored[key] for key in stored.files}, *moved)
        partial = prior_path.with_suffix(".part.npz")
        np.savez(partial, **arrays)
        partial.replace(prior_path)
    description = f"{of.name}, tuned on {speech_s / 60:.0f} minutes of one profile"
    data = [*of.training_data, {"name": "one profile", "licence": "private"}]
    row = manifest_row(onnx_path, prior_path, name, description, data)
    row |= {"default": False, "licence": of.licence, "commercial_use": of.commercial_use}
    write_row(folder / MANIFEST, row)


def carried_prior(
    prior: dict[str, Any],
    before: tuple[np.ndarray, np.ndarray],
    after: tuple[np.ndarray, np.ndarray],
) -> dict[str, Any]:
    """The prior of the old encoder's outputs, as one of the new one's.

    The population's mean moves as the mean of these clips moved, its deviation stretches as theirs
    did. The weights are those nearest to the old ones, in the sense of ridge regression, that
    predict of the new embeddings what the old ones did of the old.
    """
    old, new = before[0], after[0]
    mean, deviation = prior["embedding_mean"], prior["embedding_std"]
    stretch = (new.std(0) + 1e-6) / (old.std(0) + 1e-6)
    shifted = dict(prior)
    shifted["embedding_std"] = (deviation * stretch).astype(np.float32)
    shifted["embedding_mean"] = (new.mean(0) + (mean - old.mean(0)) * stretch).astype(np.float32)
    shifted["emotion_mean"] = (prior["emotion_mean"] + after[1].mean(0) - before[1].mean(0)).astype(
        np.float32
    )
    x = (old - old.mean(0)) / (old.std(0) + 1e-6)
    z = (new - new.mean(0)) / (new.std(0) + 1e-6)
    weights = prior["weights"].astype(np.float64)
    if weights.size:
        pull = PULL * len(z) * np.eye(z.shape[1])
        change = np.linalg.solve(z.T @ z + pull, z.T @ ((x - z) @ weights))
        shifted["weights"] = (weights + change).astype(np.float32)
    return shifted

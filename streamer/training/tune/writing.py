"""Write a tuned student: ONNX file, prior, manifest row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from streamer.encoders.manifest import write_row
from streamer.encoders.prior_file import write_prior
from streamer.encoders.registry import MANIFEST, PRIVATE, EncoderRow, load_prior
from streamer.learners.prior import Prior
from streamer.system import make_private_file, make_private_folder
from streamer.training.export.onnx import manifest_row, sha256, write_onnx
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
    before and after, for the conversion of the prior (see `carried_prior`).
    """
    make_private_folder(folder)
    onnx_path, prior_path = folder / f"{name}.onnx", folder / f"{name}.prior.npz"
    make_private_file(onnx_path)
    write_onnx(tunable.embedder, onnx_path)
    if of.prior is not None:
        write_prior(prior_path, carried_prior(load_prior(of), *moved), sha256(onnx_path))
    description = f"{of.name}, tuned on {speech_s / 60:.0f} minutes of one profile"
    data = [*of.training_data, {"name": "one profile", "licence": PRIVATE}]
    row = manifest_row(onnx_path, prior_path, name, description, data)
    row |= {"default": False, "licence": of.licence, "commercial_use": of.commercial_use}
    write_row(folder / MANIFEST, row)


def carried_prior(
    prior: Prior,
    before: tuple[np.ndarray, np.ndarray],
    after: tuple[np.ndarray, np.ndarray],
) -> Prior:
    """The prior of the old encoder's outputs, converted to the new encoder's.

    The population's mean and deviation change as those of these clips do. The new weights are the
    ridge regression, shrunk towards the old weights, of the old predictions on the new embeddings.

    before, after: embeddings [n, d] and emotion vectors [n, e] of the same clips.
    """
    old, new = before[0], after[0]
    stretch = (new.std(0) + 1e-6) / (old.std(0) + 1e-6)
    x = (old - old.mean(0)) / (old.std(0) + 1e-6)
    z = (new - new.mean(0)) / (new.std(0) + 1e-6)
    pull = PULL * len(z) * np.eye(z.shape[1])
    change = np.linalg.solve(z.T @ z + pull, z.T @ (x - z))
    return replace(
        prior,
        embedding_mean=new.mean(0) + (prior.embedding_mean - old.mean(0)) * stretch,
        embedding_deviation=prior.embedding_deviation * stretch,
        emotion_mean=prior.emotion_mean + after[1].mean(0) - before[1].mean(0),
        weights=prior.weights + change @ prior.weights,
        class_weights=_carried(prior.class_weights, change),
    )


def _carried(weights: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The same change for weights of classes, where there are any."""
    return weights + change @ weights if weights.size else weights

"""Write a tuned head as a new encoder: ONNX file with another last map, prior, manifest row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from streamer.encoders.manifest import write_row
from streamer.encoders.prior_file import write_prior
from streamer.encoders.registry import MANIFEST, EncoderRow, load_prior
from streamer.system import make_private_file, make_private_folder
from streamer.training.export.onnx import manifest_row, sha256, write_onnx
from streamer.training.export.probe import unit
from streamer.training.tune.tunable import TunableStudent


def write_head(of: EncoderRow, matrix: np.ndarray, folder: Path, name: str) -> None:
    """Write NAME.onnx, its prior and its row: encoder `of` with A, [e, e], after its emotion map.

    Raises EncoderError where `of` is not an encoder trained by this project.
    """
    tunable = TunableStudent.from_onnx(of.path)
    layer = tunable.embedder.emotion
    turn = torch.from_numpy(matrix.astype(np.float32))
    with torch.no_grad():
        layer.weight.copy_(turn @ layer.weight)
        layer.bias.copy_(turn @ layer.bias)
    make_private_folder(folder)
    onnx_path, prior_path = folder / f"{name}.onnx", folder / f"{name}.prior.npz"
    make_private_file(onnx_path)
    write_onnx(tunable.embedder, onnx_path)
    if of.prior is not None:
        prior = load_prior(of)
        turned = prior.emotion_mean @ matrix.T
        # A map is known up to length; the mean of unit vectors keeps its own.
        turned *= np.linalg.norm(prior.emotion_mean) / max(float(np.linalg.norm(turned)), 1e-12)
        prototypes = prior.prototypes
        if prototypes.size:
            prototypes = unit(prototypes @ matrix.T)
        turned_prior = replace(prior, emotion_mean=turned, prototypes=prototypes)
        write_prior(prior_path, turned_prior, sha256(onnx_path))
    description = f"{of.name} with an emotion map tuned to one profile"
    data = [*of.training_data, {"name": "one profile", "licence": "private"}]
    row = manifest_row(onnx_path, prior_path, name, description, data)
    row |= {"default": False, "licence": of.licence, "commercial_use": of.commercial_use}
    write_row(folder / MANIFEST, row)

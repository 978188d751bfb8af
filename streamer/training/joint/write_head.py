"""A tuned head as an encoder of its own: the ONNX file with another last map, prior, manifest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from streamer.encoders.manifest import write_row
from streamer.encoders.registry import MANIFEST, EncoderRow
from streamer.training.export.onnx import manifest_row, write_onnx
from streamer.training.export.probe import unit
from streamer.training.tune.tunable import TunableStudent


def write_head(of: EncoderRow, matrix: np.ndarray, folder: Path, name: str) -> None:
    """Write NAME.onnx, its prior and its row: encoder `of` with A, [e, e], after its emotion map.

    Raises EncoderError where `of` is not an encoder that this project trained.
    """
    tunable = TunableStudent.from_onnx(of.path)
    layer = tunable.embedder.emotion
    turn = torch.from_numpy(matrix.astype(np.float32))
    with torch.no_grad():
        layer.weight.copy_(turn @ layer.weight)
        layer.bias.copy_(turn @ layer.bias)
    folder.mkdir(parents=True, exist_ok=True)
    onnx_path, prior_path = folder / f"{name}.onnx", folder / f"{name}.prior.npz"
    write_onnx(tunable.embedder, onnx_path)
    if of.prior is not None:
        with np.load(of.folder / of.prior, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        for key in ("emotion_mean", "prototypes"):
            if key in arrays and arrays[key].size:
                turned = arrays[key].astype(np.float64) @ matrix.T
                # A mean keeps its length, prototypes are of unit length.
                length = np.linalg.norm(arrays[key], axis=-1, keepdims=True)
                arrays[key] = (unit(np.atleast_2d(turned)).reshape(turned.shape) * length).astype(
                    np.float32
                )
        partial = prior_path.with_suffix(".part.npz")
        np.savez(partial, allow_pickle=False, **arrays)
        partial.replace(prior_path)
    description = f"{of.name} with an emotion map tuned to one profile"
    data = [*of.training_data, {"name": "one profile", "licence": "private"}]
    row = manifest_row(onnx_path, prior_path, name, description, data)
    row |= {"default": False, "licence": of.licence, "commercial_use": of.commercial_use}
    write_row(folder / MANIFEST, row)

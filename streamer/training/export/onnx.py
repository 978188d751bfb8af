"""One ONNX file, and the manifest row that binds it and its prior.

The graph takes ``audio`` float32 [batch, samples] at 16 kHz and gives ``embedding`` [batch, d] and
``emotion`` [batch, e]; both input axes are free. Large weights are stored as float16 and cast back
when the file is loaded; arithmetic stays float32.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from streamer.training.data.speech import RATE_HZ
from streamer.training.data.targets import MIN_SAMPLES
from streamer.training.export.embedder import Embedder
from streamer.training.export.projection import Affine

OPSET = 17
HALVED_FROM = 4_096
KEPT_WHOLE = ("front.columns", "front.rows", "front.filters")


def set_affine(layer: torch.nn.Linear, affine: Affine) -> None:
    """Write x -> x @ matrix + offset into a linear layer of that shape."""
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(affine.matrix.T))
        layer.bias.copy_(torch.from_numpy(affine.offset))


def trace(graph: torch.nn.Module, path: Path) -> None:
    """Write a graph from audio to (embedding, emotion) as ONNX with both input axes free."""
    torch.onnx.export(
        graph.eval(),
        (torch.randn(2, 16_000) * 0.1,),
        str(path),
        dynamo=False,
        opset_version=OPSET,
        input_names=["audio"],
        output_names=["embedding", "emotion"],
        dynamic_axes={
            "audio": {0: "batch", 1: "samples"},
            "embedding": {0: "batch"},
            "emotion": {0: "batch"},
        },
    )


def write_onnx(embedder: Embedder, path: Path) -> None:
    """Trace the graph, store its large weights as float16, and write it atomically."""
    partial = path.with_suffix(".onnx.part")
    trace(embedder, partial)
    model = onnx.load(str(partial))
    _halve(model.graph)
    onnx.checker.check_model(model)
    onnx.save(model, str(partial))
    partial.replace(path)


def _halve(graph: onnx.GraphProto) -> None:
    """Store every large float32 weight as float16 with a cast, which is folded at load time."""
    for weight in list(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < HALVED_FROM or weight.name in KEPT_WHOLE:
            continue
        name = weight.name
        graph.initializer.remove(weight)
        graph.initializer.append(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        graph.node.insert(
            0, helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT)
        )


def manifest_row(
    onnx_path: Path,
    prior_path: Path,
    name: str,
    description: str,
    training_data: list[dict[str, Any]],
) -> dict[str, Any]:
    """The manifest's table for an exported encoder: sizes and hashes read from the files."""
    graph = onnx.load(str(onnx_path)).graph
    sizes = {out.name: out.type.tensor_type.shape.dim[1].dim_value for out in graph.output}
    return {
        "name": name,
        "file": onnx_path.name,
        "sha256": sha256(onnx_path),
        "size_bytes": onnx_path.stat().st_size,
        "licence": "CC BY-NC-SA 4.0",
        "commercial_use": False,
        "default": True,
        "description": description,
        "rate_hz": RATE_HZ,
        "input": "audio",
        "embedding": "embedding",
        "embedding_size": sizes["embedding"],
        "emotion": "emotion",
        "emotion_size": sizes["emotion"],
        "min_samples": MIN_SAMPLES,
        "padding_invariant": True,
        "prior": prior_path.name,
        "prior_sha256": sha256(prior_path),
        "training_data": training_data,
    }


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

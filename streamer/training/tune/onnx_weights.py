"""Load the weights of an exported graph into the torch module that it was traced from.

Weights that the export keeps by name are found by it ("NAME.half" where they are stored as
float16). The matrix of a linear layer loses its name when it is traced, but not its bias: it is the
constant whose product the named bias is added to, transposed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn

from streamer.errors import EncoderError

HALF = ".half"


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """Parameter names and values, float32, of an ONNX file that this project wrote.

    Raises EncoderError for a file that cannot be read.
    """
    try:
        graph = onnx.load(str(path)).graph
    except Exception as error:  # onnx raises protobuf's own kinds
        raise EncoderError(f"{path} is no ONNX file ({error}): give that of an encoder") from error
    stored = {
        one.name.removesuffix(HALF): numpy_helper.to_array(one).astype(np.float32)
        for one in graph.initializer
    }
    weights = {n: v for n, v in stored.items() if not n.startswith("onnx::")}
    products = {
        node.output[0]: name
        for node in graph.node
        if node.op_type == "MatMul"
        for name in node.input
        if name in stored
    }
    for node in graph.node:
        if node.op_type != "Add":
            continue
        biases = [name for name in node.input if name.endswith(".bias") and name in stored]
        sums = [products[name] for name in node.input if name in products]
        if biases and sums:
            weights[biases[0].removesuffix("bias") + "weight"] = stored[sums[0]].T
    return weights


@torch.no_grad()
def load_weights(module: nn.Module, weights: dict[str, np.ndarray], path: Path) -> None:
    """Write them into a module's parameters. Raises EncoderError where one does not fit."""
    for name, parameter in module.named_parameters():
        found = weights.get(name)
        if found is None or found.shape != tuple(parameter.shape):
            shape = "missing" if found is None else f"of shape {list(found.shape)}"
            raise EncoderError(
                f"{path}: {name} is {shape}, not {list(parameter.shape)}: only encoders that this "
                "project trained can be tuned from their ONNX file; give a checkpoint's folder"
            )
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(found)))

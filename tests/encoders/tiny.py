"""Encoders of a few operators, made with the onnx package, and their rows."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streamer.encoders.registry import EncoderRow

onnx = pytest.importorskip("onnx", reason="needs the onnx package to make encoders")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

EMBEDDING_SIZE = 4
EMOTION_SIZE = 3


def row_of(path: Path, **changes: Any) -> EncoderRow:
    """The row that fits the encoder of `write_encoder`."""
    fields: dict[str, Any] = {
        "folder": path.parent,
        "name": "tiny",
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "licence": "Apache-2.0",
        "embedding_size": EMBEDDING_SIZE,
        "emotion_size": EMOTION_SIZE,
    }
    return EncoderRow(**{**fields, **changes})


def write_encoder(
    path: Path,
    *,
    inputs: Sequence[str] = ("audio",),
    input_shape: Sequence[int | str] = ("batch", "samples"),
    input_type: int = TensorProto.FLOAT,
    outputs: Sequence[str] = ("embedding", "emotion"),
    scale: float = 1.0,
    pooled: bool = True,
    only_samples: int | None = None,
    any_sign: bool = False,
) -> Path:
    """embedding: the number of samples fed, EMBEDDING_SIZE times; emotion: their root sum.

    Each is multiplied by `scale`; the emotion of negative audio is not a number. Not `pooled`, the
    embedding is the audio itself. `only_samples`: the graph fails at any other length. `any_sign`:
    negative audio counts as positive, so that every emotion is a number.
    """
    first = inputs[0]
    constants = {
        "columns": np.full((1, EMBEDDING_SIZE), scale, np.float32),
        "rows": np.full((1, EMOTION_SIZE), scale, np.float32),
        "one": np.ones((1, 1), np.float32),
        "axes": np.array([1]),
        "fixed": np.array([1, only_samples or -1]),
    }
    nodes = [
        helper.make_node("Cast", [first], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Shape", [first], ["shape"], start=1, end=2),
        helper.make_node("Cast", ["shape"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["count", "columns"] if pooled else ["float", "one"], [outputs[0]]),
        helper.make_node("Abs" if any_sign else "Identity", ["float"], ["signed"]),
        helper.make_node("Reshape", ["signed", "fixed"], ["reshaped"]),
        helper.make_node("ReduceSum", ["reshaped", "axes"], ["sum"], keepdims=1),
        helper.make_node("Sqrt", ["sum"], ["root"]),
        helper.make_node("Mul", ["root", "rows"], [outputs[1]]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, input_type, input_shape) for name in inputs],
        [
            helper.make_tensor_value_info(outputs[0], TensorProto.FLOAT, ["batch", "size"]),
            helper.make_tensor_value_info(outputs[1], TensorProto.FLOAT, ["batch", EMOTION_SIZE]),
        ],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path

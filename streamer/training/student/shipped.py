"""The log-mel student of an exported encoder, out of its ONNX file.

The names are those of the student's own state dict; matrix products lose theirs in the export, but
not their order: query_key_value, out, up and down of each block, transposed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor

from streamer.training.student.network import Student, StudentShape

PREFIX = "student."
PRODUCTS = ("query_key_value", "out", "up", "down")


def read_student(path: Path) -> Student:
    """The student, ready to be used. Raises ValueError for an ONNX file that has none."""
    weights: dict[str, Tensor] = {}
    products: list[Tensor] = []
    for initializer in onnx.load(str(path)).graph.initializer:
        name = initializer.name.removesuffix(".half")
        value = torch.from_numpy(numpy_helper.to_array(initializer).astype(np.float32))
        if name.startswith(PREFIX):
            weights[name.removeprefix(PREFIX)] = value
        elif name.startswith("onnx::MatMul"):
            products.append(value.T.contiguous())
    if "convolutions.0.weight" not in weights:
        raise ValueError(f"{path} has no log-mel student: give models/streamer-small.onnx")
    for i, product in enumerate(products):
        block, place = divmod(i, len(PRODUCTS))
        weights[f"blocks.{block}.{PRODUCTS[place]}.weight"] = product
    channels, group, kernel = weights["positions.weight"].shape
    student = Student(
        StudentShape(
            channels=channels,
            layers=len(products) // len(PRODUCTS),
            position_kernel=kernel,
            position_groups=channels // group,
        )
    )
    student.load_state_dict(weights)
    return student.eval()

"""The raw student's weights as ``transformers.Wav2Vec2Model`` reads them.

A folder with ``config.json``, ``preprocessor_config.json`` and ``model.safetensors``, made without
transformers itself. Its hidden states 1 to n, n the number of blocks (the last is the model's
``last_hidden_state``), are those that the ONNX file pools.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from streamer.training.data.speech import RATE_HZ
from streamer.training.export.onnx import HALVED_FROM
from streamer.training.student.network import Block
from streamer.training.student.raw_network import RawShape, RawStudent, WindowConvolution


def write_wav2vec2(student: RawStudent, folder: Path) -> None:
    """Write the folder; weights that the ONNX file keeps as float16 are float16 here too."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (value.half() if value.numel() >= HALVED_FROM else value).contiguous()
        for name, value in wav2vec2_weights(student).items()
    }
    save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
    for name, content in (
        ("config.json", wav2vec2_config(student.shape)),
        ("preprocessor_config.json", PREPROCESSOR),
    ):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")


PREPROCESSOR: dict[str, Any] = {
    "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "sampling_rate": RATE_HZ,
    "feature_size": 1,
    "do_normalize": True,
    "padding_value": 0.0,
    "padding_side": "right",
    "return_attention_mask": True,
}


def wav2vec2_config(shape: RawShape) -> dict[str, Any]:
    """``Wav2Vec2Config`` of a shape; what is not named is left at its default."""
    return {
        "architectures": ["Wav2Vec2Model"],
        "model_type": "wav2vec2",
        "dtype": "float32",
        "conv_dim": list(shape.widths),
        "conv_kernel": list(shape.kernels),
        "conv_stride": list(shape.strides),
        "num_feat_extract_layers": len(shape.widths),
        "conv_bias": True,
        "feat_extract_norm": "layer",
        "feat_extract_activation": "gelu",
        "hidden_size": shape.channels,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "intermediate_size": shape.widening * shape.channels,
        "hidden_act": "gelu",
        "num_conv_pos_embeddings": shape.position_kernel,
        "num_conv_pos_embedding_groups": shape.position_groups,
        "do_stable_layer_norm": True,
        "layer_norm_eps": 1e-5,
        "layerdrop": 0.0,
        "mask_time_prob": 0.0,
    }


def wav2vec2_weights(student: RawStudent) -> dict[str, Tensor]:
    """The state dict of ``Wav2Vec2Model`` that computes what the student does."""
    weights: dict[str, Tensor] = {}

    def put(name: str, layer: torch.nn.Module) -> None:
        weights[f"{name}.weight"] = layer.weight.detach().clone()
        weights[f"{name}.bias"] = layer.bias.detach().clone()

    for i, convolution in enumerate(student.convolutions):
        name = f"feature_extractor.conv_layers.{i}"
        put(f"{name}.conv", convolution.product)
        weights[f"{name}.conv.weight"] = kernel_of(convolution)
        put(f"{name}.layer_norm", convolution.norm)
    put("feature_projection.layer_norm", student.projection_norm)
    put("feature_projection.projection", student.projection)
    positions = "encoder.pos_conv_embed.conv"
    direction = student.positions.weight.detach().clone()
    weights[f"{positions}.bias"] = student.positions.bias.detach().clone()
    # Weight normalization keeps length and direction apart, a length for each place of the kernel.
    stored = direction.half().float() if direction.numel() >= HALVED_FROM else direction
    weights[f"{positions}.parametrizations.weight.original0"] = stored.norm(
        dim=(0, 1), keepdim=True
    )
    weights[f"{positions}.parametrizations.weight.original1"] = direction
    for i, block in enumerate(student.blocks):
        _put_block(put, weights, f"encoder.layers.{i}", block)
    put("encoder.layer_norm", student.last_norm)
    return weights


def kernel_of(convolution: WindowConvolution) -> Tensor:
    """The convolution's kernel as ``nn.Conv1d`` has it: [after, before, kernel]."""
    matrix = convolution.product.weight.detach()
    return matrix.view(len(matrix), convolution.kernel, -1).transpose(1, 2).clone()


def _put_block(put: Any, weights: dict[str, Tensor], name: str, block: Block) -> None:
    for part, kind in (
        ("weight", block.query_key_value.weight),
        ("bias", block.query_key_value.bias),
    ):
        for letter, own in zip("qkv", kind.detach().chunk(3), strict=True):
            weights[f"{name}.attention.{letter}_proj.{part}"] = own.clone()
    put(f"{name}.attention.out_proj", block.out)
    put(f"{name}.layer_norm", block.attention_norm)
    put(f"{name}.feed_forward.intermediate_dense", block.up)
    put(f"{name}.feed_forward.output_dense", block.down)
    put(f"{name}.final_layer_norm", block.feed_norm)

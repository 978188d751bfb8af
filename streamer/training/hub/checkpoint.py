"""From a Hugging Face checkpoint to an ONNX encoder: wav2vec 2.0, HuBERT, WavLM, Whisper."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from torch.nn.utils import parametrize

from streamer.encoders.import_onnx import Statement
from streamer.errors import EncoderError, UsageError
from streamer.training.export.onnx import trace
from streamer.training.hub.graph import (
    POOLINGS,
    HubGraph,
    RegressionHead,
    WaveformFrames,
    WhisperFrames,
)
from streamer.training.hub.presets import PRESETS, Preset

WAVEFORM_MODELS = ("wav2vec2", "hubert", "wavlm")
_FILES = "config.json, preprocessor_config.json and model.safetensors (or pytorch_model.bin)"
# Only masked training uses it; checkpoints may lack it.
_NOT_NEEDED = "masked_spec_embed"


class EmotionModel(transformers.Wav2Vec2PreTrainedModel):
    """audEERING's checkpoint as it is stored: `wav2vec2` and `classifier`."""

    def __init__(self, config: transformers.Wav2Vec2Config) -> None:
        super().__init__(config)
        self.wav2vec2 = transformers.Wav2Vec2Model(config)
        self.classifier = RegressionHead(config.hidden_size)
        self.post_init()


def export_checkpoint(
    name: str,
    folder: Path,
    *,
    layer: int | None = None,
    layers: tuple[int, int] | None = None,
    pooling: str = "mean",
    checkpoint: Path | None = None,
) -> tuple[Path, Statement]:
    """Write the encoder's ONNX into `folder`; returns its path and its statement.

    name: one of `PRESETS`, or OWNER/NAME on the hub; with `checkpoint`, a folder of such files,
    any name. layer: cut after this block, from 1; None: the preset's, else the model's own output.
    layers: the mean of the outputs of these blocks, first and last, instead; (1, 12) is what Xu,
    Jiang and Wu (2024, CTIAL, section 3.1) take of wav2vec2-base-960h.
    Raises UsageError for a name, layer or pooling that is invalid, EncoderError for a checkpoint
    that cannot be loaded or is of another kind.
    """
    if pooling not in POOLINGS:
        raise UsageError(f"pooling {pooling!r}: choose {' or '.join(POOLINGS)}")
    if layer is not None and layers is not None:
        raise UsageError(f"layer {layer} and layers {layers[0]}-{layers[1]}: give one of the two")
    preset = PRESETS.get(name) or _unknown(name, checkpoint)
    if layers is None:
        layer = preset.layer if layer is None else layer
        graph = load_graph(preset, checkpoint, layer, pooling)
    else:
        graph = load_graph(preset, checkpoint, layers[1], pooling, first=layers[0])
    path = folder / "encoder.onnx"
    trace(graph, path)
    cut = f", after block {layer}" if layer is not None and layer != preset.layer else ""
    cut = cut if layers is None else f", mean of blocks {layers[0]} to {layers[1]}"
    statement = Statement(
        name=name.rsplit("/", 1)[-1],
        licence=preset.licence,
        commercial_use=preset.commercial_use,
        description=f"{preset.description}{cut}, {pooling} over time",
        source=preset.source,
        own=3 if preset.head else 0,
        training_data=preset.training_data,
    )
    return path, statement


def load_graph(
    preset: Preset,
    checkpoint: Path | None,
    layer: int | None,
    pooling: str,
    first: int | None = None,
) -> HubGraph:
    """The checkpoint's encoder, cut and pooled, ready to be traced. Raises as above.

    first: the mean of the blocks from this one to `layer`.
    """
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    # It retries without a network, and says so each time; what comes of it is said once, below.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    source = preset.repository if checkpoint is None else str(checkpoint)
    if checkpoint is not None and not (checkpoint / "config.json").is_file():
        raise EncoderError(f"{checkpoint} holds no checkpoint: put {_FILES} there")
    try:
        config = transformers.AutoConfig.from_pretrained(source)
        kind, head = config.model_type, None
        if kind == "whisper":
            model = _load(transformers.WhisperModel, source).encoder
        elif kind in WAVEFORM_MODELS and preset.head:
            whole = _load(EmotionModel, source)
            model, head = whole.wav2vec2, whole.classifier
        elif kind in WAVEFORM_MODELS:
            model = _load(transformers.AutoModel, source)
        else:
            raise EncoderError(
                f"{source} is a {kind!r} model: give {', '.join(WAVEFORM_MODELS)} or whisper"
            )
        normalized = kind != "whisper" and _is_normalized(source)
    except (OSError, ValueError) as error:
        raise EncoderError(_how_to_get(preset, source, error)) from error
    blocks = model.layers if kind == "whisper" else model.encoder.layers
    if layer is not None and not 1 <= layer <= len(blocks):
        raise UsageError(f"layer {layer}: {source} has blocks 1 to {len(blocks)}")
    if first is not None and layer is not None and not 1 <= first <= layer:
        raise UsageError(f"layers {first}-{layer}: give the first block and the last, such as 1-12")
    frames = (
        WhisperFrames(model, layer, first)
        if kind == "whisper"
        else WaveformFrames(_without_parametrizations(model), layer, normalized, first)
    )
    return HubGraph(frames, pooling, head).eval()


def _load(kind: Any, source: str) -> nn.Module:
    """The model with all of its weights from the checkpoint. Raises OSError, ValueError."""
    # Eager attention is plain arithmetic, which every version of onnxruntime runs.
    model, report = kind.from_pretrained(
        source, attn_implementation="eager", dtype=torch.float32, output_loading_info=True
    )
    missing = [key for key in report["missing_keys"] if not key.endswith(_NOT_NEEDED)]
    if missing:
        raise EncoderError(
            f"{source} lacks {len(missing)} of the weights, such as {min(missing)}: "
            "give the checkpoint that the name stands for"
        )
    return model


def _is_normalized(source: str) -> bool:
    extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(source)
    return bool(extractor.do_normalize)


def _without_parametrizations(model: nn.Module) -> nn.Module:
    """Plain weights: those of the position convolution are stored as direction and length."""
    for module in model.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")
    return model


def _unknown(name: str, checkpoint: Path | None) -> Preset:
    """A preset for an unknown checkpoint. Raises UsageError for an invalid name."""
    if checkpoint is None and name.count("/") != 1:
        known = ", ".join(PRESETS)
        raise UsageError(
            f"no preset {name!r}: choose from {known}, or give OWNER/NAME of the hub, "
            "or a folder with --checkpoint"
        )
    where = f"huggingface.co/{name}" if checkpoint is None else str(checkpoint)
    return Preset(name, "not stated", False, f"from {where}", where)


def _how_to_get(preset: Preset, source: str, error: Exception) -> str:
    reason = " ".join(str(error).split())[:200]
    if source != preset.repository:
        return f"{source} is no checkpoint that can be read ({reason}): put {_FILES} there"
    return (
        f"cannot get {source} from the hub ({reason}): where there is a network, fetch "
        f"{_FILES} from https://huggingface.co/{source} (`hf download {source} --local-dir "
        "FOLDER`), bring the folder here and add --checkpoint FOLDER"
    )

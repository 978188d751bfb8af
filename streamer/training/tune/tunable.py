"""An encoder that can be trained further: the shipped one, or a wav2vec 2.0 or HuBERT checkpoint.

Both have the interface of AFTER's wav2vec 2.0 (Li et al. 2024, section 3.1): a convolutional
feature encoder z, a context network c that may have some of z replaced by a learned vector, and
vectors of a clip pooled from c.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from streamer.errors import EncoderError
from streamer.training.data.speech import RATE_HZ
from streamer.training.data.targets import MIN_SAMPLES
from streamer.training.export.embedder import Embedder
from streamer.training.student.logmel import HOP
from streamer.training.student.network import Student, StudentShape
from streamer.training.student.raw_network import RawShape, RawStudent
from streamer.training.tune.onnx_weights import load_weights, read_weights

HEARD = ("wav2vec2", "hubert")


class Tunable(nn.Module, ABC):
    """The interface of an encoder for training.

    feature_size, size: channels of z and of c; hop: samples from one token to the next.
    convolutions: the feature encoder, which fine-tuning freezes.
    """

    feature_size: int
    size: int
    hop: int

    @abstractmethod
    def features(self, audio: Tensor, samples: Tensor) -> tuple[Tensor, Tensor]:
        """Audio [batch, n] at 16 kHz and each clip's own samples [batch] -> z and its mask.

        z is [batch, tokens, feature_size]; the mask [batch, tokens, 1] is 1 on a clip's own tokens.
        """

    @abstractmethod
    def context(self, z: Tensor, mask: Tensor, hidden: Tensor | None = None) -> Tensor:
        """c [batch, tokens, size]; hidden: bool [batch, tokens], tokens that are replaced."""

    @abstractmethod
    def embedding(self, audio: Tensor) -> Tensor:
        """The embedding of the deployed encoder, [batch, d]."""

    @property
    @abstractmethod
    def frozen(self) -> list[nn.Parameter]:
        """Parameters of the feature encoder."""

    def mean_vector(self, audio: Tensor, samples: Tensor) -> Tensor:
        """Mean of c over each clip's own tokens, [batch, size]."""
        z, mask = self.features(audio, samples)
        return masked_mean(self.context(z, mask), mask)


class TunableStudent(Tunable):
    """The shipped encoder with its two fixed maps, loaded from its ONNX file."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self.embedder = embedder
        self.student = embedder.student
        self.size = self.feature_size = self.student.shape.channels
        self.hop = self.student.shape.hop
        self.mask_vector = nn.Parameter(torch.zeros(self.size))

    @classmethod
    def from_onnx(cls, path: Path) -> TunableStudent:
        """Raises EncoderError for an ONNX file that was not trained by this project."""
        weights = read_weights(path)
        if "student.positions.weight" not in weights:
            raise EncoderError(
                f"{path} holds no student of this project: give `streamer-wav2vec2`, or the folder "
                "of a wav2vec 2.0 or HuBERT checkpoint"
            )
        student = _student_of(weights)
        sizes = len(weights["embedding.bias"]), len(weights["emotion.bias"])
        embedder = Embedder(student, sizes)
        load_weights(embedder, weights, path)
        return cls(embedder.eval())

    def features(self, audio: Tensor, samples: Tensor) -> tuple[Tensor, Tensor]:
        if self.embedder.front is None:
            return self.student.features(audio, samples)
        frames = torch.div(samples + HOP - 1, HOP, rounding_mode="floor")
        return self.student.features(self.embedder.front(audio), frames)

    def context(self, z: Tensor, mask: Tensor, hidden: Tensor | None = None) -> Tensor:
        if hidden is not None:
            z = torch.where(hidden[:, :, None], self.mask_vector, z)
        return self.student.context(z, mask)[-1]

    def embedding(self, audio: Tensor) -> Tensor:
        return self.embedder(audio)[0]

    @property
    def frozen(self) -> list[nn.Parameter]:
        kept = [self.student.convolutions, self.embedder.embedding, self.embedder.emotion]
        named = ("feature_norm", "projection_norm", "projection")
        kept += [getattr(self.student, name) for name in named if hasattr(self.student, name)]
        return [p for part in kept for p in part.parameters()]


class TunableHub(Tunable):
    """wav2vec 2.0 or HuBERT from a Hugging Face checkpoint, in transformers."""

    def __init__(self, model: Any, normalized: bool) -> None:
        super().__init__()
        self.model = model
        self.normalized = normalized
        config = model.config
        self.size, self.feature_size = config.hidden_size, config.conv_dim[-1]
        self.hop = int(np.prod(config.conv_stride))
        self.mask_vector = nn.Parameter(torch.zeros(self.size))

    @classmethod
    def from_checkpoint(cls, source: str | Path) -> TunableHub:
        """A folder or a name of the hub. Raises EncoderError for another kind of model."""
        import transformers

        try:
            config = transformers.AutoConfig.from_pretrained(str(source))
            if config.model_type not in HEARD:
                raise EncoderError(
                    f"{source} is a {config.model_type!r} model: give {' or '.join(HEARD)}"
                )
            model = transformers.AutoModel.from_pretrained(str(source), dtype=torch.float32)
            extractor = transformers.Wav2Vec2FeatureExtractor.from_pretrained(str(source))
        except (OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:200]
            raise EncoderError(
                f"{source} is no checkpoint that can be read ({reason}): give a folder with "
                "config.json, preprocessor_config.json and model.safetensors"
            ) from error
        return cls(model.eval(), bool(extractor.do_normalize))

    def features(self, audio: Tensor, samples: Tensor) -> tuple[Tensor, Tensor]:
        places = torch.arange(audio.shape[1], device=audio.device)
        own = (places[None, :] < samples[:, None]).to(audio.dtype)
        if self.normalized:
            count = own.sum(dim=1, keepdim=True)
            centred = (audio - (audio * own).sum(dim=1, keepdim=True) / count) * own
            variance = (centred * centred).sum(dim=1, keepdim=True) / count
            audio = centred / torch.sqrt(variance + 1e-7)
        z = self.model.feature_extractor(audio).transpose(1, 2)
        tokens = self.model._get_feat_extract_output_lengths(samples).clamp_min(1)
        places = torch.arange(z.shape[1], device=z.device)
        return z, (places[None, :] < tokens[:, None]).to(z.dtype)[:, :, None]

    def context(self, z: Tensor, mask: Tensor, hidden: Tensor | None = None) -> Tensor:
        projected = self.model.feature_projection(z)
        x = projected[0] if isinstance(projected, tuple) else projected
        if hidden is not None:
            x = torch.where(hidden[:, :, None], self.mask_vector, x)
        own = None if bool((mask > 0).all()) else mask[:, :, 0].long()
        return self.model.encoder(x, attention_mask=own).last_hidden_state

    def embedding(self, audio: Tensor) -> Tensor:
        samples = torch.full((len(audio),), audio.shape[1])
        return self.mean_vector(audio, samples)

    @property
    def frozen(self) -> list[nn.Parameter]:
        return list(self.model.feature_extractor.parameters())


def _student_of(weights: dict[str, np.ndarray]) -> Student | RawStudent:
    """A student of the sizes of an exported one's weights."""
    blocks = sum(name.endswith(".attention_norm.weight") for name in weights)
    channels, group, kernel = weights["student.positions.weight"].shape
    context = {
        "channels": channels,
        "layers": blocks,
        "position_kernel": kernel,
        "position_groups": channels // group,
    }
    products = [n for n in weights if n.endswith(".product.weight")]
    if not products:
        return Student(StudentShape(**context))
    sizes = [
        weights[f"student.convolutions.{k}.product.weight"].shape for k in range(len(products))
    ]
    widths = tuple(after for after, _ in sizes)
    before = (1, *widths)
    kernels = tuple(inputs // size for (_, inputs), size in zip(sizes, before, strict=False))
    return RawStudent(RawShape(**context, widths=widths, kernels=kernels))


def masked_mean(x: Tensor, mask: Tensor) -> Tensor:
    """Mean over the tokens whose mask is 1: [batch, tokens, c] -> [batch, c]."""
    return (x * mask).sum(dim=1) / mask.sum(dim=1).clamp_min(1.0)


def padded(clips: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    """Clips float32 [n] as one batch, zeros behind the shorter ones, and their lengths."""
    lengths = torch.tensor([max(len(clip), MIN_SAMPLES) for clip in clips])
    audio = torch.zeros(len(clips), int(lengths.max()))
    for row, clip in zip(audio, clips, strict=True):
        row[: len(clip)] = torch.from_numpy(clip)
    return audio, lengths


def seconds(clips: list[np.ndarray]) -> float:
    return sum(map(len, clips)) / RATE_HZ

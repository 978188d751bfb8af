"""Speech encoders of Hugging Face transformers as graphs from waveform to one vector.

The preprocessing of the feature extractor is part of the graph: zero mean and unit variance over
the clip for wav2vec 2.0, HuBERT and WavLM, the log-mel spectrogram for Whisper. Frames are pooled
over time. Nothing is masked, so a clip is not padded.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.training.student.logmel import HOP, WINDOW, LogMel

POOLINGS = ("mean", "mean+deviation")
_DYNAMIC_RANGE = 8.0


class WaveformFrames(nn.Module):
    """wav2vec 2.0, HuBERT or WavLM: audio [batch, samples] -> frames [batch, time, width].

    model: the bare transformers model. layer: the frames are the output of this block, from 1;
    those above are removed, with the final normalization. None: the model's own output.
    normalized: the feature extractor's `do_normalize`. first: the frames are the mean of the
    outputs of the blocks from this one to `layer`, before any final normalization.
    """

    def __init__(
        self, model: nn.Module, layer: int | None, normalized: bool, first: int | None = None
    ) -> None:
        super().__init__()
        self.model = model
        self.normalized = normalized
        self.outputs = None if first is None else BlockOutputs(model.encoder.layers, first, layer)
        if layer is not None and layer < len(model.encoder.layers):
            model.encoder.layers = model.encoder.layers[:layer]
            # Only the pre-norm variant normalizes after its blocks; the other does before them.
            if model.config.do_stable_layer_norm:
                model.encoder.layer_norm = nn.Identity()

    def forward(self, audio: Tensor) -> Tensor:
        if self.normalized:
            centred = audio - audio.mean(dim=1, keepdim=True)
            variance = (centred * centred).mean(dim=1, keepdim=True)
            audio = centred / torch.sqrt(variance + 1e-7)
        last = self.model(audio).last_hidden_state
        return last if self.outputs is None else self.outputs.mean()


class BlockOutputs:
    """Records the outputs of blocks `first` to `last` (from 1) during a forward pass."""

    def __init__(self, blocks: nn.ModuleList, first: int, last: int | None) -> None:
        self._outputs: list[Tensor] = []
        for block in blocks[first - 1 : last]:
            block.register_forward_hook(lambda module, given, output: self._outputs.append(output))

    def mean(self) -> Tensor:
        """Their mean; resets for the next pass."""
        total = torch.stack(self._outputs).mean(dim=0)
        self._outputs.clear()
        return total


class WhisperFrames(nn.Module):
    """Whisper's encoder: audio [batch, samples] -> frames of 20 ms [batch, time, width].

    encoder: transformers' WhisperEncoder. layer, first: as in `WaveformFrames`. The clip is not
    padded to 30 s: it takes the first of the positions. Audio beyond 30 s is ignored.
    """

    def __init__(self, encoder: nn.Module, layer: int | None, first: int | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        self.outputs = None if first is None else BlockOutputs(encoder.layers, first, layer)
        self.front = LogMel(encoder.config.num_mel_bins)
        self.cut = layer is not None and layer < len(encoder.layers)
        if self.cut:
            encoder.layers = encoder.layers[:layer]

    def forward(self, audio: Tensor) -> Tensor:
        encoder = self.encoder
        audio = audio[:, : 2 * HOP * encoder.config.max_source_positions]
        # Whisper mirrors the edges, and leaves the last frame out.
        mirrored = functional.pad(audio, (WINDOW // 2, WINDOW // 2), mode="reflect")
        logmel = self.front.unpadded(mirrored)[:, :-1]
        loudest = logmel.amax(dim=(1, 2), keepdim=True)
        x = (torch.maximum(logmel, loudest - _DYNAMIC_RANGE) + 4.0) / 4.0
        x = functional.gelu(encoder.conv1(x.transpose(1, 2)))
        x = functional.gelu(encoder.conv2(x)).transpose(1, 2)
        x = x + encoder.embed_positions.weight[: x.shape[1]]
        for block in encoder.layers:
            x = block(x, None)
        if self.outputs is not None:
            return self.outputs.mean()
        return x if self.cut else encoder.layer_norm(x)


class RegressionHead(nn.Module):
    """audEERING's head (Wagner et al. 2023): pooled [batch, width] -> [batch, 3].

    Arousal, dominance, valence in about [0, 1]. Named as in its checkpoint; dropout is none here.
    """

    def __init__(self, width: int, outputs: int = 3) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.out_proj = nn.Linear(width, outputs)

    def forward(self, pooled: Tensor) -> Tensor:
        return self.out_proj(torch.tanh(self.dense(pooled)))


class HubGraph(nn.Module):
    """audio [batch, samples] -> embedding [batch, d], emotion [batch, e] of unit length.

    emotion is the pooled frames. embedding is the same before scaling; with a `head` it ends in
    the head's valence, arousal and dominance, brought from [0, 1] to [-1, 1].
    """

    def __init__(self, frames: nn.Module, pooling: str, head: RegressionHead | None = None) -> None:
        super().__init__()
        self.frames = frames
        self.pooling = pooling
        self.head = head

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        frames = self.frames(audio)
        pooled = mean = frames.mean(dim=1)
        if self.pooling == "mean+deviation":
            variance = ((frames - mean[:, None]) ** 2).mean(dim=1)
            pooled = torch.cat([mean, torch.sqrt(variance + 1e-7)], dim=1)
        length = torch.sqrt((pooled * pooled).sum(dim=1, keepdim=True) + 1e-12)
        if self.head is None:
            return pooled, pooled / length
        arousal, dominance, valence = (2.0 * self.head(mean) - 1.0).split(1, dim=1)
        return torch.cat([pooled, valence, arousal, dominance], dim=1), pooled / length

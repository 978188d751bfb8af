"""The log-mel front end, the same for teacher, student and the exported graph.

Whisper's spectrogram (Radford et al. 2023, section 2.2): 80 mel bands (Slaney scale and norm),
periodic Hann window of 400 samples, hop 160, power. Written as one strided convolution with fixed
Fourier weights, so that it exports to plain ONNX operators. Edges are padded with zeros (Whisper
reflects them), because trailing zeros then change nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from streamer.training.speech import RATE_HZ

BANDS = 80
WINDOW = 400
HOP = 160
FLOOR = 1e-10


def mel_filters() -> np.ndarray:
    """Slaney mel filter bank, area-normalized: float64 [BANDS, WINDOW // 2 + 1].

    Linear below 1 kHz (200/3 Hz a mel), logarithmic above (27 mels for each factor of 6.4).
    """
    top_mel = 15.0 + np.log(RATE_HZ / 2 / 1000.0) * 27.0 / np.log(6.4)
    mels = np.linspace(0.0, top_mel, BANDS + 2)
    edges = np.where(
        mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp((mels - 15.0) * np.log(6.4) / 27.0)
    )
    bins = np.arange(WINDOW // 2 + 1) * RATE_HZ / WINDOW
    rise = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    triangles = np.maximum(0.0, np.minimum(rise, fall))
    return triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]


class LogMel(nn.Module):
    """audio [batch, samples] in [-1, 1] -> log10 mel power [batch, samples // 160 + 1, 80].

    Frame i is centred on sample 160 i; values are at least log10(1e-10) = -10.
    """

    def __init__(self) -> None:
        super().__init__()
        window = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW) / WINDOW)
        phase = 2.0 * np.pi * np.outer(np.arange(WINDOW // 2 + 1), np.arange(WINDOW)) / WINDOW
        fourier = np.concatenate([np.cos(phase), np.sin(phase)]) * window
        self.register_buffer("fourier", torch.tensor(fourier[:, None], dtype=torch.float32))
        self.register_buffer("filters", torch.tensor(mel_filters().T, dtype=torch.float32))

    def forward(self, audio: Tensor) -> Tensor:
        spectrum = nn.functional.conv1d(
            audio[:, None], self.fourier, stride=HOP, padding=WINDOW // 2
        )
        cosine, sine = spectrum.chunk(2, dim=1)
        power = (cosine * cosine + sine * sine).transpose(1, 2) @ self.filters
        return torch.log10(power.clamp_min(FLOOR))

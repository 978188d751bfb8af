"""The log-mel front end, the same for teacher, student and the exported graph.

Whisper's spectrogram (Radford et al. 2023, section 2.2): 80 mel bands (Slaney scale and norm),
periodic Hann window of 400 samples, hop 160, power. The Fourier transform is a grouped convolution
and a matrix product with fixed weights, so that it exports to plain ONNX operators; factored in
two, it needs a seventh of the operations. Edges are padded with zeros (Whisper reflects them),
because trailing zeros then change nothing.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from streamer.encoders.acoustic.compilation import compile_once
from streamer.training.data.speech import RATE_HZ

BANDS = 80
WINDOW = 400
HOP = 160
FLOOR = 1e-10
ROW = 16
COLUMN = WINDOW // ROW
_KEPT = COLUMN // 2 + 1


class LogMel(nn.Module):
    """audio [batch, samples] in [-1, 1] -> log10 mel power [batch, samples // 160 + 1, bands].

    Frame i is centred on sample 160 i; values are at least log10(1e-10) = -10.
    """

    def __init__(self, bands: int = BANDS) -> None:
        super().__init__()
        columns, rows, filters = _factors(bands)
        self.register_buffer("columns", torch.tensor(columns, dtype=torch.float32))
        self.register_buffer("rows", torch.tensor(rows, dtype=torch.float32))
        self.register_buffer("filters", torch.tensor(filters, dtype=torch.float32))

    def forward(self, audio: Tensor) -> Tensor:
        return self.unpadded(nn.functional.pad(audio, (WINDOW // 2, WINDOW // 2)))

    def unpadded(self, audio: Tensor) -> Tensor:
        """The same of audio whose edges are there already: frame i begins at sample 160 i."""
        batch, count = audio.shape[0], audio.shape[1] // ROW
        table = audio[:, : count * ROW].reshape(batch, count, ROW).transpose(1, 2)
        inner = nn.functional.conv1d(table, self.columns, stride=HOP // ROW, groups=ROW)
        inner = inner.reshape(batch, ROW, 2 * _KEPT, -1).transpose(1, 2)
        spectrum = self.rows @ inner.reshape(batch, _KEPT, 2 * ROW, -1)
        real, imaginary = spectrum.chunk(2, dim=2)
        power = (real * real + imaginary * imaginary).reshape(batch, _KEPT * ROW, -1)
        bands = self.filters @ power
        return torch.log10(bands.clamp_min(FLOOR)).transpose(1, 2)


def _factors(bands: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The windowed Fourier transform of 400 samples as two small ones (Cooley and Tukey 1965).

    With sample n = 16 m + r and frequency k = p + 25 q,
    X[k] = sum_r e(-r p / 400) e(-r q / 16) sum_m x[n] w[n] e(-m p / 25), e(t) = exp(2 pi i t).
    Of p only 0 .. 12 are computed: the others mirror them, as x is real.

    Returns columns [16 * 26, 1, 25], the sums over m with the window in them, cosine and sine of
    each p side by side for every r; rows [13, 32, 32], for every p the sums over r with their
    twiddle factors, real parts above imaginary ones; filters [bands, 13 * 16], each frequency once.
    """
    n = ROW * np.arange(COLUMN)[None, :] + np.arange(ROW)[:, None]
    window = 0.5 - 0.5 * np.cos(2.0 * np.pi * n / WINDOW)
    p, q, r = np.arange(_KEPT), np.arange(ROW), np.arange(ROW)
    turns = np.exp(-2j * np.pi * np.outer(p, np.arange(COLUMN)) / COLUMN)
    columns = window[:, None, None] * np.stack([turns.real, turns.imag], axis=1)
    k = p[:, None] + COLUMN * q[None, :]
    twist = np.exp(-2j * np.pi * (r * k[:, :, None]) / WINDOW)
    rows = np.block([[twist.real, -twist.imag], [twist.imag, twist.real]])
    folded = np.minimum(k, WINDOW - k)
    first = np.unique(folded, return_index=True)[1]
    once = np.isin(np.arange(k.size), first)
    compile_once()
    from librosa.filters import mel

    triangles = mel(sr=RATE_HZ, n_fft=WINDOW, n_mels=bands).astype(np.float64)
    filters = triangles[:, folded.ravel()] * once
    return columns.reshape(-1, 1, COLUMN), rows, filters

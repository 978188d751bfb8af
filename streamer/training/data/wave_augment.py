"""Augmentation of waveforms: rooms, microphones, noise, other voices and clipping.

The student hears the augmented clip and must answer as the teacher did for the clean one. The
counterpart of ``augment`` for a student on raw samples. Rooms, filters and band limits are one
product in the frequency domain. Plain gain and offset are left out, because the student normalizes
both away; overload is simulated as clipping, too little gain as coarse quantization.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor

from streamer.training.data.speech import RATE_HZ

ROOM_SAMPLES = 8_000
CURVES = 5
VOICES = ("cry", "scream")  # noises that are somebody's emotion


@dataclass(frozen=True, slots=True)
class Recordings:
    """Noises, and impulse responses of rooms that begin with the direct sound: samples each."""

    noises: list[np.ndarray] = field(default_factory=list)
    rooms: list[np.ndarray] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Recordings:
        """Of a folder with ``noises.opus`` and its rows in ``noises.csv``, and ``rirs_16k.npz``."""
        audio, _ = soundfile.read(folder / "noises.opus", dtype="float32")
        noises = []
        with (folder / "noises.csv").open(newline="", encoding="utf-8") as rows:
            for row in csv.DictReader(rows):
                start, named = int(row["start"]), f"{row['clip']} {row['extra']}".lower()
                noise = audio[start : start + int(row["samples"])]
                if noise.any() and not any(voice in named for voice in VOICES):
                    noises.append(noise)
        with np.load(folder / "rirs_16k.npz", allow_pickle=False) as stored:
            starts = stored["offsets"]
            rooms = [
                _from_direct(stored["samples"][starts[i] : starts[i + 1]].astype(np.float32))
                for i in np.flatnonzero(stored["kind"] == "room")
            ]
        return cls(noises, rooms)


def _from_direct(response: np.ndarray) -> np.ndarray:
    direct = int(np.abs(response).argmax())
    return response[direct : direct + ROOM_SAMPLES] / response[direct]


@dataclass(frozen=True, slots=True)
class WaveAugmentation:
    """The probability of each augmentation, in [0, 1], and the recordings that it may use.

    ``recorded`` is how much of the noises are recordings, and a quarter of the rooms are, where
    there are any; the rest is made.
    """

    filtered: float = 0.6
    band_limited: float = 0.3
    reverberant: float = 0.35
    noisy: float = 0.55
    babble: float = 0.12
    hum: float = 0.12
    clipped: float = 0.07
    coarse: float = 0.05
    recorded: float = 0.5
    recordings: Recordings = field(default_factory=Recordings)

    def __call__(self, audio: Tensor, samples: Tensor, rng: np.random.Generator) -> Tensor:
        """audio [batch, samples], valid samples [batch] -> the same shape, 0 beyond the valid.

        Each clip is augmented independently.
        """
        size, length = audio.shape
        own = (torch.arange(length)[None] < samples[:, None]).float()
        x = audio * own
        x = x + _often(rng, self.babble, size) * _other_voices(x, own, rng)
        x = self._filter(x, rng) * own
        counts = samples.tolist()
        for i in np.flatnonzero(rng.random(size) < self.noisy):
            _add(x[i, : counts[i]], self._noise(counts[i], rng), rng.uniform(2.0, 38.0))
        for i in np.flatnonzero(rng.random(size) < self.hum):
            _add(x[i, : counts[i]], _hum(counts[i], rng), rng.uniform(-5.0, 30.0))
        for i in np.flatnonzero(rng.random(size) < self.clipped):
            limit = rng.uniform(1.0, 3.0) * _deviation(x[i, : counts[i]])
            x[i].clamp_(-limit, limit)
        for i in np.flatnonzero(rng.random(size) < self.coarse):
            step = 10.0 ** rng.uniform(-2.3, -0.8) * _deviation(x[i, : counts[i]])
            x[i] = torch.round(x[i] / step) * step
        return x * own

    def _filter(self, x: Tensor, rng: np.random.Generator) -> Tensor:
        size, length = x.shape
        total = length + ROOM_SAMPLES
        frequencies = torch.fft.rfftfreq(total, 1.0 / RATE_HZ)
        response = _often(rng, self.filtered, size) * _smooth_curves(size, frequencies, rng, 0.35)
        gain = torch.pow(10.0, response / 2.0)
        for i in np.flatnonzero(rng.random(size) < self.band_limited):
            gain[i] *= _band_limit(frequencies, rng)
        spectrum = torch.fft.rfft(x, total) * gain
        rooms = np.flatnonzero(rng.random(size) < self.reverberant)
        if len(rooms):
            responses = torch.zeros(len(rooms), ROOM_SAMPLES)
            for place in responses:
                room = torch.from_numpy(self._room(rng))
                place[: len(room)] = room
            spectrum[rooms] *= torch.fft.rfft(responses, total)
        return torch.fft.irfft(spectrum, total)[:, :length]

    def _room(self, rng: np.random.Generator) -> np.ndarray:
        rooms = self.recordings.rooms
        if rooms and rng.random() < 0.25:
            return rooms[rng.integers(len(rooms))]
        return _made_room(rng)

    def _noise(self, count: int, rng: np.random.Generator) -> Tensor:
        noises = self.recordings.noises
        if not noises or rng.random() >= self.recorded:
            return _made_noise(count, rng)
        noise = noises[rng.integers(len(noises))]
        start = int(rng.integers(max(1, len(noise) - count)))
        return torch.from_numpy(np.resize(noise[start : start + count], count))


def _often(rng: np.random.Generator, share: float, size: int) -> Tensor:
    return torch.from_numpy((rng.random((size, 1)) < share).astype(np.float32))


def _deviation(x: Tensor) -> float:
    return float(torch.sqrt((x * x).mean() + 1e-12))


def _add(x: Tensor, noise: Tensor, ratio_db: float) -> None:
    """Add noise to a clip [samples], in place, so many dB below it; none where either is silent."""
    level, loud = _deviation(x), _deviation(noise)
    if loud > 1e-5:
        x += noise * (10.0 ** (-ratio_db / 20.0) * level / loud)


def _smooth_curves(
    size: int, frequencies: Tensor, rng: np.random.Generator, strength: float
) -> Tensor:
    """Random curves over the mel scale, a tilt and four slower cosines: log10 power."""
    mels = torch.log1p(frequencies / 700.0)
    place = torch.pi * mels / mels[-1]
    order = torch.arange(1, CURVES + 1)[:, None]
    weights = rng.normal(0.0, strength, (size, CURVES)).astype(np.float32)
    return torch.from_numpy(weights) @ (torch.cos(order * place) / order**0.5)


def _band_limit(frequencies: Tensor, rng: np.random.Generator) -> Tensor:
    """A telephone, a rate of 8 kHz, or another microphone: 20 to 50 dB less beyond, amplitudes."""
    kind = rng.random()
    bottom_hz, top_hz = 0.0, 4_000.0
    if kind < 0.35:
        bottom_hz, top_hz = 300.0, 3_400.0
    elif kind < 0.7:
        bottom_hz, top_hz = rng.uniform(-300.0, 400.0), rng.uniform(2_500.0, 7_500.0)
    outside = (frequencies < bottom_hz) | (frequencies > top_hz)
    return torch.where(outside, 10.0 ** -rng.uniform(1.0, 2.5), 1.0).float()


def _made_room(rng: np.random.Generator) -> np.ndarray:
    """Decaying noise: reverberation time 0.12 to 0.9 s, all of it -3 to 15 dB under the direct."""
    time_s = np.arange(ROOM_SAMPLES) / RATE_HZ
    reverberation_s = np.exp(rng.uniform(np.log(0.12), np.log(0.9)))
    room = rng.standard_normal(ROOM_SAMPLES) * 10.0 ** (-3.0 * time_s / reverberation_s)
    room[: rng.integers(1, 160)] = 0.0
    room *= 10.0 ** (-rng.uniform(-3.0, 15.0) / 20.0) / np.linalg.norm(room)
    room[0] = 1.0
    return room.astype(np.float32)


def _made_noise(count: int, rng: np.random.Generator) -> Tensor:
    """Steady coloured noise."""
    frequencies = torch.fft.rfftfreq(count, 1.0 / RATE_HZ)
    colour = torch.pow(10.0, _smooth_curves(1, frequencies, rng, 0.6)[0] / 2.0)
    white = torch.from_numpy(rng.standard_normal(count, np.float32))
    return torch.fft.irfft(torch.fft.rfft(white) * colour, count)


def _hum(count: int, rng: np.random.Generator) -> Tensor:
    """50 or 60 Hz and some of its multiples."""
    time_s = torch.arange(count) / RATE_HZ
    base_hz, hum = float(rng.choice([50.0, 60.0])), torch.zeros(count)
    for multiple in (1, 2, 3, 5):
        phase = 2.0 * torch.pi * base_hz * multiple * time_s + rng.uniform(0.0, 2.0 * np.pi)
        hum += rng.uniform(0.0, 1.0) / multiple * torch.sin(phase)
    return hum


def _other_voices(x: Tensor, own: Tensor, rng: np.random.Generator) -> Tensor:
    """The next clip of the batch, 10 to 30 dB weaker."""
    other = x.roll(1, dims=0)
    ratio = torch.from_numpy(10.0 ** -rng.uniform(1.0, 3.0, (len(x), 1)).astype(np.float32))
    power = [(y * y * own).sum(dim=1, keepdim=True) for y in (x, other)]
    return other * torch.sqrt(ratio * power[0] / power[1].clamp_min(1e-10))

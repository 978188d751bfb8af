"""What the tests of sources share: hearing one to its end, and a noise to put into it."""

from dataclasses import dataclass, field

import numpy as np

from streamer.audio.sources.open import Source
from streamer.types import Chunk, Gap, Notice, Samples


@dataclass
class HeardAll:
    """samples: by the chunks' source, float32 [n, channels]. rates_hz: likewise."""

    samples: dict[str, Samples] = field(default_factory=dict)
    rates_hz: dict[str, int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    ticks: int = 0
    longest_chunk_s: float = 0.0


def hear_all(source: Source) -> HeardAll:
    """Hears `source` to its end and closes it."""
    heard = HeardAll()
    parts: dict[str, list[Samples]] = {}
    try:
        for item in source:
            if isinstance(item, Chunk):
                assert item.samples.dtype == np.float32
                assert item.samples.ndim == 2
                heard.ticks += not len(item.samples)
                parts.setdefault(item.source, []).append(item.samples)
                heard.rates_hz[item.source] = item.rate_hz
                seconds = len(item.samples) / item.rate_hz
                heard.longest_chunk_s = max(heard.longest_chunk_s, seconds)
            elif isinstance(item, Notice):
                heard.notices.append(item.text)
            else:
                heard.gaps.append(item)
    finally:
        source.close()
    heard.samples = {name: np.concatenate(chunks) for name, chunks in parts.items()}
    return heard


def noise(count: int, channels: int = 1, level: float = 0.3, seed: int = 1) -> Samples:
    """float32 [count, channels], uniform in [-level, level], on the grid of 16 bits."""
    generator = np.random.default_rng(seed)
    steps = generator.integers(round(-level * 32768), round(level * 32768), (count, channels))
    return (steps / 32768).astype(np.float32)

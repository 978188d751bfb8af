"""Small corpora in their owners' layouts: real short WAV files and label files."""

from pathlib import Path

import numpy as np
import soundfile

SHARED = Path(__file__).parents[4] / "shared" / "data"


def wav(path: Path, seconds: float = 0.2, rate_hz: int = 16_000, seed: int = 0) -> Path:
    """Noise, a file like any other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(seed).standard_normal(round(seconds * rate_hz))
    soundfile.write(path, 0.1 * np.clip(samples, -4.0, 4.0), rate_hz)
    return path


def text(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return path

"""Mean and deviation of the acoustic encoder's functionals over many voices.

    python -m benchmarks.population SPEECH

SPEECH: packed corpora (`clips.csv` with one Ogg Opus file a corpus). Prints the table of
`streamer/encoders/acoustic/population.py`: of 60 utterances drawn from each of nine corpora,
those without a value left out, three digits kept. No label is read.
"""

import argparse
from pathlib import Path

import numpy as np

from streamer.encoders.acoustic.encoder import AcousticEncoder
from streamer.training.data.speech import read_clips, read_rows

CORPORA = (
    "ravdess", "tess", "nemo", "turev", "baved", "urdu", "plain_resemblyzer",
    "plain_picovoice_s2i", "fsdd",
)  # fmt: skip
DRAWN = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("speech", type=Path)
    options = parser.parse_args()
    for name, (mean, deviation) in measure(options.speech).items():
        print(f'    "{name}": ({mean:.3g}, {deviation:.3g}),')


def measure(speech: Path) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each functional, by name."""
    rng = np.random.default_rng(0)
    rows = read_rows(speech)
    drawn = set()
    for corpus in CORPORA:
        names = sorted(clip.name for clip in rows if clip.corpus == corpus)
        drawn |= {(corpus, name) for name in rng.choice(names, DRAWN, replace=False)}
    encoder = AcousticEncoder()
    others = frozenset(clip.corpus for clip in rows) - set(CORPORA)
    found = [
        encoder.functionals(audio)
        for clip, audio in read_clips(speech, skip=others)
        if (clip.corpus, clip.name) in drawn
    ]
    table = np.array([list(row.values()) for row in found])
    means, deviations = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    return {
        name: (float(mean), float(deviation))
        for name, mean, deviation in zip(found[0], means, deviations, strict=True)
    }


if __name__ == "__main__":
    main()

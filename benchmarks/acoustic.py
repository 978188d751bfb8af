"""What the acoustic encoder's embeddings are worth, and what they cost.

    python -m benchmarks.acoustic SPEECH

SPEECH: packed corpora (`clips.csv` with one Ogg Opus file a corpus). For each corpus, the
unweighted average recall of a logistic regression on its emotions, speakers apart in six folds:
of the vectors as they are, and with each speaker's own mean and deviation taken out. Then the
median processor time a second of audio.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from streamer.encoders.acoustic.encoder import AcousticEncoder
from streamer.training.data.speech import RATE_HZ, read_clips, read_rows
from streamer.training.export.probe import probe_uar, standardize_speakers

# A third of nEMO is enough, and takes a third of the time.
EVERY = {"ravdess": 1, "emovo": 1, "savee": 1, "nemo": 3}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("speech", type=Path)
    parser.add_argument("--corpora", nargs="+", default=list(EVERY))
    options = parser.parse_args()
    encoder, costs = AcousticEncoder(), []
    all_corpora = frozenset(clip.corpus for clip in read_rows(options.speech))
    for corpus in options.corpora:
        clips, vectors = [], []
        for at, (clip, audio) in enumerate(read_clips(options.speech, all_corpora - {corpus})):
            if at % EVERY.get(corpus, 1) == 0:
                begun_s = time.process_time()
                vectors.append(encoder.encode(audio)[0].astype(np.float64))
                costs.append((time.process_time() - begun_s) / len(audio) * RATE_HZ)
                clips.append(clip)
        table = np.array(vectors)
        plain, own = probe_uar(table, clips), probe_uar(standardize_speakers(table, clips), clips)
        print(f"{corpus}, {len(clips)} clips: UAR {plain:.3f}, speakers standardized {own:.3f}")
    print(f"{1e3 * np.median(costs):.1f} ms of processor time a second of audio")


if __name__ == "__main__":
    main()

"""Does the jointly tuned emotion head recognize new speakers of a corpus that was never heard?

    python -m benchmarks.tune_head [--corpus emovo] [--rich ravdess] [--folds 3] [--cache DIR]

`streamer tune --head`: of some speakers of a corpus that the encoder never heard, 10 clips of every
emotion are given; the others are verified, fear and surprise against neutral, ten enrolled clips of
the given speakers each (Li and Lee's protocol, `streamer.training.head.trials.verified`), each
voice's mean taken off. Before and after the joint tuning with a rich corpus, whose own recall (the
nearest class mean, voices left out by fifths) must not fall by more than 0.01; and by the weight of
the contrastive loss, l3 = 0, 0.01, 0.1 and 1.
"""

import argparse
import json
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

import numpy as np

from benchmarks.iemocap import SHARED
from benchmarks.loop import RESULTS, machine
from streamer.config import Config
from streamer.evaluation.embedding import embed
from streamer.evaluation.readers import read_corpus
from streamer.loop.compose import make_encoder
from streamer.training.export.probe import unit
from streamer.training.head.trials import verified
from streamer.training.joint.head import HeadTuning, NamedVectors, judge_head, tune_head

GIVEN: Final = 10
CONTRASTS: Final = (0.0, 0.01, 0.1, 1.0)
UNSEEN: Final = ("fearful", "surprised")
REST: Final = "neutral"


def named(name: str, cache: Path) -> NamedVectors:
    found = embed(read_corpus(name, SHARED / "speech"), partial(make_encoder, Config(), ""), cache)
    clips = found.corpus.clips
    kept = [i for i, c in enumerate(clips) if c.emotion is not None and c.speaker]
    vectors = found.emotion[kept].astype(np.float64)
    voices = [clips[i].speaker for i in kept]
    for voice in set(voices):
        own = np.array([v == voice for v in voices])
        vectors[own] -= vectors[own].mean(axis=0)
    return NamedVectors(vectors, [str(clips[i].emotion) for i in kept], voices)


def verification(vectors: np.ndarray, own: NamedVectors, tested: np.ndarray) -> dict[str, float]:
    """UAR of each unseen emotion against neutral, enrolled from the speakers not tested."""
    emotions = np.array(own.emotions)
    rows = unit(vectors)
    found = {}
    for emotion in UNSEEN:
        asked = np.isin(emotions, (emotion, REST))
        found[emotion] = verified(
            rows[asked], emotions[asked] == emotion, ~tested[asked], tested[asked], GIVEN,
            np.random.default_rng(0), 20,
        )  # fmt: skip
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", default="emovo")
    parser.add_argument("--rich", default="ravdess")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "streamer-embeddings")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    if not (SHARED / "speech" / "clips.csv").is_file():
        raise SystemExit(f"skipped: {SHARED / 'speech'} is not there (data that is not part of it)")
    rich, own = named(options.rich, options.cache), named(options.corpus, options.cache)
    speakers = sorted(set(own.voices))
    out = options.out or RESULTS / f"tune_head_{options.corpus}.json"
    rows: list[dict[str, Any]] = []
    for fold in range(options.folds):
        tested = np.isin(own.voices, speakers[fold :: options.folds])
        rng = np.random.default_rng(fold)
        given: list[int] = []
        for emotion in sorted(set(own.emotions)):
            pool = [i for i, e in enumerate(own.emotions) if e == emotion and not tested[i]]
            given += rng.permutation(pool)[:GIVEN].tolist()
        mine = own.take(np.array(sorted(given)))
        before = verification(own.vectors, own, tested)
        rows.append({"fold": fold, "contrast": None, **before})
        for contrast in CONTRASTS:
            recipe = HeadTuning(contrast=contrast, seed=fold)
            matrix = tune_head(rich, mine, recipe)
            row: dict[str, Any] = {"fold": fold, "contrast": contrast}
            row |= verification(own.vectors @ matrix.T, own, tested)
            if contrast == HeadTuning().contrast:
                row["gate"] = judge_head(rich, mine, recipe).row()
            rows.append(row)
            print(json.dumps(row), flush=True)
        about = {"machine": machine(), "corpus": options.corpus, "rich": options.rich,
                 "given": GIVEN, "rows": rows}  # fmt: skip
        out.write_text(json.dumps(about, indent=1) + "\n")
    for contrast in (None, *CONTRASTS):
        mean = np.mean([[r[e] for e in UNSEEN] for r in rows if r["contrast"] == contrast])
        print(f"l3 {contrast}: UAR of {' and '.join(UNSEEN)} {mean:.3f}")


if __name__ == "__main__":
    main()

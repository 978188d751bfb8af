"""AFTER with fine-tuning: pretraining yes or no, entropy or random, at parts of the labels.

    python -m benchmarks.after_tuning [--test ravdess] [--shares .1 .2 .4 1] [--folds 5] [--seeds 3]
                                      [--tapt-steps 500] [--epochs 100] [--pool N] [--out FILE.json]

Li et al. (2024), table 7, on what lies here: RAVDESS, TESS, TurEV, URDU and nEMO merged, four
emotions; the pool is all of it without the tested speakers, who are a fold of one corpus; a tenth
of the pool, by speaker, stops the training early. Arms: FT and TAPT+FT, each asking at random and
by entropy, with the k-means start (`streamer.training.tune.after`). Figures: UAR and WA on the
tested speakers, seconds, and the validation losses of the last training, by which an arm that was
trained too little can be told. Judged: C1 TAPT+FT > FT at 20 %, C2 entropy > random after TAPT, C3
20 % reaches 97 % of 100 %, C4 it takes a quarter of the time, by Wilcoxon over folds and seeds.

The encoder was distilled on the sound of these corpora, not on their labels. All of it, on two
cores, takes days: --pool, --folds and --epochs make it as small as you like, and are kept with the
figures.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.iemocap import SHARED
from benchmarks.loop import RESULTS, machine
from streamer.encoders.registry import find_encoder
from streamer.evaluation.corpus import CorpusClip
from streamer.evaluation.metrics import uar, wa
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.significance import signed_rank_p
from streamer.evaluation.sound import ClipSound
from streamer.training.tune.after import Plan, after
from streamer.training.tune.finetuning import FineTuning, logits_of
from streamer.training.tune.pretraining import TaptRecipe
from streamer.training.tune.tunable import TunableStudent

MERGED: Final = ("ravdess", "tess", "turev", "urdu", "nemo")
CLASSES: Final = ("angry", "happy", "neutral", "sad")
ARMS: Final = (
    ("FT", "random"), ("TAPT+FT", "random"), ("FT", "entropy"), ("TAPT+FT", "entropy"),
)  # fmt: skip
LONGEST_S: Final = 6.0


@dataclass(frozen=True, eq=False)
class Clips:
    """Audio, class and corpus/speaker of every clip."""

    audio: list[np.ndarray]
    classes: np.ndarray
    speakers: np.ndarray


def read_clips() -> Clips:
    clips: list[tuple[str, CorpusClip]] = []
    for name in MERGED:
        found = read_corpus(name, SHARED / "speech").clips
        clips += [(name, c) for c in found if c.emotion in CLASSES and c.speaker]
    reader = ClipSound()
    audio = [reader.read(clip)[: round(LONGEST_S * 16_000)] for _, clip in clips]
    reader.close()
    return Clips(
        audio,
        np.array([CLASSES.index(str(clip.emotion)) for _, clip in clips]),
        np.array([f"{name}/{clip.speaker}" for name, clip in clips]),
    )


def sides(
    clips: Clips, corpus: str, fold: int, folds: int, most: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pool, validation and test: positions; no speaker is in two of them."""
    own = sorted({s for s in clips.speakers.tolist() if s.startswith(f"{corpus}/")})
    tested = np.isin(clips.speakers, own[fold::folds])
    others = rng.permutation(sorted(set(clips.speakers[~tested].tolist())))
    counts = np.cumsum([int((clips.speakers == s).sum()) for s in others])
    stop = int(np.searchsorted(counts, 0.1 * counts[-1])) + 1
    validation = np.flatnonzero(np.isin(clips.speakers, others[:stop]))
    pool = np.flatnonzero(np.isin(clips.speakers, others[stop:]))
    if most:
        pool, validation = (rng.permutation(part)[:n] for part, n in
                            ((pool, most), (validation, max(16, most // 9))))  # fmt: skip
    return np.sort(pool), np.sort(validation), np.flatnonzero(tested)


def one_arm(
    clips: Clips, parts: tuple[np.ndarray, np.ndarray, np.ndarray], arm: tuple[str, str],
    share: float, seed: int, tapt_steps: int, epochs: int,
) -> dict[str, Any]:  # fmt: skip
    pool, validation, test = parts
    torch.manual_seed(seed)
    tunable = TunableStudent.from_onnx(find_encoder("streamer-small").path)
    tapt = TaptRecipe(steps=tapt_steps, seed=seed) if arm[0] != "FT" else None
    plan = Plan(
        share, 1 if share == 1.0 else 10, arm[1], "k-means", tapt, FineTuning(epochs=epochs)
    )
    targets = np.eye(len(CLASSES))
    done = after(
        tunable, [clips.audio[i] for i in pool], len(CLASSES),
        lambda i: targets[clips.classes[pool[i]]],
        ([clips.audio[i] for i in validation], targets[clips.classes[validation]]),
        plan, np.random.default_rng(seed),
    )  # fmt: skip
    said = logits_of(done.model, [clips.audio[i] for i in test]).argmax(dim=1).numpy()
    truth = clips.classes[test]
    return {
        "arm": arm[0], "strategy": arm[1], "share": share, "labels": len(done.labelled),
        "uar": uar(said, truth), "wa": wa(said, truth), "seconds": round(done.seconds, 1),
        "validation": [round(loss, 4) for loss in done.losses],
    }  # fmt: skip


def judged(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The paper's claims C1 to C4, each by its own pairs of runs."""

    def of(arm: str, strategy: str, share: float, what: str = "uar") -> np.ndarray:
        found = [r for r in rows if (r["arm"], r["strategy"], r["share"]) == (arm, strategy, share)]
        return np.array([r[what] for r in sorted(found, key=lambda r: (r["fold"], r["seed"]))])

    claims: dict[str, Any] = {}
    pairs = {
        "C1 TAPT+FT > FT at 20 %, random": (("TAPT+FT", "random"), ("FT", "random")),
        "C1 TAPT+FT > FT at 20 %, entropy": (("TAPT+FT", "entropy"), ("FT", "entropy")),
        "C2 entropy > random after TAPT at 20 %": (("TAPT+FT", "entropy"), ("TAPT+FT", "random")),
    }
    for name, (one, other) in pairs.items():
        a, b = of(*one, 0.2), of(*other, 0.2)
        if len(a) and len(a) == len(b):
            claims[name] = {"gain": float((a - b).mean()), "p": signed_rank_p(a - b), "n": len(a)}
    part, whole = of("TAPT+FT", "entropy", 0.2), of("TAPT+FT", "entropy", 1.0)
    if len(part) and len(whole):
        seconds = [of("TAPT+FT", "entropy", share, "seconds").mean() for share in (0.2, 1.0)]
        claims["C3 UAR at 20 % over that at 100 %"] = float(part.mean() / whole.mean())
        claims["C4 time at 20 % over that at 100 %"] = float(seconds[0] / seconds[1])
    return claims


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--test", default="ravdess", choices=MERGED)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.1, 0.2, 0.4, 1.0])
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tapt-steps", type=int, default=500)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--pool", type=int, default=0, help="at most so many clips (0: all)")
    parser.add_argument("--out", type=Path, default=RESULTS / "after_tuning.json")
    options = parser.parse_args()
    if not (SHARED / "speech" / "clips.csv").is_file():
        raise SystemExit(f"skipped: {SHARED / 'speech'} is not there (data that is not part of it)")
    torch.set_num_threads(1)
    clips, rows = read_clips(), []
    for fold in range(options.folds):
        for seed in range(options.seeds):
            rng = np.random.default_rng([fold, seed])
            parts = sides(clips, options.test, fold, max(2, options.folds), options.pool, rng)
            for share in options.shares:
                for arm in ARMS:
                    row = one_arm(
                        clips, parts, arm, share, seed, options.tapt_steps, options.epochs
                    )
                    rows.append({"fold": fold, "seed": seed, "pool": len(parts[0]), **row})
                    print(json.dumps(rows[-1]), flush=True)
                    about = {"machine": machine(), "settings": {
                        k: v for k, v in vars(options).items() if k != "out"},
                        "claims": judged(rows), "rows": rows}  # fmt: skip
                    options.out.write_text(json.dumps(about, indent=1) + "\n")
    print(json.dumps(judged(rows), indent=1))


if __name__ == "__main__":
    main()

"""Does tuning the encoder to a language that it never heard help its other speakers?

    python -m benchmarks.tune [--corpus emovo] [--steps 150] [--folds 3] [--cache DIR] [--out FILE]

The shipped encoder is tuned on the speech of some speakers of a corpus, without labels, and on 60
of their labels (emotions, with their affective norms as dimensions), and judged on the others: a
ridge and a softmax regression learn the 60 labels and predict the other speakers, standardized by
speaker. Arms: the encoder as it ships, pretraining (TAPT) alone, labels alone, both. Figures: CCC
of valence and arousal, UAR over the corpus's emotions. `streamer tune` does the same two steps.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.iemocap import SHARED
from benchmarks.loop import RESULTS, machine
from streamer.encoders.registry import find_encoder
from streamer.evaluation.corpus import CorpusClip
from streamer.evaluation.dataset import standard_scores
from streamer.evaluation.metrics import ccc, uar
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.sound import ClipSound
from streamer.learners.affective_norms import affective_norm
from streamer.learners.source import fit_classes, fit_ridge
from streamer.training.tune.answers import AnswerRecipe, tune_to_answers
from streamer.training.tune.pretraining import Pretraining, TaptRecipe
from streamer.training.tune.tunable import TunableStudent
from streamer.training.tune.tuning_set import TuningClip
from streamer.training.tune.writing import vectors_of

LABELS: Final = 60
ARMS: Final = ("as shipped", "TAPT", "labels", "TAPT and labels")


def sounds(clips: list[CorpusClip]) -> list[np.ndarray]:
    reader = ClipSound()
    audio = [reader.read(clip) for clip in clips]
    reader.close()
    return audio


def tuned(
    arm: str, pool: list[np.ndarray], taught: list[TuningClip], names: list[str], steps: int,
    seed: int,
) -> TunableStudent:  # fmt: skip
    torch.manual_seed(seed)
    tunable = TunableStudent.from_onnx(find_encoder("streamer-small").path)
    if "TAPT" in arm:
        run = Pretraining(tunable, pool, TaptRecipe(steps=steps, seed=seed))
        while run.step < steps:
            run.advance()
    if "labels" in arm:
        tune_to_answers(tunable, taught, names, AnswerRecipe(seed=seed))
    return tunable


def judged(
    tunable: TunableStudent, audio: list[np.ndarray], clips: list[CorpusClip],
    labelled: np.ndarray, test: np.ndarray, names: list[str],
) -> dict[str, float]:  # fmt: skip
    vectors = vectors_of(tunable, audio)[0]
    speakers = np.array([clip.speaker for clip in clips])
    rows = np.empty_like(vectors)
    for speaker in np.unique(speakers):
        own = speakers == speaker
        rows[own] = standard_scores(vectors[own], vectors[own])
    truth = np.array([names.index(str(clip.emotion)) for clip in clips])
    affect = np.array([affective_norm(str(clip.emotion)) for clip in clips])
    weights = fit_classes(rows[labelled], truth[labelled])
    said = (rows[test] @ weights[:-1] + weights[-1]).argmax(axis=1)
    ridge = fit_ridge(rows[labelled], affect[labelled])
    means = rows[test] @ ridge[:-1] + ridge[-1]
    return {
        "uar": uar(said, truth[test]),
        "valence": ccc(means[:, 0], affect[test, 0]),
        "arousal": ccc(means[:, 1], affect[test, 1]),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--corpus", default="emovo")
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    if not (SHARED / "speech" / "clips.csv").is_file():
        raise SystemExit(f"skipped: {SHARED / 'speech'} is not there (data that is not part of it)")
    torch.set_num_threads(1)
    corpus = read_corpus(options.corpus, SHARED / "speech")
    clips = [c for c in corpus.clips if c.emotion and affective_norm(c.emotion) and c.speaker]
    audio = sounds(clips)
    names = sorted({str(clip.emotion) for clip in clips})
    speakers = sorted({clip.speaker for clip in clips})
    out = options.out or RESULTS / f"tune_{options.corpus}.json"
    rows: list[dict[str, Any]] = []
    for fold in range(options.folds):
        held = set(speakers[fold :: options.folds])
        test = np.array([i for i, clip in enumerate(clips) if clip.speaker in held])
        pool = [i for i, clip in enumerate(clips) if clip.speaker not in held]
        labelled = np.random.default_rng(fold).permutation(pool)[:LABELS]
        taught = [
            TuningClip(
                audio[i], np.array(affective_norm(str(clips[i].emotion))),
                {str(clips[i].emotion): 1}, 1,
            )
            for i in labelled
        ]  # fmt: skip
        for arm in ARMS:
            began_s = time.monotonic()
            made = tuned(arm, [audio[i] for i in pool], taught, names, options.steps, fold)
            row = {
                "fold": fold, "arm": arm, "test_speakers": sorted(held), "pool_clips": len(pool),
                "pool_minutes": round(sum(len(audio[i]) for i in pool) / 16_000 / 60, 1),
                **judged(made, audio, clips, labelled, test, names),
                "seconds": round(time.monotonic() - began_s, 1),
            }  # fmt: skip
            rows.append(row)
            print(json.dumps(row), flush=True)
            about = {
                "machine": machine(), "corpus": options.corpus, "steps": options.steps,
                "labels": LABELS, "emotions": names, "rows": rows,
            }  # fmt: skip
            out.write_text(json.dumps(about, indent=1) + "\n")
    for arm in ARMS:
        own = [row for row in rows if row["arm"] == arm]
        figures = ", ".join(
            f"{name} {np.mean([row[name] for row in own]):.3f}"
            for name in ("uar", "valence", "arousal")
        )
        print(f"{arm:16} {figures}")


if __name__ == "__main__":
    main()

"""Joint cross-domain learning: from faces to voices, and two corpora at once.

    python -m benchmarks.joint pairs   [--steps 2000] [--folds 5] [--out FILE.json]
    python -m benchmarks.joint faces   [--steps 2000] [--folds 5]
    python -m benchmarks.joint batches [--steps 2000]

pairs    the audio table 7 of Nguyen et al. with (RAVDESS, nEMO), (RAVDESS, URDU), (TESS, TurEV):
         each corpus alone tested on both, the union by both cross-entropies, the joint model; and
         the 2 x 2 that the paper leaves out: from scratch or fine-tuned, l3 = 0 or 0.01
faces    table 1's path: FER2013 (visual source), CK+ (visual target, fully connected layers), SAVEE
         (audio), EMOVO (audio); the audio stages from scratch beside them
batches  group normalization with batches of 2 and of 64, as many images in all

Folds are of clips, as in the paper, and beside them of speakers. The paper trains for 100,000 steps
of 2 images at 1e-4 and 20,000 at 1e-5; --steps is what is run here, and is kept with the figures.
"""

import argparse
import copy
import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.iemocap import SHARED
from benchmarks.loop import RESULTS, machine
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.sound import ClipSound
from streamer.training.joint.images import face_images, speech_images
from streamer.training.joint.learning import (
    ImageCorpus,
    JointWeights,
    Stage,
    accuracy,
    run_stages,
)
from streamer.training.joint.network import EMOTIONS, JointNetwork

PAIRS: Final = (("ravdess", "nemo"), ("ravdess", "urdu"), ("tess", "turev"))
FACES: Final = SHARED / "faces" / "faces48.npz"
FACE_NAMES: Final = {"anger": "angry", "disgust": "disgusted", "fear": "fearful",
                     "happiness": "happy", "sadness": "sad", "surprise": "surprised"}  # fmt: skip
RATE: Final = 1e-3


def speech(name: str, most: int) -> tuple[ImageCorpus, np.ndarray]:
    """Windows of at most so many clips (0: all) of the six emotions; the speaker of each clip."""
    found = [c for c in read_corpus(name, SHARED / "speech").clips if c.emotion in EMOTIONS]
    rng = np.random.default_rng(0)
    kept = rng.permutation(len(found))[: most or len(found)]
    reader, images, emotions, clips = ClipSound(), [], [], []
    order = sorted(kept.tolist(), key=lambda i: (str(found[i].path), found[i].start_s))
    for number, i in enumerate(order):
        windows = speech_images(reader.read(found[i]))
        images.append(windows)
        emotions += [EMOTIONS.index(str(found[i].emotion))] * len(windows)
        clips += [number] * len(windows)
    reader.close()
    corpus = ImageCorpus(np.concatenate(images), np.array(emotions), np.array(clips))
    return corpus, np.array([found[i].speaker for i in order])


def faces(source: str, most: int) -> ImageCorpus:
    with np.load(FACES, allow_pickle=False) as stored:
        names = [FACE_NAMES.get(str(n), "") for n in stored["label_names"]]
        labels = np.array([names[k] for k in stored["labels"]])
        kept = np.flatnonzero((stored["source"] == source) & (labels != ""))
        kept = np.random.default_rng(0).permutation(kept)[: most or len(kept)]
        emotions = np.array([EMOTIONS.index(n) for n in labels[kept]])
        return ImageCorpus(face_images(stored["images"][kept]), emotions, np.arange(len(kept)))


def folds_of(corpus: ImageCorpus, groups: np.ndarray | None, folds: int) -> list[np.ndarray]:
    """The tested clips of each fold: of clips, or of whole groups of them."""
    clips = np.unique(corpus.clips)
    if groups is None:
        order = np.random.default_rng(0).permutation(clips)
        return [np.sort(order[k::folds]) for k in range(folds)]
    names = sorted(set(groups.tolist()))
    return [clips[np.isin(groups, names[k::folds])] for k in range(folds)]


class Trainer:
    """Networks of one fold; arms that begin alike share what they begin with."""

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self._done: dict[tuple[str, ...], tuple[JointNetwork, np.random.Generator]] = {
            (): (JointNetwork(), np.random.default_rng(seed))
        }

    def trained(self, stages: list[Stage]) -> JointNetwork:
        names = tuple(stage.name for stage in stages)
        if names not in self._done:
            self.trained(stages[:-1])
            network, rng = copy.deepcopy(self._done[names[:-1]])
            self._done[names] = (run_stages(network, stages[-1:], rng), rng)
        return self._done[names][0]


def pair_rows(names: tuple[str, str], steps: int, folds: int, most: int) -> list[dict[str, Any]]:
    (one, speakers), (two, others) = (speech(name, most) for name in names)
    rows = []
    for kind, groups in (("clips", (None, None)), ("speakers", (speakers, others))):
        tests = [folds_of(c, g, folds) for c, g in ((one, groups[0]), (two, groups[1]))]
        for fold in range(folds):
            held = [c.take(t[fold]) for c, t in ((one, tests[0]), (two, tests[1]))]
            kept = [
                c.take(np.setdiff1d(np.unique(c.clips), t[fold]))
                for c, t in ((one, tests[0]), (two, tests[1]))
            ]
            first = Stage("rich", [kept[0]], "all", steps, RATE)
            poor = Stage("poor", [kept[1]], "all", steps, RATE)

            def joint(contrast: float, stages: list[Stage], kept: list[ImageCorpus] = kept) -> Any:
                rate = RATE / 10 if stages else RATE
                last = Stage(f"joint {contrast}", kept, "joint", steps, rate,
                             weights=JointWeights(contrast=contrast))  # fmt: skip
                return [*stages, last]

            arms = {
                f"{names[0]} alone": [first],
                f"{names[1]} alone": [poor],
                "union, from scratch, l3 0": joint(0.0, []),
                "from scratch, l3 0.01": joint(0.01, []),
                "fine-tuned, l3 0": joint(0.0, [first, poor]),
                "joint: fine-tuned, l3 0.01": joint(0.01, [first, poor]),
            }
            trainer = Trainer(fold)
            for arm, stages in arms.items():
                network = trainer.trained(stages)
                found = [accuracy(network, part) for part in held]
                row = {
                    "pair": list(names), "folds of": kind, "fold": fold, "arm": arm,
                    names[0]: found[0], names[1]: found[1], "mean": float(np.mean(found)),
                }  # fmt: skip
                rows.append(row)
                print(json.dumps(row), flush=True)
    return rows


def face_rows(steps: int, folds: int, most: int) -> list[dict[str, Any]]:
    source, target = faces("fer2013", most), faces("ck48", most)
    corpora = {name: speech(name, most)[0] for name in ("savee", "emovo")}
    tests = {name: folds_of(c, None, folds) for name, c in corpora.items()}
    rows = []
    for fold in range(folds):
        kept = {n: c.take(np.setdiff1d(np.unique(c.clips), tests[n][fold]))
                for n, c in corpora.items()}  # fmt: skip
        visual = [Stage("V source", [source], "all", steps, RATE),
                  Stage("V target", [target], "head", steps, RATE)]  # fmt: skip
        speaking = [Stage(f"A {name}", [part], "all", steps, RATE) for name, part in kept.items()]
        arms = {
            "A_savee scratch": ([speaking[0]], "savee"),
            "A_savee fine-tuned": ([*visual, speaking[0]], "savee"),
            "A_emovo scratch": ([speaking[1]], "emovo"),
            "A_emovo fine-tuned": ([*visual, *speaking], "emovo"),
        }
        trainer = Trainer(fold)
        for arm, (stages, name) in arms.items():
            value = accuracy(trainer.trained(stages), corpora[name].take(tests[name][fold]))
            rows.append({"fold": fold, "arm": arm, "accuracy": value})
            print(json.dumps(rows[-1]), flush=True)
    return rows


def batch_rows(steps: int, most: int) -> list[dict[str, Any]]:
    corpus, _ = speech("ravdess", most)
    held = folds_of(corpus, None, 5)[0]
    kept = corpus.take(np.setdiff1d(np.unique(corpus.clips), held))
    rows = []
    for batch in (2, 64):
        stage = Stage("x", [kept], "all", max(1, 2 * steps // batch), RATE, batch=batch)
        value = accuracy(Trainer(0).trained([stage]), corpus.take(held))
        rows.append({"batch": batch, "steps": stage.steps, "accuracy": value})
        print(json.dumps(rows[-1]), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("table", choices=["pairs", "faces", "batches"])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--clips", type=int, default=0, help="at most so many a corpus (0: all)")
    parser.add_argument("--out", type=Path, default=None)
    options = parser.parse_args()
    if not FACES.is_file():
        raise SystemExit(f"skipped: {FACES} is not there (research data that is not part of this)")
    torch.set_num_threads(1)
    if options.table == "pairs":
        rows = []
        for pair in PAIRS:
            rows += pair_rows(pair, options.steps, options.folds, options.clips)
    elif options.table == "faces":
        rows = face_rows(options.steps, options.folds, options.clips)
    else:
        rows = batch_rows(options.steps, options.clips)
    out = options.out or RESULTS / f"joint_{options.table}.json"
    settings = {"steps": options.steps, "folds": options.folds, "clips": options.clips}
    out.write_text(json.dumps({"machine": machine(), "settings": settings, "rows": rows}, indent=1)
                   + "\n")  # fmt: skip


if __name__ == "__main__":
    main()

"""Han et al. (2013) with their own pair of learners, and with an online counterpart of it.

    python -m benchmarks.han_svm [--orders 1] [--out FILE.json]

IEMOCAP, 47 functionals, each session the test once; 200 labels to begin with, then 14 buffers of
200 of which half is asked (table 2), about one dimension at a time (section 5.1). Learners, all of
them fitted anew after each buffer: an RBF SVR with an RBF SVC (theirs, in scikit-learn); ridge with
logistic regression on 150 Nystrom features of the same kernel (what can be learned online); ridge
with logistic regression on the functionals. Confidence is Platt's on the outputs of the classifier
on its labels (equations 1 and 2), informativeness -|conf - 0.5| (equation 3).

CC on the test session, the mean over the labels less that of random choice; labels that reach
random's best. Wilcoxon over sessions and orders.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, SVR

from benchmarks.iemocap import of_sessions, read_iemocap
from benchmarks.loop import RESULTS, machine
from streamer.evaluation.dataset import dataset_of
from streamer.evaluation.metrics import cc
from streamer.evaluation.significance import signed_rank_p
from streamer.learners.platt import binary_label, confidence, fit_sigmoid
from streamer.types import DIMENSIONS, Matrix, Vector

FIRST, BUFFER, BUFFERS = 200, 200, 14
ASKED: Final = ("valence", "arousal")
GAMMA: Final = 1 / 47
LEARNERS: Final[dict[str, Callable[[], tuple[Any, Any]]]] = {
    "SVR and SVC": lambda: (SVR(C=1.0, gamma=GAMMA), SVC(C=1.0, gamma=GAMMA)),
    "Nystrom": lambda: (
        make_pipeline(Nystroem(gamma=GAMMA, n_components=150, random_state=0), Ridge(1.0)),
        make_pipeline(
            Nystroem(gamma=GAMMA, n_components=150, random_state=0),
            LogisticRegression(max_iter=300),
        ),
    ),
    "linear": lambda: (Ridge(10.0), LogisticRegression(C=0.1, max_iter=300)),
}


def run(
    x: Matrix, y: Vector, order: Vector, test: Vector, learner: str, *, chosen: bool, seed: int
) -> tuple[list[int], list[float]]:
    """Labels and the CC on the test after each buffer."""
    rng = np.random.default_rng(seed)
    known = [int(i) for i in order[:FIRST]]
    counts, scores = [], []
    for buffer in range(BUFFERS + 1):
        regressor, classifier = LEARNERS[learner]()
        signs = np.array([binary_label(value) for value in y[known]])
        regressor.fit(x[known], y[known])
        scores.append(cc(regressor.predict(x[test]), y[test]))
        counts.append(len(known))
        heard = order[FIRST + buffer * BUFFER : FIRST + (buffer + 1) * BUFFER]
        if buffer == BUFFERS or not len(heard):
            break
        worth = rng.random(len(heard))
        if chosen:
            classifier.fit(x[known], signs)
            sigmoid = fit_sigmoid(classifier.decision_function(x[known]), signs)
            worth = -np.abs(confidence(classifier.decision_function(x[heard]), *sigmoid) - 0.5)
        known += [int(i) for i in heard[np.argsort(-worth, kind="stable")[: len(heard) // 2]]]
    return counts, scores


def figures_of(learner: str, dimension: str, orders: int) -> dict[str, Any]:
    corpus = read_iemocap()
    column, passive, active = DIMENSIONS.index(dimension), [], []
    counts: list[int] = []
    for session in range(1, 6):
        pool = of_sessions(corpus, set(range(1, 6)) - {session})
        dataset = dataset_of(corpus, pool, "pool")
        x, y = dataset.features, dataset.affect[:, column]
        test = of_sessions(corpus, {session})
        test = test[np.isfinite(y[test])]
        for seed in range(orders):
            order = np.random.default_rng(seed).permutation(pool[np.isfinite(y[pool])])
            for into, chosen in ((passive, False), (active, True)):
                counts, scores = run(x, y, order, test, learner, chosen=chosen, seed=seed)
                into.append(scores)
    gains = np.mean(active, axis=1) - np.mean(passive, axis=1)
    mean, best = np.mean(active, axis=0), float(np.mean(passive, axis=0).max())
    at = counts[int(np.argmax(np.mean(passive, axis=0)))]
    reached = np.flatnonzero(mean >= best)
    needed = int(counts[reached[0]]) if len(reached) else None
    return {
        "random_cc": round(float(np.mean(passive)), 4),
        "gain": round(float(gains.mean()), 4),
        "p": round(signed_rank_p(gains), 4),
        "random_best": round(best, 4),
        "at_labels": at,
        "reached_with": needed,
        "part": None if needed is None else round(needed / at, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--orders", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "han_svm.json")
    options = parser.parse_args()
    figures: dict[str, Any] = {"machine": machine(), "orders": options.orders, "learners": {}}
    for learner in LEARNERS:
        for dimension in ASKED:
            found = figures_of(learner, dimension, options.orders)
            figures["learners"].setdefault(learner, {})[dimension] = found
            print(learner, dimension, found, flush=True)
            options.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Our learners beside river's and a plain numpy RLS, on the same stream, in one run on one thread.

    python -m benchmarks.learners [--samples 200] [--out FILE.json]

`predict` and `learn` of one sample, in milliseconds. Behind river's protocol each is given river's
own input, a dict; the array path is compared with recursive least squares as one would write it.
All figures are CPU time of the one thread that computes: on an idle machine that is the time a
person waits, and on a busy one it is still the learner's.
"""

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from river.linear_model import BayesianLinearRegression, LinearRegression, PARegressor
from river.preprocessing import StandardScaler

from benchmarks.loop import RESULTS, machine, pin
from streamer.learners.affect import AffectLearner
from streamer.learners.logistic import OnlineLogistic
from streamer.learners.prior import Prior
from streamer.learners.regression import BayesianRegression
from streamer.learners.river import RiverBayesianRegression
from streamer.types import Label, Matrix

SIZES = (256, 768)
ROUNDS = 5
BUFFER = 1_000
LABELS = 3_000
EMOTIONS = ("anger", "joy", "neutral", "sadness")

Named = dict[str, float]
Sample = tuple[Named, Matrix, float]
Step = Callable[[Sample], None]


class OnDicts(Protocol):
    def predict_one(self, x: Any) -> Any: ...

    def learn_one(self, x: Any, y: Any) -> Any: ...


class PlainLeastSquares:
    """Recursive least squares with a ridge of 1, as in a textbook."""

    def __init__(self, size: int) -> None:
        self.weights = np.zeros(size)
        self.covariance = np.eye(size)

    def step(self, x: Matrix, y: float) -> None:
        error = y - x @ self.weights
        direction = self.covariance @ x
        gain = direction / (1.0 + x @ direction)
        self.weights = self.weights + gain * error
        self.covariance = self.covariance - np.outer(gain, direction)


def scaled() -> OnDicts:
    return StandardScaler() | LinearRegression()


def on_dicts(model: OnDicts) -> Step:
    def step(sample: Sample) -> None:
        named, _, y = sample
        model.predict_one(named)
        model.learn_one(named, y)

    return step


def plain(size: int) -> Step:
    model = PlainLeastSquares(size)
    return lambda sample: model.step(sample[1], sample[2])


def ours(size: int) -> Step:
    model = BayesianRegression(np.zeros((size, 1)), 1.0, np.ones(1))

    def step(sample: Sample) -> None:
        model.predict(sample[1])
        model.learn(sample[1], np.array([sample[2]]))

    return step


def online_model(size: int, count: int) -> dict[str, Any]:
    """Median milliseconds to predict and learn one sample, and how often ours is the faster."""
    rng = np.random.default_rng(size)
    rows = rng.normal(size=(count, size))
    targets = rows @ rng.normal(size=size) / np.sqrt(size) + 0.3 * rng.normal(size=count)
    names = [f"x{i}" for i in range(size)]
    stream = [
        (dict(zip(names, row.tolist(), strict=True)), row, float(target))
        for row, target in zip(rows, targets, strict=True)
    ]
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        made: dict[str, Callable[[], Any]] = {
            "ours, dicts": RiverBayesianRegression,
            "river LinearRegression with StandardScaler": scaled,
            "river BayesianLinearRegression": BayesianLinearRegression,
            "river PARegressor": PARegressor,
        }
        learners = {name: on_dicts(make()) for name, make in made.items()}
        learners |= {"ours, arrays": ours(size), "plain RLS, arrays": plain(size)}
        for name, step in learners.items():
            for sample in stream:
                begun_s = time.thread_time()
                step(sample)
                times.setdefault(name, []).append(1e3 * (time.thread_time() - begun_s))
    medians = {name: statistics.median(found) for name, found in times.items()}
    means = {name: statistics.fmean(found) for name, found in times.items()}
    ratios = {
        name: median / medians["ours, arrays" if name.endswith("arrays") else "ours, dicts"]
        for name, median in medians.items()
        if not name.startswith("ours")
    }
    return {"median_ms": medians, "mean_ms": means, "times_as_fast_as": ratios}


def scoring(size: int) -> dict[str, float]:
    """Median milliseconds to score a buffer of `BUFFER` utterances."""
    learner, classifier = taught(size, 200)
    buffer = np.random.default_rng(1).normal(size=(BUFFER, size))
    classifier.probabilities(buffer[:1])
    asked: dict[str, Callable[[], object]] = {
        "confidence": lambda: learner.confidence("valence", buffer),
        "deviations of three dimensions": lambda: learner.deviations(buffer),
        "class chances": lambda: classifier.probabilities(buffer),
    }
    inputs = np.hstack([buffer / np.sqrt(size), np.ones((BUFFER, 1))])
    regression = learner.dimensions["valence"].regression
    asked["confidence and variance of one dimension"] = lambda: (
        learner.confidence("valence", buffer),
        regression.deviation(inputs),
    )
    found = {}
    for name, ask in asked.items():
        times = []
        for _ in range(4 * ROUNDS):
            begun_s = time.thread_time()
            ask()
            times.append(1e3 * (time.thread_time() - begun_s))
        found[name] = statistics.median(times)
    return found


def taught(size: int, count: int) -> tuple[AffectLearner, OnlineLogistic]:
    rng = np.random.default_rng(0)
    learner, classifier = AffectLearner(Prior.uninformed(size, 1)), OnlineLogistic(size)
    for number in range(count):
        features = rng.normal(size=size)
        valence, arousal, dominance = rng.uniform(-1, 1, 3).tolist()
        label = Label(number, valence, arousal, dominance, None, "me")
        learner.learn(features, label, first=True)
        classifier.learn(features / np.sqrt(size), EMOTIONS[number % len(EMOTIONS)])
    return learner, classifier


def folding() -> dict[str, float]:
    """Seconds to learn all labels anew on three dimensions, as an undo does."""
    begun_s = time.thread_time()
    taught(SIZES[0], LABELS)
    spent_s = time.thread_time() - begun_s
    return {"labels": LABELS, "size": SIZES[0], "s": spent_s, "ms_a_label": 1e3 * spent_s / LABELS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=200, help="of the stream, for each learner")
    parser.add_argument("--out", type=Path, default=RESULTS / "learners.json")
    options = parser.parse_args()
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        # The linear algebra reads these when it is loaded, which it is by now.
        one = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        os.execve(sys.executable, sys.orig_argv, os.environ | one)
    pin()
    figures: dict[str, Any] = {"machine": machine()}
    for size in SIZES:
        figures[f"learning_{size}"] = online_model(size, options.samples)
        figures[f"scoring_{size}_ms"] = scoring(size)
    figures["learning_anew"] = folding()
    text = json.dumps(figures, indent=2)
    options.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()

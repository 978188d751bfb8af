"""The constants of the affect learner, chosen without the corpus on which they are then tested.

    python -m benchmarks.nested_constants [--encoder NAME] [--draws 3] [--out FILE.json]

For each left-out corpus the constants are chosen on the other corpora of `voices.CORPORA`, each of
these with a prior that had neither it nor the left-out one; then the left-out corpus is tested with
them and with the constants that ship, which are the choice on all corpora. One constant after the
other, in this order, each with those that were chosen before it:

- `SHIFT`, the most that a label may move all guesses by way of the offset, `affect.LIMIT`, the
  errors beyond which a label is learned as less, and `scale.ORDER`, of the sigmoid: the least error
  after 1 to 20 labels; of the first two only settings under which one contradicting label moves
  all other guesses by less than 0.1 on every corpus (where none does: on the most corpora).
- `normalization.PRIOR_WEIGHT`: the least error before any label on the first utterances of a voice,
  each as it is heard: 20 of all emotions, and 10 of one, of each in turn; the mean of both.
- `conformal.FIRST_STEPS`, `SETTLED`: the least interval score (Gneiting and Raftery 2007, equation
  43: the width, and 10 times how far a label lies outside) of the settings under which 75 to 85 %
  of the labels lie inside on every corpus (where none does: on the most corpora).

The prior is fitted with the shipped `PRIOR_WEIGHT`, which only voices of few clips feel.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import numpy as np

from benchmarks.loop import RESULTS, machine
from benchmarks.ten_labels import Since, contradict
from benchmarks.voices import CACHE, CORPORA, Voice, encoder_row, sessions, vectors_of, voices_of
from streamer.encoders.prior_file import read_prior, write_prior
from streamer.learners import affect, conformal, normalization, scale
from streamer.learners.affect import AffectLearner
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import Prior
from streamer.training.export.prior import Settings, labelled_clips, limited_offset
from streamer.training.export.voices import fit_voices
from streamer.types import DIMENSIONS, Prediction, Vector

Constants = dict[str, float]
# The grid of each; the module where it is, or None for a setting of the prior's fit.
GRID: Final[Mapping[str, Sequence[float]]] = {
    "SHIFT": (0.01, 0.02, 0.035, 0.05, 0.1),
    "LIMIT": (1.0, 1.5, 2.0, 3.0),
    "ORDER": (2, 4, 6, 8),
    "PRIOR_WEIGHT": (1.5, 3.0, 6.0, 12.0),
    "FIRST_STEPS": (4.0, 8.0, 16.0, 32.0),
    "SETTLED": (3.0, 10.0, 30.0),
}
MODULES: Final = {
    "LIMIT": affect,
    "ORDER": scale,
    "FIRST_STEPS": conformal,
    "SETTLED": conformal,
    "PRIOR_WEIGHT": normalization,
}
SHIPPED: Final[Constants] = {
    "SHIFT": Settings().shift,
    **{name: getattr(module, name) for name, module in MODULES.items()},
}
LABELS: Final = (0, 1, 2, 5, 10, 20)
MIXED: Final = 20
ONE_MOOD: Final = 10
MOST_MOVED: Final = 0.1
MOST_OFF: Final = 0.05
COVERAGE: Final = conformal.COVERAGE


@contextmanager
def constants(values: Constants) -> Iterator[None]:
    """The learner with these constants in place of those that ship."""
    with ExitStack() as stack:
        for name, module in MODULES.items():
            value = type(SHIPPED[name])(values[name])
            stack.enter_context(patch.object(module, name, value))
        yield


class Corpora:
    """The voices of all corpora, and priors that had neither of some."""

    def __init__(self, encoder: str, draws: int) -> None:
        self.row, self._draws = encoder_row(encoder), draws
        self._clips, self._embeddings, self._vectors = vectors_of(self.row)
        self._corpora = np.array([clip.corpus for clip in self._clips])
        self.voices: Callable[[str], list[Voice]] = cache(
            lambda name: voices_of(self._clips, self._embeddings, self._vectors, name)
        )
        self.measure = cache(self._measure)
        self.measure_heard = cache(self._measure_heard)
        self.uncapped = cache(self._uncapped)

    def figures(self, tested: str, unseen: str, values: Constants) -> dict[str, Any]:
        """Of one corpus with a prior that had neither it nor `unseen` ("" for none)."""
        return self.measure(tested, unseen, tuple(sorted(values.items())))

    def first_guesses(self, tested: str, unseen: str, values: Constants) -> float:
        """The error before any label on what a voice says first; see `figures`."""
        return self.measure_heard(tested, unseen, values["ORDER"], values["PRIOR_WEIGHT"])

    def prior(self, left_out: frozenset[str], values: Constants) -> Prior:
        """With the offset's variance held back as `SHIFT` and `LIMIT` say."""
        prior, length = self.uncapped(left_out)
        voices = zip(prior.noise**2, prior.offset_variance, prior.weight_variance, strict=True)
        with patch("streamer.training.export.prior.AFFECT_LIMIT", values["LIMIT"]):
            limited = [limited_offset(np.array(one), length, values["SHIFT"]) for one in voices]
        return replace(prior, offset_variance=np.array(limited))

    def _uncapped(self, left_out: frozenset[str]) -> tuple[Prior, float]:
        """The prior whose offset is by evidence alone, and the mean squared length of inputs."""
        kept = ~np.isin(self._corpora, sorted(left_out))
        clips = [clip for clip, keep in zip(self._clips, kept, strict=True) if keep]
        path = CACHE / f"{self.row.name}-uncapped-without-{'-'.join(sorted(left_out))}.npz"
        if not path.is_file():
            settings = Settings(shift=np.inf)
            fitted, _ = fit_voices(self._embeddings[kept], self._vectors[kept], clips, settings)
            write_prior(path, fitted, self.row.sha256)
        sizes = (self.row.embedding_size, self.row.emotion_size)
        prior = read_prior(path, self.row.name, self.row.sha256, sizes)
        damped = prior.damped(labelled_clips(self._embeddings[kept], clips).x)
        return prior, float((damped**2).sum(axis=1).mean())

    def _measure(
        self, tested: str, unseen: str, values: tuple[tuple[str, float], ...]
    ) -> dict[str, Any]:
        chosen = dict(values)
        prior = self.prior(frozenset({tested, unseen} - {""}), chosen)
        errors: dict[int, list[float]] = {labels: [] for labels in LABELS}
        moved: list[float] = []
        scores: list[float] = []
        covered = count = 0
        with constants(chosen):
            for number, voice in enumerate(self.voices(tested)):
                for session in sessions(voice, prior, self._draws, number, max(LABELS)):
                    learner, truth = Since(prior), voice.affect[session.test]
                    moved.append(contradict(Since(prior), session))
                    for labels in range(len(session.pool) + 1):
                        if labels in LABELS:
                            said = learner.means(session.features[session.test])
                            errors[labels].append(float(np.sqrt(((said - truth) ** 2).mean())))
                        if labels < len(session.pool):
                            index = session.pool[labels]
                            predicted = learner.predict(session.features[index])
                            scores += interval_scores(predicted, voice.affect[index])
                            learner.learn(session.features[index], voice.affect[index])
                    covered += sum(one.covered for one in learner.intervals)
                    count += sum(one.count for one in learner.intervals)
        return {
            "rmse": {labels: float(np.mean(of)) for labels, of in errors.items() if of},
            "moved": float(np.mean(moved)),
            "coverage": covered / count,
            "interval_score": float(np.mean(scores)),
        }

    def _measure_heard(self, tested: str, unseen: str, order: float, weight: float) -> float:
        prior, _ = self.uncapped(frozenset({tested, unseen} - {""}))
        with constants({**SHIPPED, "ORDER": order, "PRIOR_WEIGHT": weight}):
            found = [first_guesses(voice, prior, n) for n, voice in enumerate(self.voices(tested))]
        return float(np.mean(found))


def first_guesses(voice: Voice, prior: Prior, seed: int) -> float:
    """The error on first utterances of all emotions, and on those of one, without a label."""
    rng, emotions = np.random.default_rng(seed), np.array(voice.emotions)
    mixed = rng.permutation(len(voice))[:MIXED]
    moods = [
        rng.permutation(np.flatnonzero(emotions == name))[:ONE_MOOD] for name in np.unique(emotions)
    ]
    return (_error_as_heard(voice, prior, [mixed]) + _error_as_heard(voice, prior, moods)) / 2.0


def _error_as_heard(voice: Voice, prior: Prior, evenings: Sequence[np.ndarray]) -> float:
    """RMSE over all of them, each with a profile of its own, heard in that order."""
    learner, squared = AffectLearner(prior), []
    for evening in evenings:
        usual = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
        for index in evening:
            usual.update(voice.embeddings[index])
            said = learner.means(usual.apply(voice.embeddings[index])[np.newaxis])[0]
            squared.append((said - voice.affect[index]) ** 2)
    return float(np.sqrt(np.mean(squared)))


def interval_scores(predicted: Prediction, affect: Vector) -> list[float]:
    """Of each dimension: less is better, in units of a label."""
    found = []
    for name, value in zip(DIMENSIONS, affect, strict=True):
        low, high = getattr(predicted, name).low, getattr(predicted, name).high
        outside = max(low - value, value - high, 0.0)
        found.append(float(high - low + 2.0 / (1.0 - COVERAGE) * outside))
    return found


def merit(name: str, found: Sequence[dict[str, Any]]) -> tuple[float, ...]:
    """What is to be least, of a setting's figures on some corpora; see the module."""
    error = float(np.mean([np.mean([e for n, e in of["rmse"].items() if n]) for of in found]))
    if name in ("SHIFT", "LIMIT"):
        return float(sum(of["moved"] >= MOST_MOVED for of in found)), error
    if name in ("FIRST_STEPS", "SETTLED"):
        missed = sum(abs(of["coverage"] - COVERAGE) > MOST_OFF for of in found)
        return float(missed), float(np.mean([of["interval_score"] for of in found]))
    return (error,)


def _merit(
    corpora: Corpora, name: str, values: Constants, on: Sequence[str], unseen: str
) -> tuple[float, ...]:
    if name == "PRIOR_WEIGHT":
        return (float(np.mean([corpora.first_guesses(of, unseen, values) for of in on])),)
    return merit(name, [corpora.figures(of, unseen, values) for of in on])


def choice(corpora: Corpora, unseen: str) -> tuple[Constants, dict[str, Any]]:
    """The constants chosen without one corpus ("" for on all), and the merit of each setting."""
    on = [name for name in CORPORA if name != unseen]
    chosen = dict(SHIPPED)
    merits: dict[str, Any] = {}
    for name, grid in GRID.items():
        found = {
            value: _merit(corpora, name, {**chosen, name: value}, on, unseen) for value in grid
        }
        chosen[name] = min(found, key=found.__getitem__)
        merits[name] = {str(value): [round(m, 4) for m in of] for value, of in found.items()}
    return chosen, merits


def table(figures: dict[str, Any]) -> str:
    lines = [
        "| left out | chosen on the others | RMSE at 0, 5, 10, 20 labels | as shipped | coverage | "
        "as shipped | one label moves all others | as shipped |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for corpus, of in figures["corpora"].items():
        other = [f"{n} {v:g}" for n, v in of["chosen"].items() if v != SHIPPED[n]]
        cells = [corpus, ", ".join(other) or "all as shipped"]
        kinds = [of["nested"], of["shipped"]]
        cells += [
            ", ".join(f"{k['rmse'][n]:.3f}" for n in (0, 5, 10, 20) if n in k["rmse"])
            for k in kinds
        ]
        cells += [f"{100 * k['coverage']:.1f} %" for k in kinds]
        cells += [f"{k['moved']:.3f}" for k in kinds]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--encoder", default="")
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS / "nested_constants.json")
    options = parser.parse_args()
    corpora = Corpora(options.encoder, options.draws)
    on_all, merits_on_all = choice(corpora, "")
    figures: dict[str, Any] = {
        "machine": machine(),
        "encoder": corpora.row.name,
        "draws": options.draws,
        "shipped": SHIPPED,
        "chosen_on_all": on_all,
        "merits_on_all": merits_on_all,
        "corpora": {},
    }
    for corpus in CORPORA:
        chosen, merits = choice(corpora, corpus)
        figures["corpora"][corpus] = {
            "chosen": chosen,
            "merits": merits,
            "nested": corpora.figures(corpus, "", chosen),
            "shipped": corpora.figures(corpus, "", SHIPPED),
        }
        print(corpus, chosen, flush=True)
    print("on all:", on_all, merits_on_all)
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(table(figures))


if __name__ == "__main__":
    main()

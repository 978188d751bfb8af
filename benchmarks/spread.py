"""Should predictions be spread as labels are, or outliers squashed? For a profile's few labels.

    python -m benchmarks.spread [--seeds 6] [--out FILE.json] [--cache FOLDER]

One learner hears utterances in random order and is told the first 10 to 200 of their labels. Then
it predicts others: as it does; or spread (`learners.variance_matching`: moved from their mean so
that they vary as labels do); each with standard scores z as they are, or squashed to 2 tanh(z/2).
Intervals adapt label by label to what would have been shown (`learners.conformal`).

nEMO: each of its nine voices on its own, half heard, half predicted. RAVDESS: one profile hears
every other voice and predicts those between. Both by the default encoder, with its shipped prior
(which knows the labels of these corpora, as it would those of no new voice) and without. IEMOCAP:
47 functionals, sessions 1 to 4 and 5, no prior. Acted emotions are rated by their affective norms.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

import numpy as np

from benchmarks.after import embedded
from benchmarks.grid import flags
from benchmarks.iemocap import SHARED, of_sessions, read_iemocap
from benchmarks.loop import machine
from benchmarks.strategies import with_norms
from streamer.config import Config
from streamer.evaluation.corpus import Corpus, Indices
from streamer.evaluation.dataset import dataset_of
from streamer.evaluation.metrics import ccc, rmse
from streamer.learners.affect import AffectLearner
from streamer.learners.conformal import AdaptiveInterval
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import Prior
from streamer.learners.variance_matching import spread_gain, widened
from streamer.loop.compose import make_encoder
from streamer.types import DIMENSIONS, Label

POINTS: Final = (0, 10, 20, 50, 100, 200)
JUDGED: Final = ("valence", "arousal")
SHOWN: Final = ("as predicted", "spread")
# A profile has heard about twice what it was told.
HEARD: Final = 2

Matrix = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Setting:
    """features [n, d], standard scores; answers [n, 3], nan where there is none; heard and tested:
    indices, the first in the order in which they are heard."""

    name: str
    features: Matrix
    answers: Matrix
    heard: Indices
    tested: Indices
    prior: Prior


def judged(setting: Setting) -> Iterator[dict[str, Any]]:
    """A row for each number of labels, dimension and way of showing."""
    learner = AffectLearner(setting.prior)
    intervals = {(name, shown): AdaptiveInterval() for name in JUDGED for shown in SHOWN}
    for count in range(POINTS[-1] + 1):
        heard = setting.heard[: max(HEARD * count, 20)]
        if count in POINTS:
            for (name, shown), interval in intervals.items():
                rows = setting.tested[np.isfinite(setting.answers[setting.tested, _at(name)])]
                truth = setting.answers[rows, _at(name)]
                said = _shown(learner, setting, rows, heard, name)[shown]
                half = interval.width * learner.deviations(setting.features[rows])[:, _at(name)]
                yield {
                    "data": setting.name,
                    "dimension": name,
                    "labels": count,
                    "shown": shown,
                    "ccc": ccc(said, truth),
                    "rmse": rmse(said, truth),
                    "coverage": float((np.abs(truth - said) <= half).mean()),
                    "half_width": float(half.mean()),
                }
        if count >= len(setting.heard):
            return
        _learn(learner, setting, int(setting.heard[count]), heard, intervals)


def _learn(
    learner: AffectLearner,
    setting: Setting,
    row: int,
    heard: Indices,
    intervals: dict[tuple[str, str], AdaptiveInterval],
) -> None:
    told = [None if np.isnan(v) else float(v) for v in setting.answers[row]]
    rows = np.array([row])
    deviations = learner.deviations(setting.features[rows])[0]
    for (name, shown), interval in intervals.items():
        if (value := told[_at(name)]) is not None:
            said = float(_shown(learner, setting, rows, heard, name)[shown][0])
            interval.observe(value - said, float(deviations[_at(name)]))
    learner.learn(setting.features[row], Label(row, *told, None, "corpus"), first=True)


def _shown(
    learner: AffectLearner, setting: Setting, rows: Indices, heard: Indices, name: str
) -> dict[str, Matrix]:
    regression = learner.dimensions[name].regression
    noise = float(regression.deviation(np.zeros(len(regression.weights)))[0])
    usual = learner.means(setting.features[heard])[:, _at(name)]
    means = learner.means(setting.features[rows])[:, _at(name)]
    wide = widened(means, float(usual.mean()), spread_gain(usual, noise * noise))
    return dict(zip(SHOWN, (np.clip(means, -1.0, 1.0), wide), strict=True))


def _at(name: str) -> int:
    return DIMENSIONS.index(name)


def settings(seeds: int, cache: Path) -> Iterator[Setting]:
    iemocap = read_iemocap()
    pool, tested = of_sessions(iemocap, {1, 2, 3, 4}), of_sessions(iemocap, {5})
    dataset = dataset_of(iemocap, pool, "pool")
    none = Prior.uninformed(dataset.features.shape[1], 1)
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(pool)
        yield Setting("iemocap", dataset.features, dataset.affect, order, tested, none)
    shipped = make_encoder(Config(), "").prior
    for name in ("nemo", "ravdess"):
        corpus = with_norms(embedded(name, cache))
        for heard, tested in _voices(corpus, one_by_one=name == "nemo"):
            for prior, words in ((shipped, "shipped"), (Prior.uninformed(256, 1), "no")):
                yield _setting(f"{name}, {words} prior", corpus, heard, tested, shipped, prior)


def _voices(corpus: Corpus, *, one_by_one: bool) -> Iterator[tuple[Indices, Indices]]:
    rng = np.random.default_rng(0)
    of = np.array([clip.speaker for clip in corpus.clips])
    names = sorted(set(of))
    if not one_by_one:
        heard = np.isin(of, names[1::2])
        yield rng.permutation(np.flatnonzero(heard)), np.flatnonzero(~heard)
        return
    for name in names:
        order = rng.permutation(np.flatnonzero(of == name))
        yield order[: len(order) // 2], order[len(order) // 2 :]


def _setting(
    name: str, corpus: Corpus, heard: Indices, tested: Indices, population: Prior, prior: Prior
) -> Setting:
    """Scores by what is usual once all of `heard` was heard."""
    embeddings = np.asarray(corpus.features, np.float64)
    usual = RunningNormalization(population.embedding_mean, population.embedding_deviation)
    for row in heard:
        usual.update(embeddings[row])
    answers = dataset_of(corpus, heard).affect
    return Setting(name, usual.apply(embeddings), answers, heard, tested, prior)


def squashed(setting: Setting) -> Setting:
    features = 2.0 * np.tanh(setting.features / 2.0)
    return Setting(
        setting.name, features, setting.answers, setting.heard, setting.tested, setting.prior
    )


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over voices and seeds."""
    keys = ("data", "dimension", "scores", "shown", "labels")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    measures = ("ccc", "rmse", "coverage", "half_width")
    return [
        {
            **dict(zip(keys, group, strict=True)),
            "runs": len(of),
            **{name: round(float(np.mean([row[name] for row in of])), 4) for name in measures},
        }
        for group, of in sorted(groups.items())
    ]


def table(rows: Sequence[dict[str, Any]]) -> str:
    lines = [f"{'data':22} {'':9} {'scores':9} {'shown':13} labels    CCC   RMSE covered  ± width"]
    lines += [
        f"{r['data']:22} {r['dimension']:9} {r['scores']:9} {r['shown']:13} {r['labels']:6d} "
        f"{r['ccc']:6.3f} {r['rmse']:6.3f} {r['coverage']:7.0%} {r['half_width']:8.2f}"
        for r in rows
    ]
    return "\n".join(lines)


def main() -> None:
    parser = flags("spread", __doc__, seeds=6)
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "streamer-embeddings")
    options = parser.parse_args()
    if not (SHARED / "speech" / "clips.csv").is_file():
        raise SystemExit(f"skipped: {SHARED / 'speech'} is not there (not part of this)")
    found = []
    for setting in settings(options.seeds, options.cache):
        for scores, one in (("plain", setting), ("squashed", squashed(setting))):
            found += [{**row, "scores": scores} for row in judged(one)]
    rows = summary(found)
    figures = {"machine": machine(), "seeds": options.seeds, "rows": rows}
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()

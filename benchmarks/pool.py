"""A pool of millions: what `pool ask` costs, and what choosing by blocks loses.

    python -m benchmarks.pool [--only cost|loss] [--sizes 20000 200000 2000000] [--work FOLDER]

Cost. Real embeddings of RAVDESS and nEMO by `streamer-small`, drawn again and again, each with
noise of 0.3 of their deviation within a voice: a pool of 256 values of float16, that grows from one
size to the next. A profile with 100 answers asks 200 questions by each strategy, in a process of
its own: seconds and bytes read of the choice, peak memory of the process, beside that of one that
has everything loaded and asks nothing. A straight line through the logarithms gives the exponent,
and the cost of 10 million by extrapolation: that size was not run.

Loss. Of 20,000 made the same way of nEMO, 6 rounds of 20 questions, by blocks and exactly: the
share in common in the first round, with the same answers; and CCC after each round on the voices
that are in neither. Strategies that hold the covariance of the whole pool (spread-in-turn) are
compared by `--compared spread-in-turn --loss-size 5000`: exactly on 20,000 one took 6.7 GB. Answers
are the affective norms of the acted emotion. The encoder's prior, which knows these corpora, is
left out.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from typing import Any, Final

import numpy as np

from benchmarks.grid import RESULTS
from benchmarks.iemocap import SHARED
from benchmarks.loop import machine
from benchmarks.strategies import with_norms
from streamer.annotation import labels
from streamer.annotation.pool.asking import ask, bind_to_pool
from streamer.config import Config
from streamer.evaluation.corpus import Corpus
from streamer.evaluation.dataset import Dataset, dataset_of
from streamer.evaluation.embedding import embed
from streamer.evaluation.learners import EvaluatedLearner
from streamer.evaluation.metrics import ccc
from streamer.evaluation.readers import read_corpus
from streamer.loop.compose import make_encoder
from streamer.loop.pool.adding import PART_ROWS
from streamer.loop.pool.pool import Pool
from streamer.query.blocks import Candidates, SequentialDraw, choose_from_blocks
from streamer.query.strategies import make_strategy
from streamer.store.profile import Profile
from streamer.types import Label

SIZES: Final = (20_000, 200_000, 2_000_000)
EXTRAPOLATED: Final = 10_000_000
STRATEGIES: Final = ("binary-confidence", "margin", "k-means", "spread-in-turn")
COMPARED: Final = ("random", "k-means", "alps", "gsx", "igs", "mtigs")
ENCODER: Final = "streamer-small"
QUESTIONS: Final = 200
ANSWERED: Final = 100
NOISE: Final = 0.3
CORPORA: Final = ("ravdess", "nemo")
LOSS_SIZE: Final = 20_000
ROUNDS: Final = 6
BATCH: Final = 20


@dataclass(frozen=True)
class Clips:
    """Embeddings [n, 256], and the answers to be given."""

    embeddings: Any
    names: Sequence[str]
    affect: Any


def embedded(name: str, cache: Path) -> Corpus:
    corpus = read_corpus(name, SHARED / "speech")
    return embed(corpus, partial(make_encoder, Config(), ENCODER), cache).corpus


def read_clips(cache: Path) -> Clips:
    parts = [with_norms(embedded(name, cache)) for name in CORPORA]
    clips = [clip for corpus in parts for clip in corpus.clips]
    return Clips(
        np.concatenate([np.asarray(corpus.features, np.float32) for corpus in parts]),
        [clip.emotion or "" for clip in clips],
        np.concatenate([dataset_of(corpus, np.arange(len(corpus))).affect for corpus in parts]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=("cost", "loss"))
    parser.add_argument("--compared", nargs="*", default=list(COMPARED))
    parser.add_argument("--loss-size", type=int, default=LOSS_SIZE)
    parser.add_argument("--work", type=Path, default=Path(gettempdir()) / "streamer-pool")
    parser.add_argument("--cache", type=Path, default=Path(gettempdir()) / "streamer-embeddings")
    parser.add_argument("--out", type=Path, default=RESULTS / "pool.json")
    given = parser.parse_args()
    found: dict[str, Any] = json.loads(given.out.read_text()) if given.out.exists() else {}
    if given.only != "cost":
        found["loss"] = {"machine": machine(), "rows": loss(given)}
        print(loss_table(found["loss"]["rows"]))
    if given.only != "loss":
        rows = list(cost(given.cache, given.work, given.sizes))
        found["cost"] = {"machine": machine(), "rows": rows, "fits": fits(rows)}
        print(cost_table(rows, found["cost"]["fits"]))
    given.out.write_text(json.dumps(found, indent=1) + "\n")


def cost(cache: Path, work: Path, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    shutil.rmtree(work, ignore_errors=True)
    clips = read_clips(cache)
    config = Config.load(home=work)
    encoder = make_encoder(config, ENCODER)
    pool = Pool.create(
        work / "pool", encoder=encoder.name, sha256=encoder.sha256,
        embedding_size=encoder.embedding_size, emotion_size=encoder.emotion_size,
        precision="float16",
    )  # fmt: skip
    rng = np.random.default_rng(0)
    made = 0
    answered = False
    for size in sorted(sizes):
        begun_s = time.perf_counter()
        with pool.writing():
            while made < size:
                count = min(PART_ROWS, size - made)
                write_part(pool, clips, made, count, encoder.prior.embedding_deviation, rng)
                made += count
        written_s = time.perf_counter() - begun_s
        if not answered:
            answer(config, work / "answered", pool, clips)
            answered = True
        for strategy in ("nothing", *STRATEGIES):
            profile = work / "profile"
            shutil.rmtree(profile, ignore_errors=True)
            shutil.copytree(work / "answered", profile)
            command = [sys.executable, "-m", "benchmarks.pool_round", pool.folder, profile]
            done = subprocess.run(
                [*map(str, command), strategy, str(QUESTIONS)],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            row = {"rows": size, "strategy": strategy, "written_s": written_s}
            row |= json.loads(done.stdout.splitlines()[-1])
            print(row, file=sys.stderr, flush=True)
            yield row


def write_part(
    pool: Pool, clips: Clips, first: int, count: int, deviation: Any, rng: np.random.Generator
) -> None:
    chosen = rng.integers(len(clips.names), size=count)
    noise = rng.normal(size=(count, clips.embeddings.shape[1])).astype(np.float32)
    # Stored as real ones are, and read only of what is asked.
    emotions = rng.normal(size=(count, pool.about.emotion_size)).astype(np.float32)
    emotions /= np.linalg.norm(emotions, axis=1, keepdims=True)
    # The name of the file says which clip it was drawn from: its answer is found by it.
    files = [f"/pool/{clip}.wav" for clip in chosen]
    onsets = np.arange(first, first + count, dtype=np.float64)
    rows = {
        "recording": files, "file": files, "onset_s": onsets, "offset_s": onsets + 1.0,
        "channel": [None] * count, "voice": files, "level_dbfs": np.full(count, -20.0),
        "gain_db": np.zeros(count), "snr_db": np.full(count, 30.0),
        "clipped": [False] * count, "trust": np.ones(count),
        "embedding": clips.embeddings[chosen] + NOISE * deviation.astype(np.float32) * noise,
        "emotion_vector": emotions,
    }  # fmt: skip
    pool.write_part(rows, [])


def answer(config: Config, folder: Path, pool: Pool, clips: Clips) -> None:
    """A profile with `ANSWERED` answers, drawn at random."""
    config = config.model_copy(update={"strategy": "random", "profile": str(folder)})
    with closing(Profile(folder)) as profile:
        bind_to_pool(config, profile, pool)
        profile.take_over_or_fail("the benchmark")
        given = []
        for number in ask(config, profile, pool, ANSWERED).utterances:
            clip = int(Path(profile.utterances.get(number).source).stem)
            valence, arousal, dominance = (float(value) for value in clips.affect[clip])
            label = Label(number, valence, arousal, dominance, clips.names[clip], "corpus")
            given.append(label)
        profile.let_go()
        labels.give(profile, given)


def fits(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """By strategy: seconds = factor * rows ** exponent, and 10 million by it."""
    made = []
    for strategy in STRATEGIES:
        own = [row for row in rows if row["strategy"] == strategy]
        if len(own) < 2:
            continue
        x, y = (np.log10([row[name] for row in own]) for name in ("rows", "cpu_s"))
        slope, start = np.polyfit(x, y, 1)
        off = y - (start + slope * x)
        # The fixed cost of a round weighs at the small end: the line of the two largest, too.
        late = (y[-1] - y[-2]) / (x[-1] - x[-2])
        made.append(
            {
                "strategy": strategy,
                "exponent": float(slope),
                "worst_factor": float(10 ** np.abs(off).max()),
                "extrapolated_s": float(10 ** (start + slope * np.log10(EXTRAPOLATED))),
                "late_exponent": float(late),
                "late_extrapolated_s": float(
                    10 ** (y[-1] + late * (np.log10(EXTRAPOLATED) - x[-1]))
                ),
            }
        )
    return made


def cost_table(rows: Sequence[dict[str, Any]], lines: Sequence[dict[str, Any]]) -> str:
    table = [f"{'rows':>10} {'strategy':18} {'s':>8} {'CPU s':>8} {'read MB':>9} {'peak MB':>8}"]
    table += [
        f"{row['rows']:>10,} {row['strategy']:18} {row['seconds']:8.2f} {row['cpu_s']:8.2f} "
        f"{row['read_mb']:9.1f} {row['peak_mb']:8.0f}"
        for row in rows
    ]
    table += [
        f"{one['strategy']:18} CPU s ~ rows ^ {one['exponent']:.2f} (a factor of "
        f"{one['worst_factor']:.2f} off at most); {EXTRAPOLATED:,}: "
        f"{one['extrapolated_s']:,.0f} s; by the last two sizes "
        f"^ {one['late_exponent']:.2f}: {one['late_extrapolated_s']:,.0f} s"
        for one in lines
    ]
    return "\n".join(table)


@dataclass(frozen=True)
class InMemory:
    """A `CandidatePool` of rows of a dataset that are not asked yet."""

    dataset: Dataset
    left: Any

    def __len__(self) -> int:
        return len(self.left)

    def blocks(self) -> Iterator[Candidates]:
        for at in range(0, len(self.left), PART_ROWS):
            numbers = self.left[at : at + PART_ROWS]
            yield Candidates(numbers, self.dataset.features[numbers])

    def sample(self, count: int, rng: np.random.Generator) -> Any:
        chosen = SequentialDraw(len(self), count, rng).of(len(self))
        return self.dataset.features[self.left[chosen]]


def loss(given: argparse.Namespace) -> list[dict[str, Any]]:
    """By strategy and form: CCC after each round, and what the first round has in common."""
    made, seeds = [], given.seeds
    for name in given.compared:
        both: dict[str, list[Any]] = {"exact": [], "by blocks": []}
        shares, times = [], {"exact": 0.0, "by blocks": 0.0}
        for seed in range(seeds):
            dataset, pool, test = drawn(given.cache, seed, given.loss_size)
            firsts = {}
            for form, curves in both.items():
                if name == "random" and form == "exact":
                    continue
                begun_s = time.process_time()
                curve, first = learned(dataset, pool, test, name, form, seed)
                times[form] += (time.process_time() - begun_s) / ROUNDS / seeds
                curves.append(curve)
                firsts[form] = set(first)
            if len(firsts) == 2:
                shares.append(len(firsts["exact"] & firsts["by blocks"]) / BATCH)
        for form, curves in both.items():
            if not curves:
                continue
            mean = np.mean(curves, axis=0)
            area = np.mean(curves, axis=(1, 2))
            made.append(
                {
                    "strategy": name, "form": form, "pool": given.loss_size, "seeds": seeds,
                    "valence": mean[:, 0].tolist(), "arousal": mean[:, 1].tolist(),
                    "area": float(area.mean()),
                    "area_deviation": float(area.std(ddof=1)) if seeds > 1 else 0.0,
                    "common": float(np.mean(shares)) if shares else None,
                    "cpu_s_a_round": times[form],
                }
            )  # fmt: skip
            print(made[-1], file=sys.stderr, flush=True)
    return made


_KEPT: Final[dict[str, Any]] = {}


def drawn(cache: Path, seed: int, size: int) -> tuple[Dataset, Any, Any]:
    """nEMO's clips and noisy copies, the pool's numbers, and those of the voices left out."""
    if "corpus" not in _KEPT:
        _KEPT["corpus"] = with_norms(embedded("nemo", cache))
    corpus = _KEPT["corpus"]
    whole = dataset_of(corpus, np.arange(len(corpus)))
    rng = np.random.default_rng(seed)
    speakers = sorted({clip.speaker for clip in corpus.clips})
    out = set(rng.choice(speakers, 3, replace=False).tolist())
    is_test = np.array([clip.speaker in out for clip in corpus.clips])
    chosen = rng.choice(np.flatnonzero(~is_test), size)
    test = np.flatnonzero(is_test)
    noise = NOISE * rng.normal(size=(size, whole.features.shape[1]))
    every = np.concatenate([chosen, test])
    features = np.concatenate([whole.features[chosen] + noise, whole.features[test]])
    dataset = Dataset(features, whole.affect[every], [whole.emotions[k] for k in every])
    return dataset, np.arange(size), np.arange(size, len(every))


def learned(
    dataset: Dataset, pool: Any, test: Any, name: str, form: str, seed: int
) -> tuple[list[list[float]], list[int]]:
    """CCC of valence and arousal after each round, and the numbers of the first."""
    model, strategy = EvaluatedLearner(dataset), make_strategy(name)
    rng = np.random.default_rng([seed, 1])
    left = pool
    # The first answers are drawn at random, the same ones in both forms.
    asked = np.random.default_rng([seed, 2]).choice(left, BATCH, replace=False).tolist()
    curve, first = [], []
    for turn in range(ROUNDS):
        for number in asked:
            model.learn(int(number))
        left = left[~np.isin(left, asked)]
        means = model.means(test)
        curve.append([ccc(means[:, k], dataset.affect[test, k]) for k in range(2)])
        if turn == ROUNDS - 1:
            break
        rows = len(left) if form == "exact" else None
        more = {} if rows is None else {"joint_rows": rows}
        asked = list(
            choose_from_blocks(
                strategy, InMemory(dataset, left), model.knowledge, BATCH, rng, **more
            ).numbers
        )
        first = first or asked
    return curve, first


def loss_table(rows: Sequence[dict[str, Any]]) -> str:
    table = [
        f"{'strategy':16} {'form':10} {'common':>6} {'area':>14} {'V at end':>8} {'A at end':>8} "
        f"{'CPU s':>7}"
    ]
    for row in rows:
        common = "" if row["common"] is None else f"{row['common']:.0%}"
        table.append(
            f"{row['strategy']:16} {row['form']:10} {common:>6} "
            f"{row['area']:.3f} +- {row['area_deviation']:.3f} {row['valence'][-1]:8.3f} "
            f"{row['arousal'][-1]:8.3f} {row['cpu_s_a_round']:7.2f}"
        )
    return "\n".join(table)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    main()

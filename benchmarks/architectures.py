"""Which student, which objective: every candidate trained alike and probed on the way.

    python -m benchmarks.architectures --cache DIR --runs DIR [--steps 400] [--only NAME ...]

The cache is that of `python -m streamer.training cache`, of both teachers. Candidates hear the same
corpora with the same seed, nEMO and TurEV left out, and are probed by a logistic regression on the
mean and deviation of their blocks (nothing of the log-mel beside them), speakers held out. Seconds
are those of the processor, so that a busy machine matters less. A run that was stopped goes on, and
a row replaces the row of that name in --out.
"""

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.loop import RESULTS, machine
from streamer.training.data.speech import RATE_HZ
from streamer.training.data.targets import Cache
from streamer.training.export.pooling import clip_vectors
from streamer.training.export.probe import probe_uar
from streamer.training.student.distill import Run, new_student
from streamer.training.student.logmel import HOP, LogMel
from streamer.training.student.network import StudentShape, pooled
from streamer.training.student.raw_network import RawShape, RawStudent
from streamer.training.student.recipe import RAW_HINTS, Recipe

LEFT_OUT = ("nemo", "turev")
HEARD = ("ravdess", "urdu")
FOLDS = {"ravdess": 6, "urdu": 5, "nemo": 9, "turev": 6}
MOST_CLIPS = 720
FAST = StudentShape(position_kernel=39, strides=(1, 2, 1))
WIDE = StudentShape(channels=320, layers=2, heads=5)
WIDE_HINTS = ((0, "tiny", 0, 384), (1, "tiny", 384, 384))
CANDIDATES: dict[str, dict[str, Any]] = {
    "log-mel 25/s, distilled": {},
    "raw waveform 25/s, distilled": {"shape": RawShape(), "hints": RAW_HINTS},
    "log-mel 25/s, masked alone": {"hints": (), "masked": 1.0},
    "log-mel 25/s, distilled and masked": {"masked": 0.2},
    "log-mel 50/s, distilled": {"shape": FAST},
    "log-mel 25/s, 2 blocks of 320, distilled": {"shape": WIDE, "hints": WIDE_HINTS},
    "log-mel 25/s, layer 2 only": {"hints": ((2, "tiny", 384, 384),)},
    "raw waveform 25/s, masked alone": {"shape": RawShape(), "hints": (), "masked": 1.0},
}


class Pooled(nn.Module):
    """audio [1, samples] -> pooled blocks, the log-mel inside where the student takes one."""

    def __init__(self, shape: StudentShape) -> None:
        super().__init__()
        self.student, self.front = new_student(shape), LogMel()

    def forward(self, audio: Tensor) -> Tensor:
        samples = torch.full((1,), audio.shape[1])
        if isinstance(self.student, RawStudent):
            hidden, mask = self.student(audio, samples)
        else:
            hidden, mask = self.student(self.front(audio)[:, :-1], samples // HOP)
        return torch.cat([pooled(x, mask) for x in hidden], dim=1)


@torch.no_grad()
def latency_ms(shape: StudentShape, seconds: float = 3.0, runs: int = 30) -> float:
    """Median over runs of torch on one thread, processor time."""
    model, times = Pooled(shape).eval(), []
    audio = 0.1 * torch.randn(1, round(seconds * RATE_HZ))
    for _ in range(runs):
        begun_s = time.process_time()
        model(audio)
        times.append(time.process_time() - begun_s)
    return 1000.0 * statistics.median(times)


def chosen(cache: Cache, corpus: str) -> list[int]:
    """The corpus's labelled clips, thinned evenly to so many at most."""
    own = [i for i, c in enumerate(cache.clips) if c.corpus == corpus and c.emotion]
    return own[:: -(-len(own) // MOST_CLIPS)]


def probes(run: Run, cache: Cache, corpora: tuple[str, ...]) -> dict[str, float]:
    """Speaker-independent UAR of the averaged student on each corpus."""
    figures = {}
    for corpus in corpora:
        kept = chosen(cache, corpus)
        student = run.average.student
        blocks = 2 * student.shape.layers * student.shape.channels
        vectors = clip_vectors(student, cache, kept)[:, :blocks]
        rows = [cache.clips[i] for i in kept]
        figures[corpus] = round(probe_uar(vectors, rows, FOLDS[corpus]), 3)
    return figures


def references(cache: Cache) -> list[dict[str, Any]]:
    """The same probe on what a student is measured against: mel statistics, and the teacher."""
    mel, tiny = cache.mel(), cache.teacher("tiny")
    rows = []
    for name, stored, each, columns in (
        ("mel statistics", mel, len(mel) // len(tiny), slice(None)),
        ("teacher, Whisper tiny.en block 2", tiny, 1, slice(384, 768)),
    ):
        figures = {}
        for corpus in (*HEARD, *LEFT_OUT):
            kept = chosen(cache, corpus)
            bounds = [(cache.offsets[i] * each, cache.offsets[i + 1] * each) for i in kept]
            clips = [stored[start:end, columns].astype(np.float32) for start, end in bounds]
            vectors = np.stack([np.concatenate([x.mean(0), x.std(0)]) for x in clips])
            labelled = [cache.clips[i] for i in kept]
            figures[corpus] = round(probe_uar(vectors, labelled, FOLDS[corpus]), 3)
        rows.append({"reference": name, "uar": figures})
    return rows


def train_one(
    name: str, changes: dict[str, Any], cache: Cache, folder: Path, options: argparse.Namespace
) -> dict[str, Any]:
    """Train one candidate to the end, or on to it; its row of the table."""
    recipe = Recipe(
        **{"skip": LEFT_OUT, "steps": options.steps, "seed": options.seed}
        | {"batch": options.batch, "warmup": options.steps // 10}
        | changes
    )
    folder.mkdir(parents=True, exist_ok=True)
    run, checkpoint, log = Run(recipe, cache), folder / "checkpoint.pt", folder / "log.jsonl"
    rows = []
    if checkpoint.is_file():
        run.restore(checkpoint)
        rows = [json.loads(line) for line in log.read_text().splitlines()]
        rows = [row for row in rows if row["step"] <= run.step]
    spent_s = rows[-1]["cpu_s"] if rows else 0.0
    while run.step < recipe.steps:
        begun_s = time.process_time()
        losses = [run.advance() for _ in range(min(options.every, recipe.steps - run.step))]
        spent_s += time.process_time() - begun_s
        row: dict[str, Any] = {"step": run.step, "cpu_s": round(spent_s, 1)}
        row |= {key: round(sum(x[key] for x in losses) / len(losses), 4) for key in losses[0]}
        corpora = HEARD if run.step < recipe.steps else (*HEARD, *LEFT_OUT)
        row["uar"] = probes(run, cache, corpora)
        rows.append(row)
        log.write_text("".join(json.dumps(each) + "\n" for each in rows))
        run.save(checkpoint)
        print(name, json.dumps(row), flush=True)
    return {
        "candidate": name,
        "parameters": sum(p.numel() for p in run.model.student.parameters()),
        "ms_for_3_s": round(latency_ms(recipe.shape), 1),
        "steps": recipe.steps,
        "crops_a_step": recipe.batch,
        "s_a_step": round(spent_s / recipe.steps, 2),
        "probes": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--runs", type=Path, required=True, help="folder of checkpoints")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch", type=int, default=16, help="crops of 2.56 s a step")
    parser.add_argument("--every", type=int, default=100, help="probe after so many steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=list(CANDIDATES), default=list(CANDIDATES))
    parser.add_argument("--out", type=Path, default=RESULTS / "architectures.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cache = Cache.open(options.cache)
    table = json.loads(options.out.read_text()) if options.out.is_file() else {}
    table.setdefault("machine", machine())
    if "references" not in table:
        table["references"] = references(cache)
        options.out.write_text(json.dumps(table, indent=1) + "\n")
    for name in options.only:
        folder = options.runs / name.replace("/", " per ").replace(",", "").replace(" ", "-")
        row = train_one(name, CANDIDATES[name], cache, folder, options)
        others = [r for r in table.get("candidates", []) if r["candidate"] != name]
        table["candidates"] = [*others, row]
        options.out.write_text(json.dumps(table, indent=1) + "\n")
    for row in (*table["references"], *table["candidates"]):
        print(json.dumps(row))


if __name__ == "__main__":
    main()

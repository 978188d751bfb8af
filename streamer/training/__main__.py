"""Train the small encoder, look at it, ship it.

    python -m streamer.training cache   --speech DIR --teacher tiny=WEIGHTS.npz --cache DIR
    python -m streamer.training distill --cache DIR --run DIR
    python -m streamer.training export  --cache DIR --run DIR --models DIR
    python -m streamer.training probe   --encoder FILE.onnx --speech DIR

cache    log-mel and the teacher's answers for every clip, once (2 GB for 10 hours)
distill  a student learns to answer as the teacher does; stop it whenever you like, the same
         command goes on from the last checkpoint; log.jsonl has its losses and probes
export   checkpoint to ONNX, prior and manifest row
probe    the figures of an exported encoder, a JSON line each
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch

from streamer.training.distill import Recipe, Run, train
from streamer.training.measure import print_measurements
from streamer.training.probe import probe_uar
from streamer.training.publish import Projections, cached_vectors, publish
from streamer.training.targets import Cache, write_mel, write_teacher
from streamer.training.teacher import WhisperTeacher

SHARES = (
    ("ravdess", 1.0),
    ("tess", 0.7),
    ("nemo", 1.2),
    ("turev", 0.6),
    ("baved", 0.6),
    ("urdu", 0.5),
    ("plain_resemblyzer", 1.2),
    ("plain_picovoice_s2i", 1.2),
    ("fsdd", 0.15),
)


def main() -> None:
    args = _parser().parse_args()
    torch.set_num_threads(args.threads)
    args.verb(args)


def cache(args: argparse.Namespace) -> None:
    if not (args.cache / "clips.json").is_file():
        write_mel(args.speech, args.cache)
    for given in args.teacher:
        name, _, weights = given.partition("=")
        if not weights:
            raise SystemExit(f"--teacher {given}: give it as NAME=WEIGHTS.npz")
        layers = [int(layer) for layer in args.layers.split(",")]
        write_teacher(args.cache, name, WhisperTeacher(Path(weights), max(layers)), layers)


def distill(args: argparse.Namespace) -> None:
    stored = Cache.open(args.cache)
    recipe = Recipe(skip=tuple(args.skip), weights=SHARES, steps=args.steps, seed=args.seed)
    args.run.mkdir(parents=True, exist_ok=True)
    run, checkpoint, log = Run(recipe, stored), args.run / "checkpoint.pt", args.run / "log.jsonl"
    if checkpoint.is_file():
        run.restore(checkpoint)
        print(f"going on from step {run.step} of {args.steps}")
    for step in train(run, checkpoint, log, args.save_every):
        row = {"step": step, **_probe_run(run, stored, args.probe)}
        print(json.dumps(row), flush=True)
        with log.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")


def _probe_run(run: Run, stored: Cache, corpora: list[str]) -> dict[str, float]:
    """Speaker-independent UAR of the averaged student's raw vectors, on corpora of the cache."""
    figures = {}
    for corpus in corpora:
        kept = [i for i, c in enumerate(stored.clips) if c.corpus == corpus and c.emotion]
        if kept:
            vectors = cached_vectors(run.average.student, stored, kept)
            figures[corpus] = round(probe_uar(vectors, [stored.clips[i] for i in kept]), 4)
    return figures


def export(args: argparse.Namespace) -> None:
    checkpoint, stored = args.run / "checkpoint.pt", Cache.open(args.cache)
    row = publish(checkpoint, stored, args.models, args.name, Projections(), frozenset(args.skip))
    print(json.dumps(row, indent=1))


def probe(args: argparse.Namespace) -> None:
    print_measurements(args.encoder, args.speech, frozenset(args.corpora))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m streamer.training",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--threads", type=int, default=1, help="torch threads (default 1)")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("cache", help="log-mel and teacher's answers for every clip")
    verb.set_defaults(verb=cache)
    verb.add_argument("--speech", type=Path, required=True, help="packed corpora, or any folder")
    verb.add_argument("--cache", type=Path, required=True, help="folder to make")
    verb.add_argument("--teacher", nargs="+", required=True, metavar="NAME=WEIGHTS.npz")
    verb.add_argument("--layers", default="1,2,3", help="teacher's blocks, from 1 (default 1,2,3)")

    verb = verbs.add_parser("distill", help="train a student; goes on from its checkpoint")
    verb.set_defaults(verb=distill)
    verb.add_argument("--cache", type=Path, required=True)
    verb.add_argument("--run", type=Path, required=True, help="folder of checkpoint and log")
    verb.add_argument("--steps", type=int, default=4200, help="of 16 crops of 2.56 s each")
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--skip", nargs="*", default=[], metavar="CORPUS", help="leave these out")
    verb.add_argument("--save-every", type=int, default=500, metavar="STEPS")
    verb.add_argument("--probe", nargs="*", default=["ravdess"], metavar="CORPUS")

    verb = verbs.add_parser("export", help="checkpoint to ONNX, prior and manifest row")
    verb.set_defaults(verb=export)
    verb.add_argument("--cache", type=Path, required=True)
    verb.add_argument("--run", type=Path, required=True)
    verb.add_argument("--models", type=Path, required=True, help="folder of manifest.toml")
    verb.add_argument("--name", default="streamer-small")
    verb.add_argument("--skip", nargs="*", default=[], metavar="CORPUS")

    verb = verbs.add_parser("probe", help="figures of an exported encoder")
    verb.set_defaults(verb=probe)
    verb.add_argument("--encoder", type=Path, required=True)
    verb.add_argument("--speech", type=Path, required=True, help="packed corpora")
    verb.add_argument("--corpora", nargs="+", default=["ravdess", "urdu", "nemo", "turev", "tess"])
    return parser


if __name__ == "__main__":
    main()

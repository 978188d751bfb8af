"""Train, measure and export the small encoder.

    python -m streamer.training cache   --speech DIR --teacher tiny=WEIGHTS.npz --cache DIR
    python -m streamer.training distill --cache DIR --run DIR
    python -m streamer.training tapt    --speech DIR --run DIR --from RUN/checkpoint.pt
    python -m streamer.training head    --cache DIR --run DIR
    python -m streamer.training export  --cache DIR --run DIR --models DIR
    python -m streamer.training prior   --speech DIR --models DIR
    python -m streamer.training probe   --encoder FILE.onnx --speech DIR

cache    log-mel and the teacher's outputs for every clip, once (2 GB for 10 hours)
distill  train a student on the teacher's outputs; the same command resumes from the last
         checkpoint; log.jsonl has its losses and probes
tapt     adapt a student to any folder of recordings, without labels or teacher
head     the map to emotion vectors, chosen on emotions and speakers left out; without it the
         export makes one without labels
export   checkpoint to ONNX, prior and manifest row
prior    fit the prior of an encoder of the manifest anew, with prototypes of the emotions
probe    the figures of an exported encoder, a JSON line each
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from tempfile import gettempdir

import torch

from streamer.training.data.copies import COPIES
from streamer.training.data.targets import Cache, write_audio, write_mel, write_teacher
from streamer.training.data.teacher import WhisperTeacher
from streamer.training.export.measure import print_measurements
from streamer.training.export.onnx import sha256
from streamer.training.export.probe import probe_uar
from streamer.training.export.publish import (
    HEAD_FILE,
    Projections,
    cached_vectors,
    head_candidates,
    publish,
)
from streamer.training.export.voices import print_prior
from streamer.training.head.choice import evaluate_candidates, make_head, save_head
from streamer.training.head.head import HeadRecipe
from streamer.training.student.distill import Run, train
from streamer.training.student.network import StudentShape
from streamer.training.student.pooling import clip_vectors
from streamer.training.student.raw_network import RawShape, RawStudent
from streamer.training.student.recipe import SHARES, Recipe
from streamer.training.student.tapt import ANCHOR, adapt

TIE = 0.01


def main() -> None:
    args = _parser().parse_args()
    torch.set_num_threads(args.threads)
    args.verb(args)


def cache(args: argparse.Namespace) -> None:
    if not (args.cache / "clips.json").is_file():
        write_mel(args.speech, args.cache, copies=args.copies)
    if args.audio and not (args.cache / "audio.i16").is_file():
        write_audio(args.speech, args.cache, copies=args.copies)
    for given in args.teacher:
        name, _, weights = given.partition("=")
        if not weights:
            raise SystemExit(f"--teacher {given}: give it as NAME=WEIGHTS.npz")
        layers = [int(layer) for layer in args.layers.split(",")]
        write_teacher(args.cache, name, WhisperTeacher(Path(weights), max(layers)), layers)


def distill(args: argparse.Namespace) -> None:
    stored = Cache.open(args.cache)
    recipe = Recipe(
        shape=RawShape() if args.front == "raw" else StudentShape(),
        skip=tuple(args.skip),
        weights=SHARES,
        steps=args.steps,
        seed=args.seed,
        masked=args.masked,
    )
    args.run.mkdir(parents=True, exist_ok=True)
    run, checkpoint, log = Run(recipe, stored), args.run / "checkpoint.pt", args.run / "log.jsonl"
    if checkpoint.is_file():
        run.restore(checkpoint)
        print(f"resuming from step {run.step} of {args.steps}")
    for step in train(run, checkpoint, log, args.save_every):
        row = {"step": step, **_probe_run(run, stored, args.probe)}
        print(json.dumps(row), flush=True)
        with log.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(row) + "\n")


def _probe_run(run: Run, stored: Cache, corpora: list[str]) -> dict[str, float]:
    """Speaker-independent UAR of the averaged student's raw vectors, on the cached corpora."""
    student, figures = run.average.student, {}
    vectors_of = clip_vectors if isinstance(student, RawStudent) else cached_vectors
    for corpus in corpora:
        kept = [i for i, c in enumerate(stored.clips) if c.corpus == corpus and c.emotion]
        if kept:
            vectors = vectors_of(student, stored, kept)
            figures[corpus] = round(probe_uar(vectors, [stored.clips[i] for i in kept]), 4)
    return figures


def tapt(args: argparse.Namespace) -> None:
    args.run.mkdir(parents=True, exist_ok=True)
    for step in adapt(
        args.speech, args.run, args.start, args.steps, args.seed, args.anchor, args.save_every
    ):
        print(json.dumps({"step": step, "of": args.steps}), flush=True)


def head(args: argparse.Namespace) -> None:
    checkpoint, stored = args.run / "checkpoint.pt", Cache.open(args.cache)
    tried, clips = head_candidates(checkpoint, stored, frozenset(args.skip), HeadRecipe())
    worth = {}
    for candidate, figures in evaluate_candidates(tried, clips, args.seed):
        worth[candidate] = sum(figures.values())
        print(json.dumps({"head": candidate.name, **figures}), flush=True)
    # Candidates come from simple to trained: of those that are nearly as good, the simplest.
    best = next(c for c, sum_of_both in worth.items() if sum_of_both > max(worth.values()) - TIE)
    save_head(make_head(best, clips, sha256(checkpoint), args.skip), args.run / HEAD_FILE)
    print(json.dumps({"kept": best.name}))


def export(args: argparse.Namespace) -> None:
    checkpoint, stored = args.run / "checkpoint.pt", Cache.open(args.cache)
    row = publish(checkpoint, stored, args.models, args.name, Projections(), frozenset(args.skip))
    print(json.dumps(row, indent=1))


def prior(args: argparse.Namespace) -> None:
    cache = args.cache or Path(gettempdir()) / f"streamer-{args.name}-labelled.npz"
    print_prior(args.models, args.name, args.speech, cache, args.without, args.out)


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

    verb.add_argument("--audio", action="store_true", help="samples too, for --front raw")
    verb.add_argument(
        "--copies",
        nargs="*",
        choices=COPIES,
        default=["speed"],
        help="of every clip, at another speed, pitch or tempo, by 8 to 20 %% (default: speed)",
    )

    verb = verbs.add_parser("distill", help="train a student; resumes from its checkpoint")
    verb.set_defaults(verb=distill)
    verb.add_argument("--cache", type=Path, required=True)
    verb.add_argument("--run", type=Path, required=True, help="folder of checkpoint and log")
    verb.add_argument("--steps", type=int, default=4200, help="of 16 crops of 2.56 s each")
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--skip", nargs="*", default=[], metavar="CORPUS", help="leave these out")
    verb.add_argument("--save-every", type=int, default=500, metavar="STEPS")
    verb.add_argument("--probe", nargs="*", default=["ravdess"], metavar="CORPUS")
    verb.add_argument("--front", choices=["log-mel", "raw"], default="log-mel")
    verb.add_argument("--masked", type=float, default=0.0, metavar="WEIGHT", help="(default 0)")

    verb = verbs.add_parser("tapt", help="adapt a student to a folder of recordings")
    verb.set_defaults(verb=tapt)
    verb.add_argument("--speech", type=Path, required=True, help="any folder of audio")
    verb.add_argument("--run", type=Path, required=True, help="folder of cache, checkpoint, log")
    verb.add_argument("--from", type=Path, dest="start", metavar="CHECKPOINT")
    verb.add_argument("--steps", type=int, default=500)
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--anchor", type=float, default=ANCHOR, help="0: free to forget")
    verb.add_argument("--save-every", type=int, default=100, metavar="STEPS")

    verb = verbs.add_parser("head", help="choose and keep the map to emotion vectors")
    verb.set_defaults(verb=head)
    verb.add_argument("--cache", type=Path, required=True)
    verb.add_argument("--run", type=Path, required=True, help="folder of the checkpoint")
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--skip", nargs="*", default=[], metavar="CORPUS", help="leave these out")

    verb = verbs.add_parser("export", help="checkpoint to ONNX, prior and manifest row")
    verb.set_defaults(verb=export)
    verb.add_argument("--cache", type=Path, required=True)
    verb.add_argument("--run", type=Path, required=True)
    verb.add_argument("--models", type=Path, required=True, help="folder of manifest.toml")
    verb.add_argument("--name", default="streamer-small")
    verb.add_argument("--skip", nargs="*", default=[], metavar="CORPUS")

    verb = verbs.add_parser("prior", help="fit an encoder's prior anew")
    verb.set_defaults(verb=prior)
    verb.add_argument("--speech", type=Path, required=True, help="packed corpora")
    verb.add_argument("--models", type=Path, required=True, help="folder of manifest.toml")
    verb.add_argument("--name", default="streamer-small")
    verb.add_argument("--cache", type=Path, help="npz of the vectors (default: a temporary one)")
    verb.add_argument("--without", nargs="*", default=[], metavar="CORPUS")
    verb.add_argument("--out", type=Path, help="write only this file, not the manifest's")

    verb = verbs.add_parser("probe", help="figures of an exported encoder")
    verb.set_defaults(verb=probe)
    verb.add_argument("--encoder", type=Path, required=True)
    verb.add_argument("--speech", type=Path, required=True, help="packed corpora")
    verb.add_argument("--corpora", nargs="+", default=["ravdess", "urdu", "nemo", "turev", "tess"])
    return parser


if __name__ == "__main__":
    main()

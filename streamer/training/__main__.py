"""Train, measure and export the small encoder.

    python -m streamer.training cache   --speech DIR --teacher tiny=FILE.npz:1,2 --cache DIR
    python -m streamer.training imitate --cache DIR --run DIR --log-mel FILE.onnx
    python -m streamer.training distill --cache DIR --run DIR
    python -m streamer.training tapt    --speech DIR --run DIR --from RUN/checkpoint.pt
    python -m streamer.training head    --cache DIR --run DIR
    python -m streamer.training export  --cache DIR --run DIR --models DIR
    python -m streamer.training prior   --speech DIR --models DIR
    python -m streamer.training probe   --encoder FILE.onnx --speech DIR

cache    samples, log-mel and the teachers' outputs for every clip, once (1 GB an hour with copies)
imitate  train the feature encoder of a raw student to give the features of a log-mel student, and
         copy that one's context network; writes the checkpoint that distill starts from
distill  train a student on the teachers' outputs; the same command resumes from the last
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
from streamer.training.data.wave_augment import Recordings, WaveAugmentation
from streamer.training.export.measure import print_measurements
from streamer.training.export.onnx import sha256
from streamer.training.export.pooling import clip_vectors
from streamer.training.export.probe import probe_uar
from streamer.training.export.publish import (
    HEAD_FILE,
    Projections,
    head_candidates,
    publish,
)
from streamer.training.export.voices import print_prior
from streamer.training.head.choice import evaluate_candidates, make_head, save_head
from streamer.training.head.head import HeadRecipe
from streamer.training.student.distill import Run, train
from streamer.training.student.imitation import imitate as imitated
from streamer.training.student.imitation import start_from
from streamer.training.student.network import StudentShape
from streamer.training.student.raw_network import RawShape, RawStudent
from streamer.training.student.recipe import HINTS, RAW_HINTS, Recipe
from streamer.training.student.shipped import read_student
from streamer.training.student.tapt import ANCHOR, adapt

TIE = 0.01
START_FILE = "start.pt"


def main() -> None:
    args = _parser().parse_args()
    torch.set_num_threads(args.threads)
    args.verb(args)


def cache(args: argparse.Namespace) -> None:
    if not (args.cache / "clips.json").is_file():
        write_mel(args.speech, args.cache, copies=args.copies)
    if not (args.cache / "audio.i16").is_file():
        write_audio(args.speech, args.cache, copies=args.copies)
    for given in args.teacher:
        name, _, source = given.partition("=")
        weights, _, blocks = source.rpartition(":")
        try:
            layers = [int(layer) for layer in blocks.split(",")]
        except ValueError:
            raise SystemExit(f"--teacher {given}: give it as NAME=WEIGHTS.npz:1,2") from None
        write_teacher(args.cache, name, WhisperTeacher(Path(weights), max(layers)), layers)


def imitate(args: argparse.Namespace) -> None:
    stored, teacher = Cache.open(args.cache), read_student(args.log_mel)
    torch.manual_seed(args.seed)
    student = RawStudent(RawShape())
    start_from(teacher, student)
    recipe = Recipe(skip=tuple(args.skip), steps=args.steps, seed=args.seed, warmup=100)
    args.run.mkdir(parents=True, exist_ok=True)
    augment = WaveAugmentation(recordings=recordings(args.noise))
    for step, loss in imitated(teacher, student, stored, recipe, augment):
        print(json.dumps({"step": step, "loss": round(loss, 5)}), flush=True)
    torch.save(student.state_dict(), args.run / START_FILE)


def recordings(folder: Path | None) -> Recordings:
    return Recordings.read(folder) if folder else Recordings()


def distill(args: argparse.Namespace) -> None:
    stored, raw = Cache.open(args.cache), args.front == "raw"
    recipe = Recipe(
        shape=RawShape() if raw else StudentShape(),
        hints=RAW_HINTS if raw else HINTS,
        skip=tuple(args.skip),
        steps=args.steps,
        rate=args.rate,
        heads_first=args.heads_first,
        context_rate=args.context_rate,
        seed=args.seed,
        masked=args.masked,
    )
    args.run.mkdir(parents=True, exist_ok=True)
    checkpoint, log, start = (
        args.run / name for name in ("checkpoint.pt", "log.jsonl", START_FILE)
    )
    weights = torch.load(start, weights_only=True) if start.is_file() else None
    run = Run(recipe, stored, weights, WaveAugmentation(recordings=recordings(args.noise)))
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
    for corpus in corpora:
        kept = [i for i, c in enumerate(stored.clips) if c.corpus == corpus and c.emotion]
        if kept:
            vectors = clip_vectors(student, stored, kept)
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
    verb.add_argument(
        "--teacher", nargs="+", required=True, metavar="NAME=WEIGHTS.npz:BLOCKS",
        help="a teacher's blocks count from 1: tiny=FILE.npz:1,2 base=FILE.npz:2,3",
    )  # fmt: skip
    verb.add_argument(
        "--copies",
        nargs="*",
        choices=COPIES,
        default=["speed"],
        help="of every clip, at another speed, pitch or tempo, by 8 to 20 %% (default: speed)",
    )

    verb = verbs.add_parser("imitate", help="begin a raw student with a log-mel student's weights")
    verb.set_defaults(verb=imitate)
    verb.add_argument("--cache", type=Path, required=True)
    verb.add_argument("--run", type=Path, required=True, help="folder of what distill starts from")
    verb.add_argument("--log-mel", type=Path, required=True, metavar="FILE.onnx")
    verb.add_argument("--steps", type=int, default=3600)
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--skip", nargs="*", default=[], metavar="CORPUS", help="leave these out")
    verb.add_argument("--noise", type=Path, help="folder of noises.opus and rirs_16k.npz")

    verb = verbs.add_parser("distill", help="train a student; goes on from its checkpoint")
    verb.set_defaults(verb=distill)
    verb.add_argument("--cache", type=Path, required=True)
    verb.add_argument("--run", type=Path, required=True, help="folder of checkpoint and log")
    verb.add_argument("--steps", type=int, default=4200, help="of 46 s of sound each")
    verb.add_argument("--seed", type=int, default=0)
    verb.add_argument("--skip", nargs="*", default=[], metavar="CORPUS", help="leave these out")
    verb.add_argument("--save-every", type=int, default=500, metavar="STEPS")
    verb.add_argument("--probe", nargs="*", default=["ravdess"], metavar="CORPUS")
    verb.add_argument("--front", choices=["log-mel", "raw"], default="raw")
    verb.add_argument("--rate", type=float, default=Recipe().rate)
    verb.add_argument("--heads-first", type=int, default=0, metavar="STEPS")
    verb.add_argument("--context-rate", type=float, default=1.0, metavar="PART")
    verb.add_argument("--noise", type=Path, help="folder of noises.opus and rirs_16k.npz")
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

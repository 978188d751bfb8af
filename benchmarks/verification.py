"""New emotions from a few enrolled clips: which map, which loss, which margin, how many clips.

    python -m benchmarks.verification TABLE ... --cache DIR --run DIR [--seeds 2] [--out DIR]

    maps       in closed form, label-free and within; teacher and mel; 1 to 20 enrolled clips
    margins    m of the angular margin prototypical loss from -0.4 to 0.3
    losses     the eight of streamer/training/losses.py
    heads      trained: linear, with a hidden layer, GRU and transformer on frames
    iemocap    Li and Lee's own protocol on 47 functionals (needs neither --cache nor --run)
    forms      there, equation 4 as printed and as an angle, m fixed and learned (neither too)

The cache is that of `python -m streamer.training cache`, the run's checkpoint that of `distill`.
Every figure is a mean UAR over disgust, fear and surprise on RAVDESS and fear and surprise on nEMO
against neutral, 10 enrolled unless said. The emotion's clips are taken out of every corpus before
anything is fitted, and so are the tested speakers (protocol "speakers") or the whole tested corpus
(protocol "corpus"). Speakers' mean vectors are taken out, except in the columns named plain. A seed
draws the halves of speakers, the episodes and the enrolled clips.
"""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.iemocap_dyads import iemocap_rows, margin_rows
from benchmarks.loop import RESULTS, machine
from benchmarks.verification_maps import Material, OnFrames, open_material
from streamer.training.head.head import HeadRecipe
from streamer.training.head.maps import ClosedForm, Trained
from streamer.training.head.trials import UNSEEN, Fit, run_trial
from streamer.training.student.losses import LOSSES

PROTOCOLS = ("speakers", "corpus")
ENROLLED = (1, 3, 5, 10, 20)
MARGINS = (-0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.2, 0.3)
STEPS, EVERY = 100, 25
RATE = 2e-3
FRAME_STEPS = 150

Row = dict[str, Any]
FitOf = Callable[[int], Fit]
"""A seed -> how to make the map."""


def measure(
    name: str, fit_of: FitOf, material: Material, seeds: int, **shown: Any
) -> Iterator[Row]:
    """A row a protocol: mean and deviation over seeds, and the mean of each trial."""
    for protocol in PROTOCOLS:
        outcomes = [
            [run_trial(fit_of(seed), material.clips, t, protocol, seed, ENROLLED) for t in UNSEEN]
            for seed in range(seeds)
        ]
        centred = np.array([[o.centred[10] for o in row] for row in outcomes])
        plain = np.array([[o.plain[10] for o in row] for row in outcomes])
        row = {
            "map": name,
            **shown,
            "protocol": protocol,
            "uar": round(float(centred.mean()), 4),
            "deviation": round(float(centred.mean(axis=1).std()), 4),
            "plain": round(float(plain.mean()), 4),
        }
        for trial, value in zip(UNSEEN, centred.mean(axis=0), strict=True):
            row[f"{trial.corpus} {trial.emotion}"] = round(float(value), 3)
        for count in ENROLLED:
            values = [o.centred[count] for row in outcomes for o in row]
            row[f"enrolled {count}"] = round(float(np.mean(values)), 4)
        yield row


def maps(material: Material, seeds: int) -> Iterator[Row]:
    closed_forms = ("label-free", material.label_free), ("within", material.within)
    for name, fit in (*closed_forms, *material.references()):
        yield from measure(name, always(fit), material, seeds)


def margins(material: Material, seeds: int) -> Iterator[Row]:
    for margin in MARGINS:
        recipe = HeadRecipe("negative-margin", margin, steps=STEPS, rate=RATE)
        yield from trained(material.label_free, recipe, material, seeds, margin=margin)


def losses(material: Material, seeds: int) -> Iterator[Row]:
    for loss in LOSSES:
        recipe = HeadRecipe(loss, steps=STEPS, rate=RATE)
        yield from trained(material.label_free, recipe, material, seeds, loss=loss)


def heads(material: Material, seeds: int) -> Iterator[Row]:
    linear = HeadRecipe(steps=STEPS, rate=RATE)
    yield from trained(material.within, linear, material, seeds, base="within", hidden=0)
    hidden = HeadRecipe(hidden=256, steps=STEPS, rate=RATE)
    yield from trained(material.within, hidden, material, seeds, base="within", hidden=256)
    recipe = HeadRecipe(steps=FRAME_STEPS, rate=1e-3)
    on_frames = [OnFrames(material, replace(recipe, seed=seed)) for seed in range(seeds)]
    yield from measure("GRU + transformer", on_frames.__getitem__, material, seeds)


def trained(
    start: ClosedForm, recipe: HeadRecipe, material: Material, seeds: int, **shown: Any
) -> Iterator[Row]:
    """A head early and late in its training."""
    made = [Trained(start, replace(recipe, seed=seed), EVERY) for seed in range(seeds)]
    for step in (EVERY, STEPS):
        fits = [head.at(step) for head in made]
        yield from measure("trained", fits.__getitem__, material, seeds, steps=step, **shown)


def always(fit: Fit) -> FitOf:
    """For maps that are the same for every seed."""
    return lambda seed: fit


def printed(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(row.get(n, "")) for n in names) + " |" for row in rows]
    return "\n".join(lines)


TABLES = {"maps": maps, "margins": margins, "losses": losses, "heads": heads}
ALONE = {"iemocap": iemocap_rows, "forms": margin_rows}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tables", nargs="+", choices=[*TABLES, *ALONE], metavar="TABLE")
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="DIR")
    args = parser.parse_args()
    about: dict[str, Any] = {"machine": machine(), "seeds": args.seeds}
    material: Material | None = None
    if not set(args.tables) <= set(ALONE):
        if not (args.cache and args.run):
            parser.error(f"give --cache and --run: only {' and '.join(ALONE)} need neither")
        material = open_material(args.cache, args.run)
        about["checkpoint"] = material.checkpoint
    for table in args.tables:
        made = (
            ALONE[table](args.seeds)
            if table in ALONE or material is None
            else TABLES[table](material, args.seeds)
        )
        rows = []
        for row in made:
            rows.append(row)
            print(json.dumps(row), flush=True)
        kept = json.dumps(about | {"table": table, "rows": rows}, indent=1)
        (args.out / f"verification_{table}.json").write_text(kept + "\n")
        print(printed(rows), flush=True)


if __name__ == "__main__":
    main()

"""What several people's votes are worth: the part of AFTER that CREMA-D's counts can test.

The corpus's audio is not at hand, and its counts do not say who voted. So no annotator has a model
here, and the individual and mixed uncertainties, which rest on those, cannot be tested. What can:

- which soft label predicts what others will say: some votes of each clip are seen, the rest is held
  out, and its cross-entropy under each label is measured;
- which clips to ask about again: of 3 votes each, a fifth of the clips gets 3 more, chosen at
  random, by the entropy of the votes (group uncertainty, every vote being an annotator's model), or
  by their variance; the better choice brings the labels of all clips nearer to the held-out votes.
"""

import csv
import gzip
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.evaluation.significance import compare
from streamer.learners.annotators import group_uncertainty, soft_labels, vote_variance
from streamer.types import Matrix, Vector

CODES: Final = "ADFHNS"
SEEN: Final = 3
MORE: Final = 3
PART: Final = 0.2
_FLOOR: Final = 1e-3


def read_votes(path: Path, modality: str = "voice") -> Matrix:
    """Counts of each emotion, [clips, 6], of clips with at least 3 votes more than are seen."""
    with gzip.open(path, "rt", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["modality"] == modality]
    counts = np.array([[float(row[code]) for code in CODES] for row in rows])
    return counts[counts.sum(axis=1) >= SEEN + MORE + 3]


def one_by_one(counts: Matrix, rng: np.random.Generator) -> NDArray[np.intp]:
    """The votes of each clip in a random order, [clips, most], -1 where there is none left."""
    most = int(counts.sum(axis=1).max())
    votes = np.full((len(counts), most), -1, np.intp)
    for row, own in zip(votes, counts, strict=True):
        given = np.repeat(np.arange(len(own)), own.astype(int))
        row[: len(given)] = rng.permutation(given)
    return votes


def counted(votes: NDArray[np.intp]) -> Matrix:
    """Counts [clips, 6] of votes [clips, m]."""
    return np.stack([(votes == k).sum(axis=1) for k in range(len(CODES))], axis=1).astype(float)


def cross_entropy(labels: Matrix, held_out: Matrix) -> float:
    """Nats a held-out vote, under labels that leave a thousandth to the unforeseen."""
    floored = (1.0 - _FLOOR) * labels + _FLOOR / labels.shape[1]
    return float(-(held_out * np.log(floored)).sum() / held_out.sum())


def labels_of(seen: Matrix) -> dict[str, Matrix]:
    """Ways to make a label of the votes seen so far."""
    usual = seen.sum(axis=0) / seen.sum()
    majority = np.eye(seen.shape[1])[seen.argmax(axis=1)]
    smoothed = {
        f"soft, {weight} votes of what is usual": soft_labels(seen + weight * usual)
        for weight in (1, 2)
    }
    return {
        "what is usual": np.tile(usual, (len(seen), 1)),
        "majority": majority,
        "majority, smoothed by 0.3": 0.7 * majority + 0.3 * usual,
        "soft": soft_labels(seen),
        **smoothed,
    }


def which_label(counts: Matrix, seeds: int) -> list[dict[str, Any]]:
    """Cross-entropy of the held-out votes under each label made of 3 or 6 votes."""
    rows = []
    for seen in (SEEN, SEEN + MORE):
        scores: dict[str, list[float]] = {}
        for seed in range(seeds):
            votes = one_by_one(counts, np.random.default_rng(seed))
            held_out = counted(votes[:, SEEN + MORE :])
            for name, labels in labels_of(counted(votes[:, :seen])).items():
                scores.setdefault(name, []).append(cross_entropy(labels, held_out))
        rows += [
            {"votes": seen, "label": name, "cross_entropy": float(np.mean(values))}
            for name, values in scores.items()
        ]
    return rows


def choices(seen: NDArray[np.intp], rng: np.random.Generator) -> dict[str, Vector]:
    """How much each clip should be asked about again, [clips]; ties are broken at random."""
    answers = np.eye(len(CODES))[seen].transpose(1, 0, 2)
    luck = rng.random(len(seen))
    return {
        "random": luck,
        "group": group_uncertainty(answers) + 1e-6 * luck,
        "vote-variance": vote_variance(answers) + 1e-6 * luck,
    }


def which_clips(counts: Matrix, seeds: int) -> list[dict[str, Any]]:
    """Cross-entropy and right majorities of all clips after a fifth was asked about again."""
    names = ("nobody", "random", "group", "vote-variance", "everybody")
    entropies: dict[str, list[float]] = {name: [] for name in names}
    right: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        votes = one_by_one(counts, rng)
        held_out = counted(votes[:, SEEN + MORE :])
        before, after = counted(votes[:, :SEEN]), counted(votes[:, : SEEN + MORE])
        number = round(PART * len(votes))
        again = {"nobody": np.zeros(0, np.intp), "everybody": np.arange(len(votes))}
        for name, values in choices(votes[:, :SEEN], rng).items():
            again[name] = np.argsort(-values)[:number]
        for name in names:
            seen = before.copy()
            seen[again[name]] = after[again[name]]
            labels = labels_of(seen)["soft, 1 votes of what is usual"]
            entropies[name].append(cross_entropy(labels, held_out))
            right[name].append(float((seen.argmax(1) == held_out.argmax(1)).mean()))
    arms = {name: np.array(entropies[name]) for name in ("random", "group", "vote-variance")}
    found = compare(arms, "random", smaller_is_better=True)
    return [
        {
            "asked_again": name,
            "cross_entropy": float(np.mean(entropies[name])),
            "right_majority": float(np.mean(right[name])),
            **({"gain": found[name].gain, "p": found[name].p} if name in found else {}),
        }
        for name in names
    ]

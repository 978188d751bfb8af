"""The emotion head, tuned jointly on a profile's enrolled clips and a labelled corpus.

The joint loss of Nguyen et al. (equation 3) on vectors instead of images: corpus i is a labelled
one, corpus j the clips that a user enrolled or named. f = A x / |A x| for an emotion vector x, A a
square matrix that starts as the identity and is tied to it (L2-SP); the first head has the corpus's
emotions, the second the user's, and each is trained on the clips of both that have one of its
emotions. The contrastive loss uses cross pairs only, by equation 2 on unit vectors; an emotion that
is not in the corpus differs from all of the corpus's.

Since A commutes with the encoder's own last map up to length, the result is that map times A: the
written encoder computes nothing more than the one it came from, and its embedding stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.learners.prototypes import build_prototypes, calibrate, cosine_distance
from streamer.training.export.probe import unit
from streamer.training.joint.learning import contrastive_loss

FOLDS = 5
FEWEST_CLIPS = 4
SAMPLES = 1_000
SURE = 0.9
MOST_LOST = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class NamedVectors:
    """Emotion vectors [n, e] centred by voice; the emotion and the voice of each."""

    vectors: np.ndarray
    emotions: list[str]
    voices: list[str] = field(default_factory=list)

    def take(self, kept: np.ndarray) -> NamedVectors:
        at = np.flatnonzero(kept) if kept.dtype == bool else kept
        voices = [self.voices[i] for i in at] if self.voices else []
        return NamedVectors(self.vectors[at], [self.emotions[i] for i in at], voices)


@dataclass(frozen=True, slots=True)
class HeadTuning:
    """Steps of `batch` clips of each corpus; contrast: l3; anchor: weight of |A - I|^2 / 2."""

    steps: int = 2_000
    batch: int = 2
    rate: float = 1e-3
    contrast: float = 0.01
    margin: float = 1.0
    anchor: float = 0.1
    seed: int = 0


@dataclass(frozen=True, slots=True)
class HeadComparison:
    """Equal error rates of the enrolled emotions, and recall of the corpus, before and after.

    Both on clips and voices that the evaluated map was not fitted to. fell: the fraction of the
    bootstrap samples in which the error rate fell.
    """

    eer: tuple[float, float]
    fell: float
    recall: tuple[float, float]

    @property
    def keeps(self) -> bool:
        lost = self.recall[0] - self.recall[1] > MOST_LOST
        return self.eer[1] < self.eer[0] and self.fell >= SURE and not lost

    def __str__(self) -> str:
        return (
            f"equal error rate {self.eer[0]:.3f} to {self.eer[1]:.3f} (better in {self.fell:.0%}), "
            f"recall of the corpus {self.recall[0]:.3f} to {self.recall[1]:.3f}"
        )

    def row(self) -> dict[str, Any]:
        return {
            "eer": {"before": self.eer[0], "after": self.eer[1], "fell": self.fell},
            "corpus_uar": {"before": self.recall[0], "after": self.recall[1]},
            "keeps": self.keeps,
        }


def tune_head(rich: NamedVectors, own: NamedVectors, recipe: HeadTuning) -> np.ndarray:
    """A, float64 [e, e], for vectors as columns: x -> A x."""
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    size = rich.vectors.shape[1]
    matrix = nn.Parameter(torch.eye(size))
    kinds = [sorted(set(side.emotions)) for side in (rich, own)]
    heads = nn.ModuleList(nn.Linear(size, len(names)) for names in kinds)
    optimizer = torch.optim.Adam([matrix, *heads.parameters()], lr=recipe.rate)
    sides = [
        (torch.from_numpy(side.vectors.astype(np.float32)), np.array(side.emotions))
        for side in (rich, own)
    ]
    for _ in range(recipe.steps):
        batches = [_draw(vectors, names, recipe.batch, rng) for vectors, names in sides]
        features = [functional.normalize(vectors @ matrix.T, dim=1) for vectors, _ in batches]
        loss = 0.5 * recipe.anchor * ((matrix - torch.eye(size)) ** 2).sum()
        for head, names in zip(heads, kinds, strict=True):
            for f, (_, said) in zip(features, batches, strict=True):
                known = [k for k, name in enumerate(said) if name in names]
                if known:
                    truth = torch.tensor([names.index(said[k]) for k in known])
                    loss = loss + functional.cross_entropy(head(f[known]), truth)
        same = torch.tensor([[a == b for b in batches[1][1]] for a in batches[0][1]])
        pairs = contrastive_loss(features[0], features[1], same, recipe.margin)
        optimizer.zero_grad()
        (loss + recipe.contrast * pairs).backward()
        optimizer.step()
    return matrix.detach().numpy().astype(np.float64)


def judge_head(rich: NamedVectors, own: NamedVectors, recipe: HeadTuning) -> HeadComparison:
    """Cross-fitted: each fifth of the own clips and of the corpus's voices is judged by a map that

    was fitted to the rest.
    """
    rng = np.random.default_rng(recipe.seed)
    own_fold = _folds_within(own.emotions, rng)
    voices = sorted(set(rich.voices))
    fold_of = {voice: k % FOLDS for k, voice in enumerate(voices)}
    rich_fold = np.array([fold_of[voice] for voice in rich.voices])
    errors: list[tuple[np.ndarray, np.ndarray]] = []
    recalls: list[tuple[float, float]] = []
    for k in range(FOLDS):
        held, kept = own_fold == k, own_fold != k
        test, train = rich_fold == k, rich_fold != k
        matrix = tune_head(rich.take(train), own.take(kept), recipe)
        maps = (np.eye(len(matrix)), matrix)
        errors.append(_distances(own.take(kept), own.take(held), maps))
        if test.any():
            recalls.append(_recalls(rich.take(train), rich.take(test), maps))
    genuine = np.concatenate([pair[0] for pair in errors], axis=1)
    impostor = np.concatenate([pair[1] for pair in errors], axis=1)
    eer = _eer(genuine[0], impostor[0]), _eer(genuine[1], impostor[1])
    fell = 0.0
    for _ in range(SAMPLES):
        g = rng.integers(0, genuine.shape[1], genuine.shape[1])
        i = rng.integers(0, impostor.shape[1], impostor.shape[1])
        gain = _eer(genuine[0, g], impostor[0, i]) - _eer(genuine[1, g], impostor[1, i])
        fell += 1.0 if gain > 0 else 0.5 if gain == 0 else 0.0
    recall = np.mean(recalls, axis=0)
    return HeadComparison(eer, fell / SAMPLES, (float(recall[0]), float(recall[1])))


def _draw(
    vectors: Tensor, names: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[Tensor, list[str]]:
    """Random clips, balanced by emotion."""
    kinds = rng.choice(np.unique(names), size)
    rows = [int(rng.choice(np.flatnonzero(names == kind))) for kind in kinds]
    return vectors[rows], [str(names[i]) for i in rows]


def _folds_within(emotions: list[str], rng: np.random.Generator) -> np.ndarray:
    """A fold for each clip, stratified by emotion."""
    fold = np.zeros(len(emotions), np.intp)
    for name in sorted(set(emotions)):
        rows = rng.permutation([i for i, own in enumerate(emotions) if own == name])
        fold[rows] = np.arange(len(rows)) % FOLDS
    return fold


def _distances(
    enrolled: NamedVectors, held: NamedVectors, maps: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Held-out clips to the prototype of their emotion, and to the others': [maps, n] each."""
    names = sorted(set(enrolled.emotions))
    genuine: list[list[float]] = []
    impostor: list[list[float]] = []
    for matrix in maps:
        rows = unit(enrolled.vectors @ matrix.T)
        members = {n: rows[[i for i, e in enumerate(enrolled.emotions) if e == n]] for n in names}
        prototypes = build_prototypes(members, np.zeros(len(matrix)))
        mine: list[float] = []
        theirs: list[float] = []
        for vector, emotion in zip(unit(held.vectors @ matrix.T), held.emotions, strict=True):
            for name in names:
                distance = float(cosine_distance(vector[None], prototypes[name].mean)[0])
                (mine if name == emotion else theirs).append(distance)
        genuine.append(mine)
        impostor.append(theirs)
    return np.array(genuine), np.array(impostor)


def _recalls(
    train: NamedVectors, test: NamedVectors, maps: tuple[np.ndarray, ...]
) -> tuple[float, float]:
    """Mean recall of the nearest class mean, by each map."""
    found = []
    names = sorted(set(train.emotions) & set(test.emotions))
    truth = np.array(test.emotions)
    known = np.array(train.emotions)
    for matrix in maps:
        rows, others = unit(train.vectors @ matrix.T), unit(test.vectors @ matrix.T)
        means = unit(np.stack([rows[known == name].mean(axis=0) for name in names]))
        said = np.array(names)[(others @ means.T).argmax(axis=1)]
        found.append(float(np.mean([(said[truth == n] == n).mean() for n in names])))
    return found[0], found[1]


def _eer(genuine: np.ndarray, impostor: np.ndarray) -> float:
    return calibrate(genuine, impostor)[1] or 0.0

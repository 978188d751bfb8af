"""The joint loss (two cross-entropies and a contrastive loss over cross pairs), and its stages.

    L(f, c; th) = - log softmax(th f)_c                                                (1)
    L_c = |f_i - f_j|^2 / 2                      where the emotions are the same
          max(0, m - |f_i - f_j|)^2 / 2          where they differ; m = 1 (open)        (2)
    L_joint = l1 L_1 + l2 L_2 + l3 L_c           l1 = l2 = 1, l3 = 0.01                 (3)

Both heads see both corpora (algorithm 1, lines 4 and 5): L_k is the sum of both corpora's
cross-entropies under head k. All K^2 cross pairs of two mini-batches of K are used, and no pair
within one corpus.

Continuous fine-tuning (table 1): each stage starts from the previous one, on another corpus or
modality, and trains the whole network or its fully connected layers only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from streamer.system import make_private_folder
from streamer.training.joint.network import JointNetwork

MARGIN = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ImageCorpus:
    """Images float32 [n, 64, 64, 3] with their emotions int [n] and the clip each is of, int [n].

    A face is a clip of one image; an utterance of several windows.
    """

    images: np.ndarray
    emotions: np.ndarray
    clips: np.ndarray

    def take(self, clips: np.ndarray) -> ImageCorpus:
        """The images of these clips."""
        kept = np.isin(self.clips, clips)
        return ImageCorpus(self.images[kept], self.emotions[kept], self.clips[kept])

    def emotion_of(self) -> dict[int, int]:
        return {int(c): int(e) for c, e in zip(self.clips, self.emotions, strict=True)}


@dataclass(frozen=True, slots=True)
class JointWeights:
    """l1, l2 and l3 of equation 3, and m of equation 2."""

    first: float = 1.0
    second: float = 1.0
    contrast: float = 0.01
    margin: float = MARGIN


@dataclass(frozen=True, slots=True)
class Stage:
    """name; corpora: one, or two for the joint stage; what: "head", "all" or "joint"."""

    name: str
    corpora: Sequence[ImageCorpus]
    what: str
    steps: int
    rate: float
    batch: int = 2
    weights: JointWeights = field(default_factory=JointWeights)


def contrastive_loss(f_i: Tensor, f_j: Tensor, same: Tensor, margin: float = MARGIN) -> Tensor:
    """Equation 2, the mean over the cross pairs. f_i [n, d], f_j [m, d]; same: bool [n, m]."""
    # The root's slope is infinite at 0, where the loss of a same pair has none.
    squared = ((f_i[:, None] - f_j[None]) ** 2).sum(dim=2)
    distance = torch.sqrt(squared + 1e-12)
    apart = functional.relu(margin - distance) ** 2
    return 0.5 * torch.where(same, squared, apart).mean()


def joint_loss(
    network: JointNetwork,
    batch_i: tuple[Tensor, Tensor],
    batch_j: tuple[Tensor, Tensor],
    weights: JointWeights,
) -> Tensor:
    """Equation 3 on a mini-batch of each corpus: images [k, 3, 64, 64] and emotions [k]."""
    f_i, f_j = network(batch_i[0]), network(batch_j[0])
    total = torch.zeros(())
    for head, weight in enumerate((weights.first, weights.second)):
        for features, emotions in ((f_i, batch_i[1]), (f_j, batch_j[1])):
            logits = network.logits(features, head)
            total = total + weight * functional.cross_entropy(logits, emotions)
    same = batch_i[1][:, None] == batch_j[1][None]
    return total + weights.contrast * contrastive_loss(f_i, f_j, same, weights.margin)


def run_stages(
    network: JointNetwork,
    stages: Sequence[Stage],
    rng: np.random.Generator,
    checkpoints: Path | None = None,
    report: Callable[[str, float], None] = lambda name, loss: None,
) -> JointNetwork:
    """Train each stage from the previous one; return the network after the last.

    checkpoints: a folder that gets NAME.pt after each stage; a stage that is there is not run
    again. report: called with a stage's name and the mean loss of its last steps.
    """
    for stage in stages:
        kept = None if checkpoints is None else checkpoints / f"{stage.name}.pt"
        if stage.what == "joint":
            classes = network.heads[0].out_features
            network = network.with_heads((classes, classes))
        if kept is not None and kept.is_file():
            network.load_state_dict(torch.load(kept, weights_only=True))
            continue
        report(stage.name, train_stage(network, stage, rng))
        if kept is not None:
            make_private_folder(kept.parent)
            partial = kept.with_suffix(".part")
            torch.save(network.state_dict(), partial)
            partial.replace(kept)
    return network


def train_stage(network: JointNetwork, stage: Stage, rng: np.random.Generator) -> float:
    """One stage in place, by plain stochastic gradient descent; the mean loss of its last tenth."""
    torch.manual_seed(int(rng.integers(2**31)))
    trained = network.fully_connected() if stage.what == "head" else list(network.parameters())
    optimizer = torch.optim.SGD(trained, lr=stage.rate, momentum=0.9)
    losses = []
    network.train()
    for _ in range(stage.steps):
        batches = [draw(corpus, stage.batch, rng) for corpus in stage.corpora]
        if stage.what == "joint":
            loss = joint_loss(network, batches[0], batches[1], stage.weights)
        else:
            logits = [network.logits(network(images), 0) for images, _ in batches]
            loss = torch.stack(
                [functional.cross_entropy(z, b[1]) for z, b in zip(logits, batches, strict=True)]
            ).sum()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 5.0)
        optimizer.step()
        losses.append(float(loss.detach()))
    network.eval()
    return float(np.mean(losses[-max(1, len(losses) // 10) :])) if losses else float("nan")


def draw(corpus: ImageCorpus, size: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Images [size, 3, 64, 64] and emotions [size]; balanced by emotion."""
    kinds = rng.choice(np.unique(corpus.emotions), size)
    rows = [int(rng.choice(np.flatnonzero(corpus.emotions == kind))) for kind in kinds]
    images = torch.from_numpy(corpus.images[rows]).permute(0, 3, 1, 2).contiguous()
    return images, torch.from_numpy(corpus.emotions[rows].astype(np.int64))


@torch.no_grad()
def classify(network: JointNetwork, corpus: ImageCorpus, batch: int = 64) -> dict[int, int]:
    """The emotion of every clip: the mean of its images' chances (open in the paper)."""
    network.eval()
    chances = []
    for begin in range(0, len(corpus.images), batch):
        images = torch.from_numpy(corpus.images[begin : begin + batch])
        chances.append(network.chances(images.permute(0, 3, 1, 2)).numpy())
    rows = np.concatenate(chances)
    return {
        int(clip): int(rows[corpus.clips == clip].mean(axis=0).argmax())
        for clip in np.unique(corpus.clips)
    }


def accuracy(network: JointNetwork, corpus: ImageCorpus) -> float:
    """The part of the clips that are classify."""
    truth, said = corpus.emotion_of(), classify(network, corpus)
    return float(np.mean([said[clip] == truth[clip] for clip in said]))

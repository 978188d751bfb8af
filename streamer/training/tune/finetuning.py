"""Fine-tuning of the whole encoder on labelled clips, by cross-entropy (AFTER, equations 9 and 17).

The classifier is one linear layer on the mean over a clip's tokens (open in the paper; the mean is
what transformers takes). Targets may be soft: the fraction of annotators for each class. The
convolutions are frozen; the state with the best validation loss is kept.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from streamer.training.tune.anchored import AnchoredBlocks
from streamer.training.tune.tunable import Tunable, padded


@dataclass(frozen=True, slots=True)
class FineTuning:
    """Adam's rate, batch size, maximum epochs, and patience in epochs.

    body: the encoder's rate as a part of `rate`. anchor: weight of L2-SP, 0 for none.
    """

    rate: float = 1e-4
    batch: int = 8
    epochs: int = 100
    patience: int = 20
    body: float = 1.0
    anchor: float = 0.0


class ClassificationModel(nn.Module):
    """M of algorithm 1: an encoder and the task layer W_c."""

    def __init__(self, tunable: Tunable, classes: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.tunable = tunable
        self.dropout = nn.Dropout(dropout)
        self.layer = nn.Linear(tunable.size, classes)

    def forward(self, audio: Tensor, samples: Tensor) -> Tensor:
        """Logits [clips, classes]."""
        return self.layer(self.dropout(self.tunable.mean_vector(audio, samples)))


def soft_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """-sum_k t_k ln p_k, the mean over clips (equation 9 where t is one-hot, 17 where it is soft).

    logits, targets: [clips, classes]; the targets' rows sum to 1.
    """
    return -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()


def train(
    model: ClassificationModel,
    clips: list[np.ndarray],
    targets: np.ndarray,
    validation: tuple[list[np.ndarray], np.ndarray],
    recipe: FineTuning,
    rng: np.random.Generator,
) -> list[float]:
    """Train in place from the current state; return the validation losses, before and by epoch.

    targets: float [clips, classes]. validation: clips and targets that are not trained on; without
    them, all epochs run and the last state is kept. Otherwise the best state is restored.
    """
    tunable = model.tunable
    blocks = AnchoredBlocks(tunable)
    optimizer = blocks.optimizer(model.layer.parameters(), recipe.rate, recipe.body)
    truth = torch.from_numpy(targets.astype(np.float32))
    losses = [validation_loss(model, *validation)]
    best, best_state, waited = losses[0], copy.deepcopy(model.state_dict()), 0
    for _ in range(recipe.epochs):
        model.train()
        order = rng.permutation(len(clips))
        for begin in range(0, len(order), recipe.batch):
            rows = order[begin : begin + recipe.batch]
            logits = model(*padded([clips[i] for i in rows]))
            loss = soft_cross_entropy(logits, truth[torch.from_numpy(rows)])
            if recipe.anchor:
                loss = loss + 0.5 * recipe.anchor * blocks.distance()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        losses.append(validation_loss(model, *validation))
        waited += 1
        if not validation[0] or losses[-1] < best:
            best, best_state, waited = losses[-1], copy.deepcopy(model.state_dict()), 0
        if waited >= recipe.patience:
            break
    model.load_state_dict(best_state)
    model.eval()
    for parameter in tunable.frozen:
        parameter.requires_grad_(True)
    return losses


@torch.no_grad()
def validation_loss(
    model: ClassificationModel, clips: list[np.ndarray], targets: np.ndarray
) -> float:
    if not clips:
        return float("nan")
    truth = torch.from_numpy(targets.astype(np.float32))
    return float(soft_cross_entropy(logits_of(model, clips), truth))


@torch.no_grad()
def logits_of(model: ClassificationModel, clips: list[np.ndarray], batch: int = 32) -> Tensor:
    """Logits [clips, classes], clips of like length together, in the order given."""
    model.eval()
    order = np.argsort([len(clip) for clip in clips], kind="stable")
    out = torch.empty(len(clips), model.layer.out_features)
    for rows in (order[k : k + batch] for k in range(0, len(order), batch)):
        out[torch.from_numpy(rows)] = model(*padded([clips[i] for i in rows]))
    return out


@torch.no_grad()
def dropout_chances(
    model: ClassificationModel, clips: list[np.ndarray], passes: int, seed: int
) -> np.ndarray:
    """Chances [passes, clips, classes] with dropout on: samples of the weights (BatchBALD)."""
    torch.manual_seed(seed)
    model.eval()
    vectors = torch.cat([model.tunable.mean_vector(*padded([clip])) for clip in clips])
    model.dropout.train()
    drawn = [torch.softmax(model.layer(model.dropout(vectors)), 1) for _ in range(passes)]
    model.dropout.eval()
    return torch.stack(drawn).numpy()

"""Task-adaptive pretraining: continued self-supervised training on the recordings of the task.

Of a clip's tokens 15 % are replaced by a learned vector (Li et al. 2024, AFTER, section 3.2). With
c the context network's output, q the quantized feature of the unmasked clip, k = 0.1:

    L_cl = - sum_i log [ exp(cos(c_i, q_i)/k) / sum_j exp(cos(c_i, q_j)/k) ]     equation 1
    L_rl = - 1/|N_m| sum_{i masked} sum_v s_iv log s^_iv                          equation 2
    L    = L_cl + L_rl                                                            equation 3

j runs over all tokens of the clip, i among them; s_i is the one-hot code of the unmasked frame i in
each of the quantizer's groups, s^_i the softmax of a linear layer on c_i, and the groups' losses
are added.

Choices that the paper leaves open, and deliberate differences:

- L_cl is the mean over the masked tokens (`over="masked"`), as in wav2vec 2.0; the paper sums all
  of them (`over="all"` takes the mean over all): an unmasked token carries little information about
  the context.
- Spans of 0.2 s are masked, as wav2vec 2.0 does; `span_s=0` masks single tokens.
- `rebuild="mel"` puts the L1 distance to the hidden log-mel frames in the place of L_rl.
- The diversity term of wav2vec 2.0 (weight 0.1) keeps the quantizer's entries in use.
- L2-SP ties the weights to those they started from (Li, Grandvalet and Davoine 2018): it avoids
catastrophic forgetting on minutes of one voice. The paper has no such term.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.training.data.speech import RATE_HZ
from streamer.training.student.logmel import HOP, LogMel
from streamer.training.student.masked import draw_spans
from streamer.training.student.network import MASKED
from streamer.training.tune.quantizer import Quantizer, Temperature, diversity_loss
from streamer.training.tune.tunable import Tunable, padded

REBUILDS = ("tokens", "mel")
OVER = ("masked", "all")


@dataclass(frozen=True, slots=True)
class TaptRecipe:
    """The hyperparameters of a pretraining. Times in seconds; `rate` is Adam's.

    masked: share of the tokens (HuBERT: 0.2). entries: of each of the two groups of the quantizer.
    anchor: weight of L2-SP; 0 for none.
    """

    steps: int = 500
    batch: int = 16
    crop_s: float = 2.56
    rate: float = 5e-4
    masked: float = 0.15
    span_s: float = 0.2
    temperature: float = 0.1
    entries: int = 32
    diversity: float = 0.1
    anchor: float = 1.0
    rebuild: str = "tokens"
    over: str = "masked"
    seed: int = 0


def contrastive_loss(
    c: Tensor, q: Tensor, mask: Tensor, of: Tensor, temperature: float = 0.1
) -> Tensor:
    """Equation 1, the mean over the tokens `of`.

    c, q: [clips, tokens, width]; mask [clips, tokens, 1]; of: bool [clips, tokens].
    """
    near = functional.normalize(c, dim=2) @ functional.normalize(q, dim=2).mT
    near = near / temperature + (1.0 - mask.mT) * MASKED
    return -torch.log_softmax(near, dim=2).diagonal(dim1=1, dim2=2)[of].mean()


def token_loss(logits: Tensor, codes: Tensor, of: Tensor) -> Tensor:
    """Equation 2 over the tokens `of`: logits [clips, tokens, G, V], codes [clips, tokens, G]."""
    each = functional.cross_entropy(logits[of].flatten(0, 1), codes[of].flatten(), reduction="none")
    return each.view(-1, codes.shape[2]).sum(dim=1).mean()


class Pretraining:
    """A run that can stop after any step and resume from its state bit for bit.

    clips: float32 [n] at 16 kHz, of the pool, without labels.
    """

    def __init__(self, tunable: Tunable, clips: list[np.ndarray], recipe: TaptRecipe) -> None:
        if recipe.rebuild not in REBUILDS or recipe.over not in OVER:
            raise ValueError(
                f"rebuild {recipe.rebuild!r}, over {recipe.over!r}: give one of {REBUILDS}, {OVER}"
            )
        torch.manual_seed(recipe.seed)
        self.tunable, self.clips, self.recipe = tunable, clips, recipe
        self.rng, self.step = np.random.default_rng(recipe.seed), 0
        self.heads = TaptHeads(tunable, recipe)
        weights = np.array([len(clip) for clip in clips], np.float64)
        self._chances = weights / weights.sum()
        self._start = [p.detach().clone() for p in tunable.parameters()]
        self._cooling = Temperature()
        self._parameters = [*tunable.parameters(), *self.heads.parameters()]
        self.optimizer = torch.optim.Adam(self._parameters, lr=recipe.rate)

    def advance(self) -> dict[str, float]:
        """One step; its losses."""
        recipe = self.recipe
        audio, samples = padded(self._crops())
        self.tunable.train()
        self.heads.train()
        losses = self.heads(self.tunable, audio, samples, self._cooling.at(self.step), self.rng)
        total = losses["contrast"] + losses["rebuilt"] + recipe.diversity * losses["diversity"]
        if recipe.anchor:
            pairs = zip(self.tunable.parameters(), self._start, strict=True)
            losses["anchor"] = torch.stack([((p - a) ** 2).sum() for p, a in pairs]).sum()
            total = total + 0.5 * recipe.anchor * losses["anchor"]
        self.optimizer.zero_grad()
        total.backward()
        nn.utils.clip_grad_norm_(self._parameters, 1.0)
        self.optimizer.step()
        self.tunable.eval()
        self.step += 1
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _crops(self) -> list[np.ndarray]:
        """Random crops, uniform over the seconds of the pool."""
        length = round(self.recipe.crop_s * RATE_HZ)
        crops = []
        for i in self.rng.choice(len(self.clips), self.recipe.batch, p=self._chances):
            start = int(self.rng.integers(0, max(1, len(self.clips[i]) - length + 1)))
            crops.append(self.clips[i][start : start + length])
        return crops

    def state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "tunable": self.tunable.state_dict(),
            "heads": self.heads.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "start": self._start,
            "rng": self.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.tunable.load_state_dict(state["tunable"])
        self.heads.load_state_dict(state["heads"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._start = state["start"]
        self.rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])


class TaptHeads(nn.Module):
    """Quantizer, projections and reconstruction; used only in the pretraining."""

    def __init__(self, tunable: Tunable, recipe: TaptRecipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.span = max(1, round(recipe.span_s * RATE_HZ / tunable.hop))
        self.quantizer = Quantizer(tunable.feature_size, entries=recipe.entries)
        self.answer = nn.Linear(tunable.size, 256)
        self.truth = nn.Linear(256, 256)
        self.frames = max(1, tunable.hop // HOP)
        self.front = LogMel() if recipe.rebuild == "mel" else None
        outputs = self.frames * 80 if self.front else 2 * recipe.entries
        self.rebuild = nn.Linear(tunable.size, outputs)

    def forward(
        self,
        tunable: Tunable,
        audio: Tensor,
        samples: Tensor,
        temperature: float,
        rng: np.random.Generator,
    ) -> dict[str, Tensor]:
        """The losses of a batch; rng draws what is masked."""
        recipe = self.recipe
        z, mask = tunable.features(audio, samples)
        counts = [int(count) for count in mask.sum(dim=(1, 2))]
        hidden = draw_spans(counts, mask.shape[1], self.span, recipe.masked, rng)
        q, codes, chances = self.quantizer(z, temperature)
        c = tunable.context(z, mask, hidden)
        of = hidden if recipe.over == "masked" else mask[:, :, 0].bool()
        losses = {
            "contrast": contrastive_loss(
                self.answer(c), self.truth(q), mask, of, recipe.temperature
            ),
            "diversity": diversity_loss(chances, mask),
        }
        if self.front is None:
            logits = self.rebuild(c).unflatten(2, (2, recipe.entries))
            losses["rebuilt"] = token_loss(logits, codes, hidden)
        else:
            clean = self.front(audio)[:, : z.shape[1] * self.frames]
            short = z.shape[1] * self.frames - clean.shape[1]
            clean = functional.pad(clean, (0, 0, 0, short)).reshape(len(z), z.shape[1], -1)
            losses["rebuilt"] = functional.l1_loss(self.rebuild(c)[hidden], clean[hidden])
        return losses

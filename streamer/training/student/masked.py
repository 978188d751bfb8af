"""wav2vec 2.0's masked contrastive objective with reconstruction: no teacher, no labels.

Spans of the feature encoder's output z are replaced by one learned vector before the context
network (Baevski et al. 2020, section 3.1); the network's answer c at a hidden token t has to be
nearer to what was hidden than to what the clip's other tokens hold (section 3.2, equation 3), and
has to reconstruct the hidden frames of the clean log-mel:

    L_m = -log( exp(s(c_t, q_t) / k) / sum_{j in clip} exp(s(c_t, q_j) / k) )       s cosine, k 0.1
    L   = mean over hidden t of ( L_m + reconstruction * |h(c_t) - mel_t|_1 / size )

Three differences to the paper: q is a projection of z (the "continuous targets" of section 5.4,
table 4) instead of a codebook entry, as a few minutes of one voice are too little for a codebook;
all other tokens of the clip are negatives instead of 100 sampled ones, since a short clip has
fewer; and the reconstruction targets are log-mel frames, not the hidden tokens' codes (AFTER,
equation 2; both it and a quantizer are in `streamer.training.tune.pretraining`). About 15 % of the
tokens are hidden, as in AFTER's task-adaptive pretraining (Li et al. 2024), not 49 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from streamer.training.data.speech import RATE_HZ
from streamer.training.student.logmel import BANDS, HOP
from streamer.training.student.network import MASKED, StudentShape, frame_mask, level


@dataclass(frozen=True, slots=True)
class Masking:
    """share of tokens to hide, span (s), temperature, weight of reconstruction, projected size."""

    share: float = 0.15
    span_s: float = 0.2
    temperature: float = 0.1
    reconstruction: float = 1.0
    width: int = 128


def draw_spans(
    counts: list[int], tokens: int, span: int, share: float, rng: np.random.Generator
) -> Tensor:
    """Which tokens to hide: bool [clips, tokens], only among each clip's own ``counts``.

    Starts are drawn without replacement, spans may overlap. At least one span is hidden, and never
    more than half of a clip by one span; a clip of one token hides nothing.
    """
    hidden = np.zeros((len(counts), tokens), bool)
    for row, count in zip(hidden, counts, strict=True):
        length = min(span, count // 2)
        if length:
            places = count - length + 1
            number = min(places, max(1, int(share * count / length + rng.random())))
            for start in rng.choice(places, number, replace=False):
                row[start : start + length] = True
    return torch.from_numpy(hidden)


def contrastive_loss(
    answers: Tensor, truths: Tensor, hidden: Tensor, mask: Tensor, temperature: float
) -> Tensor:
    """Mean of equation 3 over the hidden tokens; the clip's other tokens are the negatives.

    answers, truths [clips, tokens, width]; hidden bool [clips, tokens]; mask [clips, tokens, 1].
    """
    near = functional.normalize(answers, dim=2) @ functional.normalize(truths, dim=2).mT
    near = near / temperature + (1.0 - mask.mT) * MASKED
    return -torch.log_softmax(near, dim=2).diagonal(dim1=1, dim2=2)[hidden].mean()


class MaskedPrediction(nn.Module):
    """The mask vector and the heads for masking, projection and reconstruction; training only."""

    def __init__(self, shape: StudentShape, masking: Masking) -> None:
        super().__init__()
        self.masking = masking
        self.frames = shape.hop // HOP
        self.span = max(1, round(masking.span_s * RATE_HZ / shape.hop))
        self.vector = nn.Parameter(torch.rand(shape.channels))
        self.answer = nn.Linear(shape.channels, masking.width)
        self.truth = nn.Linear(shape.channels, masking.width)
        self.rebuild = nn.Linear(shape.channels, self.frames * BANDS)

    def draw(self, mask: Tensor, rng: np.random.Generator) -> Tensor:
        """Which of the clips' own tokens to hide: [clips, tokens, 1] -> bool [clips, tokens]."""
        counts = [int(count) for count in mask.sum(dim=(1, 2))]
        return draw_spans(counts, mask.shape[1], self.span, self.masking.share, rng)

    def hide(self, features: Tensor, hidden: Tensor) -> Tensor:
        """Features [clips, tokens, channels] with the mask vector in place of the hidden ones."""
        return torch.where(hidden[:, :, None], self.vector, features)

    def losses(
        self, features: Tensor, last: Tensor, hidden: Tensor, mask: Tensor, logmel: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Contrastive loss, and L1 distance to the clean log10 mel [clips, frames, 80], levelled.

        features: of the feature encoder, nothing hidden; last: the last block's output.
        """
        contrast = contrastive_loss(
            self.answer(last), self.truth(features), hidden, mask, self.masking.temperature
        )
        frames = mask.sum(dim=(1, 2)).long() * self.frames
        clean = level(logmel, frame_mask(logmel, frames))
        clean = clean.reshape(len(clean), -1, self.frames * BANDS)
        return contrast, functional.l1_loss(self.rebuild(last)[hidden], clean[hidden])

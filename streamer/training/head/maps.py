"""Methods to fit the map from the blocks' means to emotion vectors, on given clips.

label-free   principal directions with speakers' means taken out
within       those, with what varies within a speaker's emotion made quieter
trained      a head trained over episodes, which starts from one of those two
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from streamer.training.data.speech import Clip
from streamer.training.export.prior import corpus_weights
from streamer.training.export.probe import centre_speakers
from streamer.training.export.projection import Affine, fit_emotion, fit_within
from streamer.training.head.episodes import Episodes
from streamer.training.head.head import HeadRecipe, PooledHead, PooledInputs, train_head
from streamer.training.head.trials import Fit, Vectors

SIZE = 128
SHRINKAGE = 0.5


class ClosedForm:
    """``label-free`` and ``within`` on the means [clips, n] of clips with known speakers."""

    def __init__(
        self,
        means: np.ndarray,
        clips: Sequence[Clip],
        within: bool,
        size: int = SIZE,
        shrinkage: float = SHRINKAGE,
    ) -> None:
        self.means, self.clips, self.within = means, clips, within
        self.size, self.shrinkage = size, shrinkage
        self._affines: dict[bytes, Affine] = {}

    def affine(self, allowed: np.ndarray) -> Affine:
        """The map, before normalization; cached for repeated trials."""
        key = allowed.tobytes()
        if key not in self._affines:
            self._affines[key] = self._fit(allowed)
        return self._affines[key]

    def _fit(self, allowed: np.ndarray) -> Affine:
        rows = [c for c, keep in zip(self.clips, allowed, strict=True) if keep]
        speakers = np.array([f"{c.corpus}/{c.speaker}" for c in rows])
        vectors, weights = self.means[allowed], corpus_weights(rows)
        if not self.within:
            return fit_emotion(vectors, speakers, weights, self.size)
        emotions = np.array([c.emotion for c in rows])
        return fit_within(vectors, speakers, emotions, weights, self.size, self.shrinkage)

    def __call__(self, allowed: np.ndarray) -> Vectors:
        affine = self.affine(allowed)
        return lambda numbers: affine(self.means[numbers])


class Trained:
    """A trained head at every ``every`` steps of a single training run."""

    def __init__(self, start: ClosedForm, recipe: HeadRecipe, every: int = 25) -> None:
        self.start, self.recipe, self.every = start, recipe, every
        self._heads: dict[bytes, tuple[Affine, list[PooledHead]]] = {}

    def at(self, step: int) -> Fit:
        """The map after a number of steps, a multiple of ``every``."""

        def fit(allowed: np.ndarray) -> Vectors:
            affine, heads = self._train(allowed)
            head = heads[step // self.every]
            return lambda numbers: _answers(head, affine(self.start.means[numbers]))

        return fit

    def affine(self, allowed: np.ndarray, step: int) -> Affine:
        """A linear head's map after a number of steps, before normalization."""
        start, heads = self._train(allowed)
        layer = heads[step // self.every].layers
        if not isinstance(layer, torch.nn.Linear):
            raise ValueError("a head with a hidden layer is no affine map")
        turn = layer.weight.detach().numpy().T
        return Affine(start.matrix @ turn, start.offset @ turn)

    def _train(self, allowed: np.ndarray) -> tuple[Affine, list[PooledHead]]:
        key = allowed.tobytes()
        if key not in self._heads:
            recipe, start = self.recipe, self.start.affine(allowed)
            rows = [c for c, keep in zip(self.start.clips, allowed, strict=True) if keep]
            vectors = start(self.start.means[allowed])
            scale = np.float32(1.0 / vectors.std())
            if not recipe.hidden:
                vectors = centre_speakers(vectors, rows)
            torch.manual_seed(recipe.seed)
            head = PooledHead(vectors.shape[1], recipe.size, recipe.hidden)
            episodes = Episodes(rows, np.ones(len(rows), bool), recipe.examples)
            heads = []
            for _ in train_head(head, PooledInputs(vectors * scale), episodes, recipe, self.every):
                heads.append(_copied(head, recipe))
            self._heads[key] = Affine(start.matrix * scale, start.offset * scale), heads
        return self._heads[key]


def _copied(head: PooledHead, recipe: HeadRecipe) -> PooledHead:
    inputs = next(head.parameters()).shape[1]
    copy = PooledHead(inputs, recipe.size, recipe.hidden)
    copy.load_state_dict(head.state_dict())
    return copy.eval()


@torch.no_grad()
def _answers(head: PooledHead, vectors: np.ndarray) -> np.ndarray:
    return head(torch.from_numpy(vectors.astype(np.float32))).numpy()

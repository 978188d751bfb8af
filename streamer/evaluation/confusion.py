"""Which emotions are taken for which: a linear classifier on speakers that it never heard."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamer.evaluation.dataset import Dataset
from streamer.evaluation.splits import Split
from streamer.learners.source import fit_classes

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """counts: int64 [K, K], rows the labels, columns what was recognized; classes: K names."""

    classes: Sequence[str]
    counts: Counts

    @property
    def uar(self) -> float:
        """Unweighted average recall over the classes that were tested, in [0, 1]."""
        tested = self.counts.sum(axis=1)
        return float(np.mean(np.diag(self.counts)[tested > 0] / tested[tested > 0]))

    def most_confused(self) -> tuple[str, str, float] | None:
        """An emotion, the other that it is taken for most, and how often, in (0, 1].

        >>> Confusion(["calm", "sad"], np.array([[9, 1], [4, 6]])).most_confused()
        ('sad', 'calm', 0.4)
        """
        tested = np.maximum(self.counts.sum(axis=1, keepdims=True), 1)
        shares = self.counts / tested
        np.fill_diagonal(shares, 0.0)
        row, column = divmod(int(np.argmax(shares)), len(self.classes))
        share = float(shares[row, column])
        return None if share == 0.0 else (self.classes[row], self.classes[column], share)


def confusion_of(dataset: Dataset, splits: Sequence[Split]) -> Confusion:
    """Softmax regression on all labels of one side, tested on the other.

    Splits are taken in turn until one would test a clip again, so that each counts once.
    """
    classes = dataset.classes
    place = {name: k for k, name in enumerate(classes)}
    truth = np.array([place.get(name or "", -1) for name in dataset.emotions], np.intp)
    counts = np.zeros((len(classes), len(classes)), np.int64)
    tested: set[int] = set()
    for split in splits:
        train, test = (side[truth[side] >= 0] for side in (split.train, split.test))
        if tested & set(test.tolist()) or not len(train):
            continue
        tested |= set(test.tolist())
        known, numbers = np.unique(truth[train], return_inverse=True)
        weights = fit_classes(dataset.features[train], numbers.astype(np.intp))
        said = known[(dataset.features[test] @ weights[:-1] + weights[-1]).argmax(axis=1)]
        np.add.at(counts, (truth[test], said), 1)
    return Confusion(classes, counts)

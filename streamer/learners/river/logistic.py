"""Logistic regression behind river's protocol: features by name, classes of any kind."""

from collections.abc import Mapping
from typing import Any

from river.base import Classifier

from streamer.learners.logistic import PENALTY, OnlineLogistic
from streamer.learners.river.columns import Columns


class RiverLogistic(Classifier):
    """`OnlineLogistic` for river's pipelines, metrics and model selection; two classes or many.

    A feature that is missing counts as 0. It is always at the optimum for all that it has learned,
    so it keeps all of that: memory grows by the size of a sample with each, and the first question
    after new samples costs a few passes over them. Meant for samples that people label.

    penalty: of the squared weights, > 0; UsageError for others.

    >>> model = RiverLogistic()
    >>> for step in range(40):
    ...     model.learn_one({"loudness": step / 10}, step >= 20)
    >>> model.predict_one({"loudness": 3.0}), model.predict_one({"loudness": 1.0})
    (True, False)
    """

    def __init__(self, penalty: float = PENALTY) -> None:
        self.penalty = penalty
        self._columns = Columns()
        self._regression = OnlineLogistic(0, penalty)
        self._names: dict[Any, str] = {}

    @property
    def _multiclass(self) -> bool:
        return True

    def learn_one(self, x: Mapping[Any, Any], y: Any) -> None:
        """Take one sample. Values of `x`: finite numbers; y: its class, anything hashable."""
        new = self._columns.grow(x)
        if new:
            self._regression.widen(new)
        name = self._names.setdefault(y, str(len(self._names)))
        self._regression.learn(self._columns.inputs(x), name)

    def predict_proba_one(self, x: Mapping[Any, Any], **kwargs: Any) -> dict[Any, float]:
        """The chance of each class learned so far; none before the first."""
        chances = self._regression.probabilities(self._columns.inputs(x)[None])[0]
        return dict(zip(self._names, chances.tolist(), strict=True))

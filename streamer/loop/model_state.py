"""All that a model has learned, as plain arrays: enough to make the same model in another process.

A profile's rows stay where they are; what leaves is what `OnlineModel` needs to predict.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from streamer.learners.plugged import BAYESIAN
from streamer.learners.prior import Prior
from streamer.learners.source import SourceModel
from streamer.loop.online_model import OnlineModel
from streamer.loop.profile_model import POPULATION, ProfileModel, learner_of
from streamer.loop.training_set import Lesson
from streamer.types import Matrix, Vector

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class ModelState:
    """What one voice's model is made from.

    Parameters
    ----------
    prior : arrays
        `Prior.to_arrays` of the encoder, as the profile keeps it.
    adaptation : arrays
        `OnlineModel.adaptation_to_arrays`.
    learner, population
        See `OnlineModel`.
    source : arrays or None
        `SourceModel.to_arrays` of the labelled source that the profile starts from.
    learned : arrays or None
        `OnlineModel.learner_to_arrays`; None where a learner can only be replayed.
    lessons
        The labels that count, in the order in which they were given.
    members, shares
        The enrolled vectors by emotion, and their shares; see `TrainingSet`.
    usual_dbfs
        The level in dBFS at which the profile knows its voice; None where it does not.
    """

    prior: Arrays
    adaptation: Arrays
    learner: str = BAYESIAN
    population: bool = True
    source: Arrays | None = None
    learned: Arrays | None = None
    lessons: tuple[Lesson, ...] = ()
    members: Mapping[str, Matrix] = field(default_factory=dict)
    shares: Mapping[str, Vector] = field(default_factory=dict)
    usual_dbfs: float | None = None

    @classmethod
    def untaught(cls, prior: Prior, learner: str = BAYESIAN, *, population: bool = True) -> Self:
        """A voice that was never heard."""
        adaptation = OnlineModel(prior).adaptation_to_arrays()
        return cls(prior.to_arrays(), adaptation, learner, population)

    @classmethod
    def of(cls, profile_model: ProfileModel) -> Self:
        """What a profile has learned up to now."""
        profile, model = profile_model.profile, profile_model.model
        source = profile.sources.active(profile.meta("encoder_sha256"))
        return cls(
            prior=profile.prior().to_arrays(),
            learner=learner_of(profile),
            population=profile.meta(POPULATION) != "no",
            source=None if source is None else source.to_arrays(),
            adaptation=model.adaptation_to_arrays(),
            learned=model.learner_to_arrays() if model.learner.is_storable else None,
            lessons=tuple(profile_model.lessons()),
            members=dict(profile_model.enrolled()),
            shares=dict(profile_model.shares()),
            usual_dbfs=profile.utterances.usual_dbfs(),
        )

    def model(self) -> OnlineModel:
        """A model that predicts to the last bit what the one it was taken from predicts."""
        model = OnlineModel(
            Prior.from_arrays(self.prior),
            self.learner,
            taught=_Taught(self),
            population=self.population,
            source=None if self.source is None else SourceModel.from_arrays(self.source),
        )
        self.reset_adaptation(model)
        if self.learned is None:
            model.relearn(self.lessons)
        else:
            model.restore_learner(self.learned)
        return model

    def reset_adaptation(self, model: OnlineModel) -> None:
        """Bring a model of this state back to the voice as it was, whatever it has heard since."""
        model.restore_adaptation(self.adaptation)
        model.reload_emotions()

    def sha256(self) -> str:
        """Of everything that predictions depend on, in hexadecimal digits."""
        digest = hashlib.sha256(f"{self.learner} {self.population}".encode())
        named = [self.prior, self.source, self.adaptation, self.learned, self.members, self.shares]
        for arrays in named:
            for name, array in sorted((arrays or {}).items()):
                digest.update(f"{name} {np.asarray(array).dtype} {np.shape(array)}".encode())
                digest.update(np.ascontiguousarray(array).tobytes())
            digest.update(b";")
        for lesson in self.lessons:
            digest.update(repr((lesson.label, lesson.first)).encode())
            digest.update(lesson.features.tobytes())
        return digest.hexdigest()


class _Taught:
    """The training set of a state: it is never added to."""

    def __init__(self, state: ModelState) -> None:
        self._state = state

    def lessons(self) -> tuple[Lesson, ...]:
        return self._state.lessons

    def enrolled(self) -> Mapping[str, Matrix]:
        return self._state.members

    def shares(self) -> Mapping[str, Vector]:
        return self._state.shares

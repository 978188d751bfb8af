"""A profile that is heard into, labelled, learned, stopped and killed; and two that must agree."""

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st

from streamer.learners.affect import AffectLearner
from streamer.learners.raters import RaterWeights
from streamer.learners.scale import squash
from streamer.loop import profile_model as learning_module
from streamer.loop.online_model import OnlineModel
from streamer.loop.profile_model import ProfileModel
from streamer.query.strategy import ClassChances
from streamer.store.profile import Profile
from streamer.types import Encoding, Label
from tests.support import bound_profile, label_of, same_arrays, store_utterance

HEARD = 5
# Where there is one, a disk of memory: every label waits until it is safely on the disk.
FAST = "/dev/shm" if Path("/dev/shm").is_dir() else None


def heard(step: int) -> Encoding:
    rng = np.random.default_rng([7, step])
    embedding, emotion = rng.normal(size=6), rng.normal(size=4)
    return Encoding(embedding.astype(np.float32), emotion.astype(np.float32))


def fold(profile: Profile) -> AffectLearner:
    """The learner, from nothing but the rows."""
    prior, raters = profile.prior(), RaterWeights()
    learner = AffectLearner(prior)
    for entry in profile.labels.effective():
        usual = squash(prior.expect(entry.features[np.newaxis])[0][0])
        weight = raters.weigh(entry.label, usual)
        learner.learn(entry.features, entry.label, first=entry.first, weight=weight)
    return learner


def learn_new(profile_model: ProfileModel) -> tuple[list[Label], bool]:
    """The labels that one call learned for the first time, and whether it fitted anew."""
    profile_model.take_updates()
    profile_model.learn_new()
    updates = profile_model.take_updates()
    return [label for update in updates for label in update.learned], any(
        update.refitted for update in updates
    )


def same_chances(some: ClassChances | None, other: ClassChances | None) -> bool:
    if some is None or other is None:
        return some is other
    return some.names == other.names and np.array_equal(some.probabilities, other.probabilities)


class Life:
    """A profile that is heard into, labelled, learned, and now and then stopped or killed."""

    def __init__(self, folder: Path, *, restarts: bool) -> None:
        self.folder = folder
        self.restarts = restarts
        self.steps = 0
        self.learned: list[Any] = []
        self.profile = bound_profile(folder)
        self.profile_model = ProfileModel(self.profile)
        for _ in range(HEARD):
            self.hear()

    @property
    def model(self) -> OnlineModel:
        return self.profile_model.model

    def hear(self) -> None:
        self.steps += 1
        encoding = heard(self.steps)
        self.profile_model.adapt(encoding)
        store_utterance(self.profile, encoding.embedding, encoding.emotion)

    def label(self, utterance: int, annotator: str, answers: dict[str, Any]) -> None:
        self.profile.labels.add([label_of(utterance, annotator, **answers)], 0.0)

    def undo(self, count: int) -> None:
        self.profile.labels.undo(count, 0.0)

    def learn(self) -> None:
        before = self.model.labels
        labels, replaced = learn_new(self.profile_model)
        self.learned += labels
        if not replaced:  # a refit takes all that wait with it
            assert len(labels) <= learning_module.LABELS_AT_ONCE
            assert self.model.labels >= before + len(labels)

    def catch_up(self) -> None:
        self.profile_model.catch_up()
        assert self.model.labels == self.profile.labels.count()

    def stop(self) -> None:
        """An orderly end, and the next start."""
        if self.restarts:
            self.profile_model.save()
            self.profile.close()
            self.profile = Profile(self.folder)
            self.profile_model = ProfileModel(self.profile)
        self.catch_up()

    def kill(self) -> None:
        """Nothing is saved that was not; the next start has the rows only."""
        if self.restarts:
            self.profile.close()
            self.profile = Profile(self.folder)
            self.profile_model = ProfileModel(self.profile)
        self.catch_up()

    def arrays(self) -> dict[str, Any]:
        return {
            **self.model.learner.to_arrays(),
            **{f"usual/{k}": v for k, v in self.model.usual.to_arrays().items()},
            **{f"emotion/{k}": v for k, v in self.model.usual_emotion.to_arrays().items()},
            **{f"voice/{k}": v for k, v in self.model.voice.to_arrays().items()},
        }


VALUE = st.one_of(st.none(), st.floats(-1.0, 1.0))
ANSWERS = st.one_of(
    st.fixed_dictionaries({"valence": st.floats(-1, 1), "arousal": VALUE, "dominance": VALUE}),
    st.fixed_dictionaries({"emotion": st.sampled_from(["joy", "anger"])}),
    st.fixed_dictionaries({"arousal": st.floats(-1, 1), "emotion": st.just("joy")}),
)
LABEL = st.tuples(
    st.just("label"), st.integers(1, 2), st.sampled_from(["me", "me", "anna"]), ANSWERS
)
UNDO = st.tuples(st.just("undo"), st.integers(1, 3))
THEN = st.tuples(st.sampled_from(["learn", "catch_up", "hear", "stop", "kill"]))
# Few utterances and much learning in between, so that answers are replaced after they were learned.
STEPS = st.lists(st.one_of(LABEL, LABEL, UNDO, THEN, THEN), min_size=1, max_size=20)


class Twins:
    """The same history twice: one is stopped and killed on the way, the other never."""

    def __init__(self, folder: Path) -> None:
        self.broken = Life(folder / "broken", restarts=True)
        self.whole = Life(folder / "whole", restarts=False)
        self.lessons: dict[int, np.ndarray] = {}

    def live(self, name: str, *values: Any) -> None:
        for life in (self.broken, self.whole):
            getattr(life, name)(*values)

    def compare(self) -> None:
        broken, whole = self.broken, self.whole
        self.live("catch_up")
        assert same_arrays(broken.model.learner.to_arrays(), fold(broken.profile).to_arrays())
        assert same_arrays(broken.arrays(), whole.arrays())
        rows = [life.profile.labels.log() for life in (broken, whole)]
        for entry, other in zip(*rows, strict=True):
            assert (entry.label, entry.effective) == (other.label, other.effective)
            assert np.array_equal(entry.features, other.features)
            if entry.features is not None:
                # Once learned, always the same lesson.
                first = self.lessons.setdefault(entry.seq, entry.features)
                assert np.array_equal(entry.features, first)
        encoding = heard(0)
        assert broken.model.predict(encoding) == whole.model.predict(encoding)
        assert broken.model.verdict(encoding) == whole.model.verdict(encoding)
        assert broken.learned == whole.learned
        # What strategies are told: folded label by label in one, anew from the log in the other.
        some, other = (life.model.knowledge for life in (broken, whole))
        assert np.array_equal(some.labelled().features, other.labelled().features)
        assert same_chances(
            some.classes(encoding.embedding[np.newaxis]),
            other.classes(encoding.embedding[np.newaxis]),
        )
        assert list(some.labelled().emotions) == [
            entry.label.emotion for entry in broken.profile.labels.effective()
        ]

    def close(self) -> None:
        self.broken.profile.close()
        self.whole.profile.close()

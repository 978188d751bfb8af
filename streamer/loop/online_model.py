"""What a profile has learned: a fold over its stored rows, kept in step with them.

What is usual, and whether the voice or microphone has changed, is the fold of all utterances.

The learner is the fold of the effective labels, in the order of the log, each with the features
that it was first learned with. A plain new label is one more step; an undone or replaced one folds
anew without it. So a restart, a replay and an unbroken run agree to the last bit, given that each
computes on one thread, as the command line does: on several, sums may be taken in another order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from dataclasses import replace
from typing import Final

import numpy as np

from streamer.learners.affect import AffectLearner
from streamer.learners.drift import Change, Drift, VoiceDriftDetector, drifts
from streamer.learners.emotion_models import EmotionModels
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prototypes import Prototype, build_prototypes, verify
from streamer.query.model_view import ModelView
from streamer.query.strategy import Labelled
from streamer.store.profile import Profile
from streamer.store.records import LogEntry
from streamer.types import Label, Prediction, Samples, Vector, Verdict

LABELS_AT_ONCE: Final = 50
SNAPSHOT_EVERY: Final = 64


class OnlineModel:
    """The learned state of one profile. Only the process that has taken it over may change it.

    Raises ProfileError and its kinds.
    """

    def __init__(self, profile: Profile) -> None:
        """profile: one that is bound to its encoder."""
        self._profile = profile
        self._prior = prior = profile.prior()
        self.usual = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
        self.usual_emotion = RunningNormalization(
            prior.emotion_mean, np.ones_like(prior.emotion_mean)
        )
        self.voice = VoiceDriftDetector()
        self.learner = AffectLearner(prior)
        self.labels = 0
        self._through = 0
        self._saved_labels = 0
        self._prototypes: dict[str, Prototype] | None = None
        self._emotions: EmotionModels | None = None
        self._restore()
        self._told = {(d.signal, d.found) for d in self.drifts()}
        self._known_changes = self._changes()

    def adapt(self, embedding: Samples, emotion: Samples) -> None:
        """Take an utterance into what is usual for this voice and microphone, and store that."""
        self.voice.hear(self.usual.count + 1, self.features(embedding))
        self.usual.update(embedding.astype(np.float64))
        self.usual_emotion.update(emotion.astype(np.float64))
        self._prototypes = None
        arrays = {f"embedding/{k}": v for k, v in self.usual.to_arrays().items()}
        arrays |= {f"emotion/{k}": v for k, v in self.usual_emotion.to_arrays().items()}
        arrays |= {f"voice/{k}": v for k, v in self.voice.to_arrays().items()}
        self._profile.save_state("usual", arrays)

    @contextmanager
    def unadapted_on_error(self) -> Iterator[None]:
        """An error inside undoes `adapt` here as it does in the store."""
        before = copy(self.usual), copy(self.usual_emotion), deepcopy(self.voice)
        try:
            yield
        except BaseException:
            self.usual, self.usual_emotion, self.voice = before
            self._prototypes = None
            raise

    def features(self, embedding: Samples) -> Vector:
        """Standard scores, float64 [d] or [n, d], that the learner reads."""
        return self.usual.apply(embedding.astype(np.float64))

    def predict(self, embedding: Samples) -> Prediction:
        return self.learner.predict(self.features(embedding))

    def verdict(self, emotion: Samples) -> Verdict:
        return verify(emotion.astype(np.float64), self.prototypes, self.usual_emotion.mean)

    @property
    def knowledge(self) -> ModelView:
        """What a query strategy may ask."""
        return ModelView(
            self.learner,
            self._labelled,
            lambda: self._emotion_models().together,
            lambda: self._emotion_models().by_annotator,
        )

    @property
    def prototypes(self) -> dict[str, Prototype]:
        if self._prototypes is None:
            enrolled = self._profile.emotions.enrolled()
            self._prototypes = build_prototypes(enrolled, self.usual_emotion.mean)
        return self._prototypes

    def drifts(self) -> list[Drift]:
        """What has changed since the beginning, in the order in which it was found."""
        # The voice is heard before its utterance has a number, so its changes count utterances.
        nth = self._profile.utterances.nth
        heard, errors = self._changes()
        voice = [replace(c, since=nth(c.since), found=nth(c.found)) for c in heard]
        return drifts(voice, errors)

    def new_drifts(self) -> list[Drift]:
        """Those found since the start or the last time that this was asked."""
        if self._changes() == self._known_changes:  # as after nearly every utterance
            return []
        self._known_changes = self._changes()
        fresh = [d for d in self.drifts() if (d.signal, d.found) not in self._told]
        self._told |= {(d.signal, d.found) for d in fresh}
        return fresh

    def _changes(self) -> tuple[list[Change], dict[str, tuple[Change, ...]]]:
        errors = {name: one.errors.changes for name, one in self.learner.dimensions.items()}
        return self.voice.changes(), errors

    def learn_new(self) -> tuple[list[Label], bool]:
        """Learn what was added to the log, at most `LABELS_AT_ONCE` rows of it.

        Returns the labels learned for the first time, and whether others were taken back or
        replaced. They were not exactly if no learned row is retracted and as many rows count as
        were learned before and are new: an answer that replaces another takes it out of the count.
        """
        if self._profile.labels.newest() <= self._through:
            return [], False
        with self._profile.database.transaction():
            fresh, replaced, last = self._news(LABELS_AT_ONCE)
            if replaced:
                self.start_over()
            for entry in self._profile.labels.effective(last) if replaced else fresh:
                self._learn(entry, self._features_of(entry))
            self._prototypes = None
        # Only now is it sure: had the disk been full, the labels would be learned again.
        self._through = last
        if replaced or self.labels >= self._saved_labels + SNAPSHOT_EVERY:
            self.save()
        return [entry.label for entry in fresh if entry.features is None], replaced

    def follow(self) -> None:
        """Know what another process has learned by now, without writing anything."""
        if self._profile.labels.newest() <= self._through:
            return
        fresh, replaced, last = self._news(-1)
        if replaced:
            self.start_over()
        for entry in self._profile.labels.effective(last) if replaced else fresh:
            if entry.features is not None:
                self._learn(entry, entry.features)

    def start_over(self) -> None:
        """Know no label; the next ones are learned from the beginning of the log."""
        self.learner, self.labels, self._through = AffectLearner(self._prior), 0, 0
        self._emotions = None

    def catch_up(self) -> None:
        """Learn all of the log that is not in the last snapshot."""
        while self._through < self._profile.labels.newest():
            self.learn_new()

    def save(self) -> None:
        """Keep the learner as it is, so that the next start need not fold from the beginning."""
        arrays = {**self.learner.to_arrays(), "labels": np.array([self.labels], np.float64)}
        self._profile.save_state("learner", arrays, self._through)
        self._saved_labels = self.labels

    def _news(self, limit: int) -> tuple[list[LogEntry], bool, int]:
        """What the log holds beyond what is learned, in at most `limit` rows.

        Returns the new rows that count, whether learned ones have ceased to (see `learn_new`), and
        the last seq that was looked at.
        """
        entries = self._profile.labels.log(self._through, limit)
        fresh = [entry for entry in entries if entry.effective]
        last = entries[-1].seq
        undone = any(e.retracts is not None and e.retracts <= self._through for e in entries)
        counting = self._profile.labels.count(last)
        return fresh, undone or counting != self.labels + len(fresh), last

    def _features_of(self, entry: LogEntry) -> Vector:
        """Those it was first learned with; at the first time, those of now, which are then kept."""
        if entry.features is not None:
            return entry.features
        stored = self._profile.utterances.get(entry.label.utterance)
        features = self.features(stored.embedding)
        self._profile.labels.learned_with(entry.seq, features)
        return features

    def _labelled(self) -> Labelled:
        return Labelled.of(list(self._lessons()), self._prior.weights.shape[0])

    def _emotion_models(self) -> EmotionModels:
        if self._emotions is None:
            self._emotions = EmotionModels(self._prior.weights.shape[0])
            for label, features in self._lessons():
                self._emotions.learn(features, label)
        return self._emotions

    def _lessons(self) -> Iterator[tuple[Label, Vector]]:
        """What was learned, from the log: only the strategies that look at it have it read."""
        for entry in self._profile.labels.effective(self._through):
            if entry.features is not None:
                yield entry.label, entry.features

    def _learn(self, entry: LogEntry, features: Vector) -> None:
        self.learner.learn(features, entry.label, first=entry.first)
        if self._emotions is not None:
            self._emotions.learn(features, entry.label)
        self.labels += 1

    def _restore(self) -> None:
        usual = self._profile.load_state("usual")
        if usual:
            for name, target in (("embedding", "usual"), ("emotion", "usual_emotion")):
                own = {k.split("/")[1]: a for k, a in usual[0].items() if k.startswith(f"{name}/")}
                setattr(self, target, RunningNormalization.from_arrays(own))
            own = {k.split("/")[1]: a for k, a in usual[0].items() if k.startswith("voice/")}
            self.voice = VoiceDriftDetector.from_arrays(own) if own else VoiceDriftDetector()
        learner = self._profile.load_state("learner")
        if learner:
            arrays, self._through = learner
            self.labels = self._saved_labels = int(arrays.pop("labels")[0])
            self.learner = AffectLearner.from_arrays(arrays)


def learn_anew(profile: Profile) -> None:
    """Fold all rows of a profile that has no states, and keep what that gives."""
    online_model = OnlineModel(profile)
    for number in profile.utterances.numbers():
        stored = profile.utterances.get(number)
        online_model.adapt(stored.embedding, stored.emotion)
    online_model.catch_up()
    online_model.save()

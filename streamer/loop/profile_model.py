"""The online model of a profile, kept in step with the profile's rows.

The rows are the truth: the model is a fold of all stored utterances and of the effective labels, in
the order of the log, each with the features that it was first learned with. A plain new label is
one more step; an undone or replaced one folds anew without it. So a restart, a replay and an
unbroken run agree to the last bit, given that each computes on one thread, as the command line
does: on several, sums may be taken in another order.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from streamer.errors import UsageError
from streamer.learners.affect import AffectLearner
from streamer.learners.drift import Drift, drifts
from streamer.learners.plugged import BAYESIAN, make_regression
from streamer.loop.online_model import OnlineModel
from streamer.loop.training_set import Lesson
from streamer.store.profile import Profile
from streamer.store.records import LogEntry
from streamer.types import HasEncoding, Label, Matrix, Vector

LABELS_AT_ONCE: Final = 50
SNAPSHOT_EVERY: Final = 64


class ProfileModel:
    """What a profile has learned. Only the process that has taken it over may change it.

    model: predicts and compares; it is never to be taught directly.
    Raises ProfileError and its kinds.
    """

    def __init__(self, profile: Profile) -> None:
        """profile: one that is bound to its encoder."""
        self._profile = profile
        prior = profile.prior()
        check_learner(profile)
        self.model = OnlineModel(prior, learner_of(profile), taught=self)
        self._through = 0
        self._saved_labels = 0
        self._restore()
        self._reported = {(d.signal, d.found) for d in self.drifts()}
        self._known_changes = self.model.changes()

    def adapt(self, encoded: HasEncoding) -> None:
        """As `OnlineModel.adapt`, and store the result."""
        self.model.adapt(encoded)
        self._profile.save_state("usual", self.model.adaptation_to_arrays())

    def drifts(self) -> list[Drift]:
        """What has changed since the beginning, in the order in which it was found."""
        # The voice is heard before its utterance has a number, so its changes count utterances.
        nth = self._profile.utterances.nth
        heard, errors = self.model.changes()
        voice = [replace(c, since=nth(c.since), found=nth(c.found)) for c in heard]
        return drifts(voice, errors)

    def new_drifts(self) -> list[Drift]:
        """Those found since the start or the last time that this was asked."""
        if self.model.changes() == self._known_changes:  # as after nearly every utterance
            return []
        self._known_changes = self.model.changes()
        fresh = [d for d in self.drifts() if (d.signal, d.found) not in self._reported]
        self._reported |= {(d.signal, d.found) for d in fresh}
        return fresh

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
                self.model.learn_lesson(_lesson(entry, self._features_of(entry)))
        # Only now is it sure: had the disk been full, the labels would be learned again.
        self._through = last
        if replaced or self.model.labels >= self._saved_labels + SNAPSHOT_EVERY:
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
                self.model.learn_lesson(_lesson(entry, entry.features))

    def catch_up(self) -> None:
        """Learn all of the log that is not in the last snapshot."""
        while self._through < self._profile.labels.newest():
            self.learn_new()

    def save(self) -> None:
        """Keep the learner as it is, so that the next start need not fold from the beginning.

        A learner whose state cannot be stored is folded anew at every start.
        """
        if not self.model.learner.is_storable:
            return
        self._profile.save_state("learner", self.model.learner_to_arrays(), self._through)
        self._saved_labels = self.model.labels

    def lessons(self) -> Iterator[Lesson]:
        """What was learned, from the log: only the strategies that look at it have it read."""
        for entry in self._profile.labels.effective(self._through):
            if entry.features is not None:
                yield _lesson(entry, entry.features)

    def enrolled(self) -> Mapping[str, Matrix]:
        return self._profile.emotions.enrolled()

    def start_over(self) -> None:
        """Know no label; the next ones are learned from the beginning of the log."""
        self.model.relearn()
        self._through = 0

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
        return fresh, undone or counting != self.model.labels + len(fresh), last

    def _features_of(self, entry: LogEntry) -> Vector:
        """Those it was first learned with; at the first time, those of now, which are then kept."""
        if entry.features is not None:
            return entry.features
        stored = self._profile.utterances.get(entry.label.utterance)
        features = self.model.features(stored.embedding)
        self._profile.labels.learned_with(entry.seq, features)
        return features

    def _restore(self) -> None:
        usual = self._profile.load_state("usual")
        if usual:
            self.model.restore_adaptation(usual[0])
        learner = self._profile.load_state("learner")
        if learner and self.model.learner.is_storable:
            arrays, self._through = learner
            self.model.restore_learner(arrays)
            self._saved_labels = self.model.labels


def learner_of(profile: Profile) -> str:
    """The name or import path of the learner that a profile learns with."""
    return profile.meta("learner") or BAYESIAN


def check_learner(profile: Profile) -> None:
    """Raises UsageError where the profile's learner cannot be made here, with the way out."""
    learner = learner_of(profile)
    try:
        make_regression(learner)
    except UsageError as error:
        raise UsageError(
            f"the learner of profile {profile.folder.name!r}: {error}; or learn its labels anew "
            "with `streamer run --learner bayesian`"
        ) from error


def untaught_learner(profile: Profile) -> AffectLearner:
    """The profile's learner as it was before the first label. Raises UsageError, ProfileError."""
    check_learner(profile)
    return AffectLearner(profile.prior(), make_regression(learner_of(profile)))


def choose_learner(profile: Profile, learner: str) -> None:
    """Learn with this one from now on; where it is another than before, all labels anew.

    Raises UsageError, and changes nothing, where there is no such learner.
    """
    make_regression(learner)
    if learner != learner_of(profile):
        with profile.database.transaction():
            profile.set_meta("learner", learner)
            profile.forget_state("learner")


def learn_anew(profile: Profile) -> None:
    """Fold all rows of a profile that has no states, and keep what that gives."""
    profile_model = ProfileModel(profile)
    for number in profile.utterances.numbers():
        profile_model.adapt(profile.utterances.get(number))
    profile_model.catch_up()
    profile_model.save()


def _lesson(entry: LogEntry, features: Vector) -> Lesson:
    return Lesson(entry.label, features, entry.first)

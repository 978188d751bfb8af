"""The online model of a profile, synchronized with the profile's rows.

The model is a fold of all stored utterances and of the effective labels, in the order of the log,
each with the features that it was first learned with. A new label is one more step; an undone or
replaced one causes a refit without it. So a restart, a replay and an uninterrupted run agree bit
for bit, if each computes on one thread, as the command line does: several threads may sum in
another order.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from streamer.errors import DiskFull, ProfileError, ProfileLocked, UsageError
from streamer.learners.drift import Drift, drifts
from streamer.learners.plugged import BAYESIAN, make_regression
from streamer.loop.online_model import OnlineModel
from streamer.loop.training_set import Lesson
from streamer.store.profile import Profile
from streamer.store.records import LogEntry
from streamer.types import HasEncoding, Label, Matrix, Vector

LABELS_AT_ONCE: Final = 50
# What `run --no-population` leaves in the profile, "no".
POPULATION: Final = "population"
# Where nobody waits to be heard meanwhile.
LABELS_IN_A_BATCH: Final = 1000
GIVE_PATIENCE_S: Final = 5.0
SNAPSHOT_EVERY: Final = 64
SNAPSHOT_SHARE: Final = 4


@dataclass(frozen=True, slots=True)
class Update:
    """One change of the learner.

    learned: labels learned for the first time; refitted: whether others were undone or replaced, so
    that it was refitted; labels: the number of effective labels.
    """

    learned: Sequence[Label]
    refitted: bool
    labels: int


class ProfileModel:
    """The model of a profile. Only the process that has taken over the profile may change it.

    model: predicts and compares; never call its `learn` directly. Threads may share it: every
    change, and every consistent read, is inside `exclusive`. Raises ProfileError and its kinds.
    """

    def __init__(self, profile: Profile) -> None:
        """profile: one that is bound to its encoder."""
        self.profile = profile
        prior = profile.prior()
        check_learner(profile)
        # For all processes alike, also those without the settings of the one that listens.
        population = profile.meta(POPULATION) != "no"
        self.model = OnlineModel(
            prior,
            learner_of(profile),
            taught=self,
            population=population,
            source=profile.sources.active(profile.meta("encoder_sha256")),
        )
        self._through = 0
        self._saved_labels = 0
        self._is_checked = False
        self._updates: list[Update] = []
        self._restore()
        self._reported = {(d.signal, d.found) for d in self.drifts()}
        self._known_changes = self.model.changes()

    def adapt(self, encoded: HasEncoding) -> None:
        """As `OnlineModel.adapt`, and store the result."""
        self.model.adapt(encoded)
        self.profile.save_state("usual", self.model.adaptation_to_arrays())

    def drifts(self) -> list[Drift]:
        """All changes found, in order of detection."""
        # An utterance has no id yet when the voice detector takes it in: it counts utterances.
        nth = self.profile.utterances.nth
        voices, errors = self.model.changes()
        voice = [replace(c, since=nth(c.since), found=nth(c.found)) for c in voices]
        return drifts(voice, errors)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Lock the model and its profile's connection against other threads."""
        with self.profile.database.exclusive():
            yield

    def new_drifts(self) -> list[Drift]:
        """Changes found since the start or the last call."""
        with self.exclusive():
            if self.model.changes() == self._known_changes:  # as after nearly every utterance
                return []
            self._known_changes = self.model.changes()
            fresh = [d for d in self.drifts() if (d.signal, d.found) not in self._reported]
            self._reported |= {(d.signal, d.found) for d in fresh}
            return fresh

    def learn_new(self, at_once: int | None = None) -> None:
        """Learn new rows of the log, at most `at_once` of them, or all where it refits.

        at_once: None for `LABELS_AT_ONCE`, after which whoever listens goes on.

        Callable from any thread; `take_updates` returns the outcome.
        """
        with self.exclusive():
            if self.profile.labels.newest() <= self._through:
                return
            try:
                with self.profile.database.transaction():
                    entries = self.profile.labels.log(self._through, at_once or LABELS_AT_ONCE)
                    fresh, refit = self._classify(entries)
                    last = entries[-1].seq
                    learned = [entry.label for entry in fresh if entry.features is None]
                    if refit:  # once, however many of the rows that wait need it
                        last = self.profile.labels.newest()
                        learned = []
                        self.start_over()
                    for entry in self._effective(last) if refit else fresh:
                        self.model.learn_lesson(lesson_of(entry, self._features_of(entry)))
                        if refit and entry.features is None:
                            learned.append(entry.label)
            except ProfileLocked:  # before it began: nothing was learned
                raise
            except BaseException:  # such as a full disk: what was learned is not in the store
                self.start_over()
                with suppress(ProfileError):
                    self.follow()
                raise
            self._through = last
            # Seldom where there are many: a snapshot is as large as all answers.
            due = self._saved_labels + max(SNAPSHOT_EVERY, self._saved_labels // SNAPSHOT_SHARE)
            if refit or self.model.labels >= due:
                self.save()
            if learned or refit:
                self._updates.append(Update(learned, refit, self.model.labels))

    def give(self, labels: Sequence[Label], now: float, scale: tuple[float, float]) -> None:
        """Store labels and learn them with all pending rows of the log, atomically.

        Callable from any thread of the process that has taken the profile over.

        Parameters
        ----------
        now
            Seconds since 1970.
        scale
            Low and high of the values given.

        Raises
        ------
        UsageError, NotFound, ProfileError
            As `Labels.add`.
        """
        with self.exclusive():
            updates, learned = len(self._updates), (self._through, self.model.labels)
            try:
                # While it waits, so does the thread that listens.
                with (
                    self.profile.database.patience(GIVE_PATIENCE_S),
                    self.profile.database.transaction(fold_later=True),
                ):
                    self.profile.labels.add(labels, now, scale)
                    self.catch_up()
            except BaseException:
                if learned != (self._through, self.model.labels):  # of what is not in the log
                    self.start_over()
                    with suppress(ProfileError):
                        self.catch_up()
                del self._updates[updates:]
                raise

    def take_updates(self) -> list[Update]:
        """The updates of `learn_new` since the last call, on any thread."""
        with self.exclusive():
            updates, self._updates = self._updates, []
        return updates

    def follow(self) -> None:
        """Read-only: learn what another process has learned so far."""
        entries = self.profile.labels.log(self._through)
        # Those behind one that it has yet to learn wait with it.
        known = [*takewhile(lambda e: e.features is not None or not e.effective, entries)]
        if not known:
            return
        fresh, refit = self._classify(known)
        if refit:
            self.start_over()
        for entry in self._effective(known[-1].seq) if refit else fresh:
            if entry.features is not None:
                self.model.learn_lesson(lesson_of(entry, entry.features))
        self._through = known[-1].seq

    def catch_up(self) -> None:
        """Learn all rows of the log since the last snapshot."""
        while self._through < self.profile.labels.newest():
            self.learn_new(LABELS_IN_A_BATCH)

    def save(self) -> None:
        """Store a snapshot of the learner, so that the next start need not replay the whole log.

        A learner without storable state is replayed at every start. So are the labels since the
        last snapshot, where the disk has no room for one.
        """
        if not self.model.learner.is_storable:
            return
        with self.exclusive(), suppress(DiskFull):
            self.profile.save_state("learner", self.model.learner_to_arrays(), self._through)
            self._saved_labels = self.model.labels

    def lessons(self) -> Iterator[Lesson]:
        """The learned labels, read from the log only for strategies that use them."""
        for entry in self._effective(self._through):
            if entry.features is not None:
                yield lesson_of(entry, entry.features)

    def enrolled(self) -> Mapping[str, Matrix]:
        return self.profile.emotions.enrolled()

    def shares(self) -> Mapping[str, Vector]:
        return self.profile.emotions.shares()

    def start_over(self) -> None:
        """Reset the learner; the log is then learned from the beginning."""
        self.model.relearn()
        self._through = 0

    def _classify(self, entries: Sequence[LogEntry]) -> tuple[list[LogEntry], bool]:
        """The effective rows among the next ones of the log, and whether a refit is needed.

        A refit is needed where a learned row is retracted, or replaced by a new answer, and where
        one counts again that was passed over. These are looked for among the new rows alone, so
        that a long log costs no more than a short one; that the learner rests on as many rows as
        are effective is checked once.
        """
        fresh = [entry for entry in entries if entry.effective]
        retracted = any(e.retracts is not None and e.retracts <= self._through for e in entries)
        among = self._through, entries[-1].seq
        refit = (
            retracted or self.profile.labels.replaces(*among) or self.profile.labels.revives(*among)
        )
        if not self._is_checked:
            counting = self.profile.labels.count(entries[-1].seq)
            refit = refit or counting != self.model.labels + len(fresh)
            self._is_checked = True
        return fresh, refit

    def _effective(self, through: int) -> Iterator[LogEntry]:
        """The rows that count, up to a seq, few of them in memory at a time."""
        after = 0
        while entries := self.profile.labels.effective(through, after, LABELS_IN_A_BATCH):
            yield from entries
            after = entries[-1].seq

    def _features_of(self, entry: LogEntry) -> Vector:
        """The features that the label was first learned with; stored at the first call."""
        if entry.features is not None:
            return entry.features
        embedding = self.profile.utterances.embedding(entry.label.utterance)
        features = self.model.features(embedding)
        self.profile.labels.learned_with(entry.seq, features)
        return features

    def _restore(self) -> None:
        usual = self.profile.load_state("usual")
        if usual:
            self.model.restore_adaptation(usual[0])
        learner = self.profile.load_state("learner")
        if learner and self.model.learner.is_storable:
            arrays, self._through = learner
            self.model.restore_learner(arrays)
            self._saved_labels = self.model.labels


def learner_of(profile: Profile) -> str:
    """The name or import path of the learner that a profile learns with."""
    return profile.meta("learner") or BAYESIAN


def check_learner(profile: Profile) -> None:
    """Raises UsageError with a remedy where the profile's learner cannot be created here."""
    learner = learner_of(profile)
    try:
        make_regression(learner)
    except UsageError as error:
        raise UsageError(
            f"the learner of profile {profile.folder.name!r}: {error}; or learn its labels anew "
            "with `streamer run --learner bayesian`"
        ) from error


def untaught_model(profile: Profile) -> OnlineModel:
    """The profile's model without labels. Raises UsageError, ProfileError."""
    check_learner(profile)
    return OnlineModel(profile.prior(), learner_of(profile))


def choose_learner(profile: Profile, learner: str) -> None:
    """Set the profile's learner; a change relearns all labels.

    Raises UsageError, without changes, for an unknown learner.
    """
    make_regression(learner)
    if learner != learner_of(profile):
        with profile.database.transaction():
            profile.set_meta("learner", learner)
            profile.forget_state("learner")


def learn_anew(profile: Profile) -> None:
    """Compute the state of a profile from all its rows, and store it."""
    profile_model = ProfileModel(profile)
    for number in profile.utterances.numbers():
        profile_model.adapt(profile.utterances.get(number))
    profile_model.catch_up()
    profile_model.save()


def lesson_of(entry: LogEntry, features: Vector) -> Lesson:
    return Lesson(entry.label, features, entry.first)

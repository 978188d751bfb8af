"""An annotation session: people answer one utterance after the other, and can undo every answer.

It chooses the next utterance, and repeats one answered utterance in twenty. The answer to a repeat
is not learned: it measures how consistent the annotator is. The audio of an answered query is
deleted from the disk at once; a session keeps the last ones in memory, for repeats and for undo.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from streamer.annotation.labels import give, withdraw
from streamer.audio.clips import from_recording, to_flac
from streamer.errors import AlreadyAnswered
from streamer.loop.clip_cache import ClipCache
from streamer.loop.profile_model import ProfileModel
from streamer.loop.trust import predict
from streamer.store.annotation_events import Kind
from streamer.store.labelling_sign import LabellingSign
from streamer.store.marks import Marks
from streamer.store.profile import DIMENSION, Profile
from streamer.store.queries import Order
from streamer.store.records import StoredUtterance
from streamer.types import DIMENSIONS, Label, Prediction

if TYPE_CHECKING:
    from streamer.loop.loop import Loop

COMMON_EMOTIONS: Final = (
    "neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise", "calm", "boredom",
)  # fmt: skip
# Answers between two repeats, drawn evenly: one in twenty on average.
REPEAT_EVERY: Final = (15, 26)
# Answers that lie at least between an utterance and its repeat.
REPEAT_DISTANCE: Final = 10
# Widths of an interval beyond it from which an answer is confirmed.
SURPRISING: Final = 0.5


@dataclass(frozen=True, slots=True)
class Item:
    """One utterance to label. answered: the answer that was undone, if it was reopened by undo."""

    utterance: StoredUtterance
    has_audio: bool
    answered: Label | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """The result of saving an answer.

    predicted: before it was learned; now: after, None for a repeat and while another process has
    yet to learn it; first: the annotator's earlier answer, for a repeat; problem: why it is stored
    but could not be learned yet.
    """

    predicted: Prediction
    now: Prediction | None
    first: Label | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """left: open and not skipped; answered: labels that count; spared: released without a question.

    skipped, cannot_tell, repeats: those of the annotator. mean_difference: between first and
    second answers of the annotator, valence and arousal together, in [0, 2]; None without any.
    """

    left: int
    answered: int
    spared: int
    skipped: int
    cannot_tell: int
    repeats: int
    mean_difference: float | None


@dataclass(slots=True)
class _Seat:
    """One person at one page or terminal, the only place that asks for a repeat of an answer.

    answered: from there, oldest first; due: answers until the next repeat; repeating: what is asked
    a second time now.
    """

    due: int
    answered: list[int] = field(default_factory=list)
    repeating: int | None = None


class AnnotationSession:
    """Presents the open queries of one profile to any number of named annotators.

    rng: draws the repeats; wall_s: seconds since 1970; channel: of recordings, see
    `from_recording`; loop: one that this process runs on the profile: it learns each answer at
    once, and its clips are used; on_disk: audio may be stored there, so that a query that is opened
    again gets its clip back; dimension: the only one that is asked, where the settings name one.
    Methods raise NotFound, UsageError and other kinds of ProfileError.
    """

    def __init__(
        self,
        profile: Profile,
        rng: np.random.Generator,
        wall_s: Callable[[], float],
        channel: int | None = None,
        loop: "Loop | None" = None,
        on_disk: bool = True,
        dimension: str | None = None,
    ) -> None:
        self.profile = profile
        self._rng = rng
        self._wall_s = wall_s
        self._channel = channel
        self._loop = loop
        self._clips = ClipCache() if loop is None else loop.clips
        self._on_disk = on_disk
        self._sign = LabellingSign(profile.folder)
        self._dimension = dimension
        self._marks = profile.marks.now()
        self._seats: defaultdict[tuple[str, str], _Seat] = defaultdict(self._new_seat)

    @property
    def dimension(self) -> str | None:
        """The only dimension that is asked, by the settings or by the process that listens."""
        return self._dimension or self.profile.meta(DIMENSION) or None

    @property
    def marks(self) -> Marks:
        """Those of the profile now; what was remembered under others is dropped."""
        marks = self.profile.marks.now()
        if marks != self._marks:
            self._marks = marks
            self._seats.clear()
            self._clips.follow(marks)
        return marks

    @contextmanager
    def profile_model(self) -> Iterator[ProfileModel]:
        """The model of the loop that this process runs, else one read from the store.

        The loop waits meanwhile: hold it only as long as needed.
        """
        with nullcontext() if self._loop is None else self._loop.profile_model() as profile_model:
            if profile_model is None:
                profile_model = ProfileModel(self.profile)
                profile_model.follow()
            yield profile_model

    def next(
        self,
        annotator: str,
        order: Order = "informative",
        seat: str = "",
        current: int | None = None,
    ) -> Item | None:
        """The annotator's current item; the same until it is answered or skipped.

        Processes that show predictions are told that somebody labels.

        Parameters
        ----------
        seat
            Which page or terminal of the annotator asks: a repeat is asked only where the first
            answer was given, as somebody else may use the same name elsewhere.
        current
            The utterance that is shown there, which comes first while it is open.
        """
        self._sign.give()
        _ = self.marks  # a repeat of an utterance that was forgotten is none
        repeat = self._seats[annotator, seat].repeating
        if repeat is not None:
            return self._item(repeat)
        query = self.profile.queries.next(annotator, order, current)
        if query is None:
            return None
        return Item(query.utterance, query.has_clip or self.has_audio(query.utterance.id))

    def save(self, answer: Label, seat: str = "") -> Saved:
        """Store an answer and have it learned; where a repeat was asked, only compare the two.

        Raises AlreadyAnswered where the same name has answered it elsewhere meanwhile: that is
        neither a repeat nor a correction.
        """
        utterance = self.profile.utterances.get(answer.utterance)
        first = self.profile.labels.answer_of(answer.utterance, answer.annotator)
        person = self._seats[answer.annotator, seat]
        # The same again, before it could be learned: it was sent again, as its reply was lost.
        sent_again = first is not None and first.features is None and first.label == answer
        if first is not None and person.repeating != answer.utterance and not sent_again:
            raise AlreadyAnswered(
                f"{answer.annotator} has answered utterance {answer.utterance} elsewhere meanwhile:"
                " this answer is not stored; correct the other one if it is wrong"
            )
        self._keep_clip(answer.utterance)
        with self.profile_model() as profile_model:
            predicted = predict(profile_model.model, utterance, utterance.quality)
            if sent_again:
                return Saved(predicted, None, None)
            if first is not None:
                self.profile.annotation_events.add("repeat", answer, self._wall_s())
                person.repeating = None
                return Saved(predicted, None, first.label)
            problem = give(self.profile, [answer], profile_model=profile_model).problem
            learned = self.learned(answer.utterance, answer.annotator)
            now = predict(profile_model.model, utterance, utterance.quality) if learned else None
        person.answered.append(answer.utterance)
        person.due -= 1
        if person.due <= 0 and (again := self._repeatable(answer.annotator, person)):
            person.repeating = int(self._rng.choice(again))
            person.due = self._draw()
        return Saved(predicted, now, None, problem)

    def is_surprising(self, answer: Label) -> bool:
        """Whether a value lies outside its interval by more than half of the interval's width.

        Never a repeat: it is not learned, and to question it would tell what is predicted.
        """
        utterance = self.profile.utterances.get(answer.utterance)
        if self.profile.labels.answer_of(answer.utterance, answer.annotator) is not None:
            return False
        with self.profile_model() as profile_model:
            predicted = predict(profile_model.model, utterance, utterance.quality)
        for name in DIMENSIONS:
            value, estimate = getattr(answer, name), getattr(predicted, name)
            margin = SURPRISING * (estimate.high - estimate.low)
            if value is not None and not (estimate.low - margin <= value <= estimate.high + margin):
                return True
        return False

    def pass_over(self, kind: Kind, utterance: int, annotator: str, seat: str = "") -> None:
        """Skip an utterance, or close its query ("cannot tell"), which deletes its audio.

        Skipping a repeat only drops the repeat.
        """
        person = self._seats[annotator, seat]
        if person.repeating == utterance:
            person.repeating = None
            return
        now = self._wall_s()
        self._keep_clip(utterance)
        with self.profile.database.transaction():
            self.profile.annotation_events.add(
                kind, Label(utterance, None, None, None, None, annotator), now
            )
            if kind == "cannot tell":
                self.profile.utterances.close_query(utterance, now)

    def undo(self, annotator: str, seat: str = "") -> Item | None:
        """Undo the annotator's last action, of any session; None if there is nothing."""
        label = self.profile.labels.newest_of(annotator)
        event = self.profile.annotation_events.newest(annotator)
        person = self._seats[annotator, seat]
        if event is not None and (label is None or event.is_after(label)):
            utterance = event.answer.utterance
            self.profile.annotation_events.undo(event.id, self._wall_s())
            if event.kind == "repeat":
                person.repeating = utterance
                return self._item(utterance, event.answer)
            if event.kind == "cannot tell":
                self._ask_again(utterance)
            return self._item(utterance)
        if label is None:
            return None
        utterance = label.label.utterance
        with self.profile_model() as profile_model:
            withdraw(self.profile, label.seq, profile_model)
        self._ask_again(utterance)
        for (name, _), one in self._seats.items():
            if name == annotator and utterance in one.answered:
                one.answered.remove(utterance)
                one.due += 1
        person.repeating = None
        return self._item(utterance, label.label)

    def ask_skipped_again(self, annotator: str) -> None:
        self.profile.annotation_events.ask_skipped_again(annotator, self._wall_s())

    def clip(self, utterance: int) -> bytes | None:
        """FLAC bytes from memory, from the open query, or from the original recording."""
        kept = self._clips.get(utterance, self.marks) or self.profile.audio.clip(utterance)
        if kept is not None:
            return kept
        recording = self.profile.recording_of(utterance)
        if recording is None:
            return None
        stored = self.profile.utterances.get(utterance)
        audio = from_recording(recording, stored.onset_s, stored.offset_s, self._channel)
        return None if audio is None else to_flac(audio)

    def predict(self, utterance: int) -> Prediction:
        """The current prediction of a stored utterance."""
        stored = self.profile.utterances.get(utterance)
        with self.profile_model() as profile_model:
            return predict(profile_model.model, stored, stored.quality)

    def learned(self, utterance: int, annotator: str) -> bool:
        """Whether the annotator's label on it has been learned."""
        entry = self.profile.labels.answer_of(utterance, annotator)
        return entry is not None and entry.features is not None

    def emotions(self) -> dict[str, str | None]:
        """The emotions to choose from, each with its key, in an order that never changes.

        At first those in use and common ones, nine or more; a new one comes last. See
        `EmotionKeys`; None is the key of those that come after the last key.
        """
        used, keys = self.profile.emotions.names(), self.profile.emotion_keys
        if not keys.keys():
            more = [name for name in COMMON_EMOTIONS if name not in used]
            used += more[: max(0, len(COMMON_EMOTIONS) - len(used))]
        keys.add(used)
        return keys.keys()

    def progress(self, annotator: str) -> Progress:
        events = self.profile.annotation_events
        repeats = [answer for answer in events.repeats() if answer.annotator == annotator]
        return Progress(
            left=self.profile.queries.count(annotator),
            answered=self.profile.labels.count(),
            spared=self.profile.utterances.counts()["released"],
            skipped=events.count(annotator, "skip"),
            cannot_tell=events.count(annotator, "cannot tell"),
            repeats=len(repeats),
            mean_difference=self._mean_difference(repeats),
        )

    def _mean_difference(self, repeats: list[Label]) -> float | None:
        differences = []
        for again in repeats:
            entry = self.profile.labels.answer_of(again.utterance, again.annotator)
            for name in ("valence", "arousal"):
                first = getattr(entry.label, name) if entry else None
                second = getattr(again, name)
                if first is not None and second is not None:
                    differences.append(abs(first - second))
        return float(np.mean(differences)) if differences else None

    def _item(self, utterance: int, answered: Label | None = None) -> Item:
        stored = self.profile.utterances.get(utterance)
        return Item(stored, self.has_audio(utterance), answered)

    def has_audio(self, utterance: int) -> bool:
        """Whether there is something to listen to."""
        return (
            self._clips.has(utterance, self.marks)
            or self.profile.audio.has_clip(utterance)
            or self.profile.recording_of(utterance) is not None
        )

    def _keep_clip(self, utterance: int) -> None:
        marks = self.marks  # before the clip: what is deleted in between is not kept
        clip = self.profile.audio.clip(utterance)
        if clip is not None:
            self._clips.put(utterance, clip, marks)

    def _ask_again(self, utterance: int) -> None:
        with self.profile.database.transaction():  # nobody can forget the clip in between
            clip = self._clips.get(utterance, self.marks) if self._on_disk else None
            self.profile.queries.reopen(utterance, clip)

    def _repeatable(self, annotator: str, person: _Seat) -> list[int]:
        done = self.profile.annotation_events.repeated(annotator)
        old = person.answered[:-REPEAT_DISTANCE]
        return [u for u in old if u not in done and self.has_audio(u)]

    def _new_seat(self) -> _Seat:
        return _Seat(self._draw())

    def _draw(self) -> int:
        return int(self._rng.integers(*REPEAT_EVERY))

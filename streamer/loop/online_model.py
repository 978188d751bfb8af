"""The online model of one voice, used by `streamer run` and by Python programs.

It is a fold of two streams. Every utterance updates the normalization for the voice and microphone
(`adapt`); every label updates the learner (`learn`), with features normalized as they were when the
label was first learned. So the same utterances and labels, replayed in the same order on one
thread, give the same model bit for bit; `profile_model` replays a profile's rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy, deepcopy
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from streamer.errors import UsageError
from streamer.learners.affect import AffectLearner
from streamer.learners.answers import checked_answer
from streamer.learners.drift import Change
from streamer.learners.emotion_models import EmotionModels
from streamer.learners.fading_source import FadingClassifier, SourceRecord, source_record
from streamer.learners.normalization import SMALLEST_DEVIATION, RunningNormalization
from streamer.learners.plugged import BAYESIAN, Learner, make_regression
from streamer.learners.prior import Prior
from streamer.learners.prototypes import (
    NOBODY,
    Population,
    Prototype,
    build_prototypes,
    open_set_false_accepts,
    verify,
)
from streamer.learners.raters import RaterWeights
from streamer.learners.scale import squash
from streamer.learners.source import SourceModel
from streamer.learners.voice_drift import VoiceDriftDetector
from streamer.loop.training_set import Lesson, MemoryTrainingSet, TrainingSet
from streamer.query.model_view import Classifier, ModelView
from streamer.query.strategy import Labelled
from streamer.text import emotion_name
from streamer.types import HasEncoding, Label, Prediction, Samples, Vector, Verdict


class HasPrior(Protocol):
    """Anything with a prior: every encoder."""

    @property
    def prior(self) -> Prior: ...


class OnlineModel:
    """One voice: its normalization, its learner and its emotion prototypes.

    Parameters
    ----------
    encoder
        The encoder of the encodings; or its prior.
    learner
        ``"bayesian"``, an import path such as ``"river:linear_model.PARegressor"``, or a class that
        speaks river's protocol (`streamer.OnlineRegressor`).
    taught
        Where labels and enrolled utterances are stored, such as a profile; None: in this model.
    population
        Use population prototypes for emotions that are not enrolled.
    source
        A labelled source to start from, in addition to the encoder's prior.

    Attributes
    ----------
    labels : int
        The number of effective labels.

    Raises
    ------
    streamer.errors.UsageError
        There is no such learner.

    Notes
    -----
    It is not thread-safe. For a bit-exact replay, set
    ``OPENBLAS_NUM_THREADS=1`` before numpy is imported, as the command line does.

    Examples
    --------
    >>> import streamer
    >>> from streamer.testing import synthetic_speech
    >>> rng = np.random.default_rng(0)
    >>> encoder = streamer.load_encoder("acoustic")
    >>> angry = encoder(synthetic_speech(rng, "angry", seconds=1.0), 16_000)
    >>> sad = encoder(synthetic_speech(rng, "sad", seconds=1.0), 16_000)
    >>> model = OnlineModel(encoder)
    >>> for encoding in (angry, sad):
    ...     model.adapt(encoding)
    >>> model.learn(angry, valence=-0.5, arousal=0.8, emotion="anger")
    >>> model.learn(sad, valence=-0.5, arousal=-0.6, emotion="sadness")
    >>> model.predict(angry).arousal.mean > 0.0 > model.predict(sad).arousal.mean
    True
    >>> model.verdict(angry).emotion
    'anger'
    """

    def __init__(
        self,
        encoder: HasPrior | Prior,
        learner: Learner = BAYESIAN,
        *,
        taught: TrainingSet | None = None,
        population: bool = True,
        source: SourceModel | None = None,
    ) -> None:
        prior = encoder if isinstance(encoder, Prior) else encoder.prior
        self.prior = prior = prior if source is None else source.joined(prior)
        self._source = source
        self.usual = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
        self.usual_emotion = RunningNormalization(
            prior.emotion_mean, np.ones_like(prior.emotion_mean)
        )
        self.population = Population.of(prior) if population else NOBODY
        self.voice = VoiceDriftDetector()
        self._make_regression = make_regression(learner)
        self.learner = self._untaught()
        self.raters = RaterWeights()
        self.labels = 0
        memory = MemoryTrainingSet()
        self._memory = memory if taught is None else None
        self._taught: TrainingSet = memory if taught is None else taught
        self._prototypes: dict[str, Prototype] | None = None
        self._emotions: EmotionModels | None = None

    def adapt(self, encoded: HasEncoding) -> None:
        """Update the normalization for this voice and microphone with an utterance.

        No label needed.

        Call it once per utterance, before it is predicted or learned.

        Parameters
        ----------
        encoded
            An `Encoding`, or anything else with the two vectors.
        """
        if self._memory is not None:
            self._memory.number_of(encoded)
        embedding = encoded.embedding.astype(np.float64)
        before = self.usual.weight
        self.usual.update(embedding)
        apart = embedding - self.prior.embedding_mean
        scaled = apart / np.maximum(self.prior.embedding_deviation, SMALLEST_DEVIATION)
        self.voice.hear(self.usual.count, scaled, self.usual.weight - before)
        self.usual_emotion.update(encoded.emotion.astype(np.float64))
        self._prototypes = None

    def features(self, embedding: Samples) -> Vector:
        """Standard scores, float64 [d] or [n, d], that the learner reads."""
        return self.usual.apply(embedding.astype(np.float64))

    def predict(self, encoded: HasEncoding) -> Prediction:
        """Predict valence, arousal and dominance with intervals."""
        return self.learner.predict(self.features(encoded.embedding))

    def verdict(self, encoded: HasEncoding) -> Verdict:
        """The nearest emotion, or unknown where no prototype is near enough."""
        emotion = encoded.emotion.astype(np.float64)
        return verify(emotion, self.prototypes, self.usual_emotion.mean)

    def learn(
        self,
        encoded: HasEncoding,
        *,
        valence: float | None = None,
        arousal: float | None = None,
        dominance: float | None = None,
        emotion: str | None = None,
        annotator: str = "me",
    ) -> None:
        """Learn one person's label of an utterance, at once.

        At least one of the four is given. The same annotator's later label of the same utterance
        replaces the earlier one.

        Parameters
        ----------
        encoded
            The utterance; the same embedding is the same utterance.
        valence, arousal, dominance
            In [-1, 1]; None for no answer.
        emotion
            A name, 1 to 64 characters; the utterance then also counts as enrolled under it.
        annotator
            Whose label it is, 1 to 64 characters.

        Raises
        ------
        streamer.errors.UsageError
            For an empty label, a value out of range or an impossible name; and for a model of a
            profile, whose labels are to be added to the profile.
        """
        memory = self._own_memory()
        name = None if emotion is None else emotion_name(emotion)
        number = memory.number_of(encoded)
        label = checked_answer(Label(number, valence, arousal, dominance, name, annotator))
        lesson = memory.add(encoded, label, self.features(encoded.embedding))
        if lesson is None:
            self.relearn(memory.lessons())
        else:
            self.learn_lesson(lesson)

    def enroll(self, emotion: str, encoded: Iterable[HasEncoding]) -> None:
        """Add utterances as examples of an emotion, for `verdict`.

        Parameters
        ----------
        emotion
            A name, 1 to 64 characters; it is kept in lower case.
        encoded
            About ten utterances are sufficient (Li and Lee, section 3).

        Raises
        ------
        streamer.errors.UsageError
            For an impossible name, and for a model of a profile.
        """
        memory, name = self._own_memory(), emotion_name(emotion)
        for one in encoded:
            memory.enroll(name, one)
        self._prototypes = None

    def learn_lesson(self, lesson: Lesson) -> None:
        """One step of the fold."""
        expected = self.prior.expect(lesson.features[np.newaxis])[0][0]
        weight = self.raters.weigh(lesson.label, squash(expected))
        self.learner.learn(lesson.features, lesson.label, first=lesson.first, weight=weight)
        if self._emotions is not None:
            self._emotions.learn(lesson.features, lesson.label)
        self.labels += 1
        self._prototypes = None

    def relearn(self, lessons: Iterable[Lesson] = ()) -> None:
        """Reset the learner and learn these labels, after one was undone or replaced."""
        self.learner, self.labels = self._untaught(), 0
        self.raters = RaterWeights()
        self._emotions = self._prototypes = None
        for lesson in lessons:
            self.learn_lesson(lesson)

    @property
    def knowledge(self) -> ModelView:
        """The view of the model for query strategies."""
        return ModelView(
            self.learner,
            self._labelled,
            self._classifier,
            lambda: self._emotion_models().by_annotator,
            of_source=self._source is not None,
        )

    def reload_emotions(self) -> None:
        """Reload the emotions after enrolments or deletions by other code."""
        self._prototypes = None

    def source_record(self) -> SourceRecord | None:
        """The accuracy of the labelled source on the labels; None without a source."""
        if self._source is None or len(self._source.classes) < 2:
            return None
        lessons = self._taught.lessons()
        named = ((one.features, one.label.emotion) for one in lessons if one.label.emotion)
        return source_record(self._source, named)

    def _classifier(self) -> Classifier:
        """The voice's own classifier, combined with the source's while that is trusted."""
        own, record = self._emotion_models().together, self.source_record()
        if self._source is None or record is None or not record.trusted:
            return own
        return FadingClassifier(self._source, own)

    @property
    def enrolled(self) -> dict[str, Prototype]:
        """The prototypes of enrolled emotions, by name."""
        return {name: one for name, one in self.prototypes.items() if one.count}

    @property
    def prototypes(self) -> dict[str, Prototype]:
        """All prototypes that `verdict` uses, by name."""
        if self._prototypes is None:
            enrolled, usual = self._taught.enrolled(), self.usual_emotion.mean
            shares = self._taught.shares()
            self._prototypes = build_prototypes(enrolled, usual, self.population, shares)
        return self._prototypes

    def open_set_false_accepts(self) -> dict[str, float]:
        """By enrolled emotion, how often another name would be given to it, were it not enrolled.

        Empty for fewer than two; see `prototypes.open_set_false_accepts`.
        """
        enrolled, shares = self._taught.enrolled(), self._taught.shares()
        return open_set_false_accepts(enrolled, self.usual_emotion.mean, self.population, shares)

    def changes(self) -> tuple[list[Change], dict[str, tuple[Change, ...]]]:
        """Changes found: of the voice, and of the errors by dimension."""
        errors = {name: one.errors.changes for name, one in self.learner.dimensions.items()}
        return self.voice.changes(), errors

    @contextmanager
    def unadapted_on_error(self) -> Iterator[None]:
        """Undo `adapt` if the block raises."""
        before = copy(self.usual), copy(self.usual_emotion), deepcopy(self.voice)
        try:
            yield
        except BaseException:
            self.usual, self.usual_emotion, self.voice = before
            self._prototypes = None
            raise

    def adaptation_to_arrays(self) -> dict[str, NDArray[Any]]:
        """The state that `adapt` updates."""
        arrays: dict[str, NDArray[Any]] = {
            f"embedding/{k}": v for k, v in self.usual.to_arrays().items()
        }
        arrays |= {f"emotion/{k}": v for k, v in self.usual_emotion.to_arrays().items()}
        arrays |= {f"voice/{k}": v for k, v in self.voice.to_arrays().items()}
        arrays["voice/blocks"] = arrays["voice/blocks"].astype(np.float32)  # exact: see there
        return arrays

    def restore_adaptation(self, arrays: Mapping[str, NDArray[np.float64]]) -> None:
        """The inverse of `adaptation_to_arrays`, bit for bit."""
        self.usual = RunningNormalization.from_arrays(_part(arrays, "embedding"))
        self.usual_emotion = RunningNormalization.from_arrays(_part(arrays, "emotion"))
        voice = _part(arrays, "voice")
        self.voice = VoiceDriftDetector.from_arrays(voice) if voice else VoiceDriftDetector()

    def learner_to_arrays(self) -> dict[str, NDArray[np.float64]]:
        """The state that `learn_lesson` updates, without the training set."""
        raters = {f"raters/{k}": v for k, v in self.raters.to_arrays().items()}
        count = np.array([self.labels], np.float64)
        return {**self.learner.to_arrays(), **raters, "labels": count}

    def restore_learner(self, arrays: Mapping[str, NDArray[np.float64]]) -> None:
        """The inverse of `learner_to_arrays`, bit for bit."""
        self.labels = int(arrays["labels"][0])
        self.raters = RaterWeights.from_arrays(_part(arrays, "raters"))
        others = ("labels", "raters")
        learned = {k: v for k, v in arrays.items() if k.split("/")[0] not in others}
        self.learner = AffectLearner.from_arrays(learned, self.prior)

    def _untaught(self) -> AffectLearner:
        return AffectLearner(self.prior, self._make_regression)

    def _labelled(self) -> Labelled:
        learned = [(lesson.label, lesson.features) for lesson in self._taught.lessons()]
        return Labelled.of(learned, self.prior.size)

    def _emotion_models(self) -> EmotionModels:
        if self._emotions is None:
            self._emotions = EmotionModels(self.prior.size)
            for lesson in self._taught.lessons():
                self._emotions.learn(lesson.features, lesson.label)
        return self._emotions

    def _own_memory(self) -> MemoryTrainingSet:
        if self._memory is None:
            raise UsageError(
                "this model follows the rows of a profile: add the label to the profile instead, "
                "and the model learns it from there"
            )
        return self._memory


def _part(arrays: Mapping[str, NDArray[np.float64]], name: str) -> dict[str, NDArray[np.float64]]:
    start = f"{name}/"
    return {k.removeprefix(start): a for k, a in arrays.items() if k.startswith(start)}

"""A short session of synthetic speech through the whole loop, in a profile that is then deleted."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np

from streamer.config import Config
from streamer.events import Event, Heard, Selected, Status
from streamer.learners.affective_norms import affective_norm
from streamer.learners.metrics import concordance_cc
from streamer.loop.compose import bind_encoder, make_endpointer, run
from streamer.loop.profile_model import ProfileModel, untaught_learner
from streamer.loop.run import Screen
from streamer.store.profile import Profile
from streamer.testing import Spoken, synthetic_session
from streamer.types import SAMPLE_RATE_HZ, Chunk, Label, Samples

UTTERANCES: Final = 24
BUFFER: Final = 6
TIMES_REAL_TIME: Final = 10.0
CHUNK_SAMPLES: Final = SAMPLE_RATE_HZ // 2
ANNOTATOR: Final = "demo"
NAME: Final = "synthetic speech"


def play(settings: Config, screen: Screen, tell: Callable[[str], None]) -> None:
    """Hear one session and answer what is asked; then test what was learned on another.

    The answers are the affective norms of the emotions that the synthesis was told to speak.
    tell: shows a line to people. Raises StreamerError.
    """
    heard, truth = synthetic_session(np.random.default_rng(1), UTTERANCES)
    with tempfile.TemporaryDirectory(prefix="streamer-demo-") as folder:
        config = settings.model_copy(update={"profile": f"{folder}/demo", "buffer": BUFFER})
        tell("A made-up voice speaks; what is asked is answered by what it was made to express.")
        answering = _Answering(screen, Profile(Path(config.profile)), truth)
        try:
            run(config, answering, lambda: _Synthetic(heard))
            before, after = _compare(config, answering.profile)
        finally:
            answering.profile.close()
    tell(
        f"Another session of the same voices, arousal CCC: {before:.2f} before any answer, "
        f"{after:.2f} after {answering.answers} answers to {UTTERANCES} utterances."
    )
    tell("Your own voice: `streamer run`, and answer in a second terminal with `streamer label`.")


class _Synthetic:
    """A source that hands out made-up audio at ten times its pace."""

    kind = "file"
    name = NAME
    rate_hz = SAMPLE_RATE_HZ
    channels = 1

    def __init__(self, audio: Samples) -> None:
        self._audio = audio

    def __iter__(self) -> Iterator[Chunk]:
        for start in range(0, len(self._audio), CHUNK_SAMPLES):
            samples = self._audio[start : start + CHUNK_SAMPLES]
            yield Chunk(samples[:, np.newaxis], SAMPLE_RATE_HZ, NAME)
            time.sleep(len(samples) / SAMPLE_RATE_HZ / TIMES_REAL_TIME)

    def close(self) -> None:
        pass


class _Answering:
    """A screen whose person answers every query, through the store as a second process would."""

    def __init__(self, screen: Screen, profile: Profile, truth: list[Spoken]) -> None:
        self.profile = profile
        self.answers = 0
        self._screen = screen
        self._truth = truth
        self._heard: dict[int, Heard] = {}

    def show(self, event: Event) -> None:
        self._screen.show(event)
        if isinstance(event, Heard):
            self._heard[event.id] = event
        if isinstance(event, Selected):
            labels = [self._answer(self._heard[number]) for number in event.asked]
            self.answers += len(labels)
            self.profile.labels.add(labels, time.time())

    def refresh(self, status: Callable[[], Status]) -> None:
        self._screen.refresh(status)

    def close(self) -> None:
        self._screen.close()

    def _answer(self, heard: Heard) -> Label:
        middle_s = (heard.onset_s + heard.offset_s) / 2
        spoken = min(self._truth, key=lambda s: abs((s.onset_s + s.offset_s) / 2 - middle_s))
        valence, arousal, dominance = affective_norm(spoken.emotion) or (0.0, 0.0, 0.0)
        return Label(heard.id, valence, arousal, dominance, spoken.emotion, ANNOTATOR)


def _compare(config: Config, profile: Profile) -> tuple[float, float]:
    """Arousal CCC on a second session: by the prior alone, and by what was learned."""
    profile_model, untaught = ProfileModel(profile), untaught_learner(profile)
    profile_model.follow()
    model = profile_model.model
    encoder, endpointer = bind_encoder(config, profile), make_endpointer(config)
    audio, truth = synthetic_session(np.random.default_rng(2), UTTERANCES)
    found = [*endpointer.hear(audio), *endpointer.finish()]
    before, after, norms = [], [], []
    for span, sound, _ in found:
        middle_s = (span.start_sample + span.end_sample) / 2 / SAMPLE_RATE_HZ
        spoken = min(truth, key=lambda s: abs((s.onset_s + s.offset_s) / 2 - middle_s))
        embedding, _ = encoder.encode(sound)
        features = model.features(embedding)
        before.append(untaught.predict(features).arousal.mean)
        after.append(model.learner.predict(features).arousal.mean)
        norms.append((affective_norm(spoken.emotion) or (0.0, 0.0, 0.0))[1])
    scores = [concordance_cc(np.array(mean), np.array(norms)) for mean in (before, after)]
    return scores[0] or 0.0, scores[1] or 0.0

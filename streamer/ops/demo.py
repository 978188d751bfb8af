"""A short session of synthetic speech through the whole loop, in a temporary profile."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np

from streamer.config import Config
from streamer.events import Event, Heard, Selected, Status
from streamer.learners.affective_norms import affective_norm
from streamer.learners.metrics import concordance_cc
from streamer.loop.compose import bind_encoder, make_endpointer
from streamer.loop.loop import Loop
from streamer.loop.profile_model import ProfileModel, untaught_model
from streamer.loop.run import run
from streamer.loop.sinks import Sink, Sinks
from streamer.store.profile import Profile
from streamer.testing import Spoken, synthetic_session
from streamer.text import many
from streamer.types import DIMENSIONS, SAMPLE_RATE_HZ, Chunk, Samples

UTTERANCES: Final = 24
BUFFER: Final = 6
TIMES_REAL_TIME: Final = 10.0
CHUNK_SAMPLES: Final = SAMPLE_RATE_HZ // 2
ANNOTATOR: Final = "demo"
NAME: Final = "synthetic speech"


def play(settings: Config, output: Sink, tell: Callable[[str], None]) -> None:
    """Run the loop on one session and answer its questions; then test the model on another.

    The answers are the affective norms of the emotions that the synthesis was asked to express.
    tell: shows a line of text. Raises StreamerError.
    """
    audio, truth = synthetic_session(np.random.default_rng(1), UTTERANCES)
    with tempfile.TemporaryDirectory(prefix="streamer-demo-") as folder:
        config = settings.model_copy(update={"profile": f"{folder}/demo", "buffer": BUFFER})
        tell("A synthetic voice speaks; the answers are the emotions that it was made to express.")
        loop = Loop(_Synthetic(audio), config=config, holder="streamer demo")
        sinks = Sinks(output, loop.stop)
        answering = _Answering(loop, truth)
        sinks.add(answering)
        run(loop, sinks, config.watchdog_s)
        with closing(Profile(Path(config.profile))) as profile:
            found = _compare(config, profile)
    answers = many(answering.answers, "answer")
    tell("On another session of the same voices, the agreement (CCC) of the predictions with")
    tell(f"what was to be expressed, before any answer and after {answers}:")
    for dimension, (before, after) in found.items():
        tell(f"  {dimension:8} {before:+.2f} before  {after:+.2f} after")
    tell("Your own voice: `streamer start`; later `streamer run`, and `streamer label` to answer.")


class _Synthetic:
    """A source that delivers synthetic audio ten times faster than real time."""

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
    """A sink that answers every question, as a person would on the page of the same process."""

    name = "the demo's answers"

    def __init__(self, loop: Loop, truth: list[Spoken]) -> None:
        self.answers = 0
        self._loop = loop
        self._truth = truth
        self._heard: dict[int, Heard] = {}

    def emit(self, event: Event) -> None:
        if isinstance(event, Heard):
            self._heard[event.id] = event
        if isinstance(event, Selected):
            for number in event.asked:
                self._answer(self._heard[number])

    def tick(self, status: Callable[[], Status]) -> None:
        pass

    def close(self) -> None:
        pass

    def _answer(self, heard: Heard) -> None:
        middle_s = (heard.onset_s + heard.offset_s) / 2
        spoken = min(self._truth, key=lambda s: abs((s.onset_s + s.offset_s) / 2 - middle_s))
        valence, arousal, dominance = affective_norm(spoken.emotion) or (0.0, 0.0, 0.0)
        self._loop.label(
            heard.id,
            valence=valence,
            arousal=arousal,
            dominance=dominance,
            emotion=spoken.emotion,
            annotator=ANNOTATOR,
        )
        self.answers += 1


def _compare(config: Config, profile: Profile) -> dict[str, tuple[float, float]]:
    """CCC on a second session, by dimension: by the prior alone, and by what was learned."""
    profile_model, untaught = ProfileModel(profile), untaught_model(profile).learner
    profile_model.follow()
    model = profile_model.model
    encoder, endpointer = bind_encoder(config, profile), make_endpointer(config)
    audio, truth = synthetic_session(np.random.default_rng(2), UTTERANCES)
    found = [*endpointer.hear(audio), *endpointer.finish()]
    before: list[list[float]] = []
    after: list[list[float]] = []
    norms = []
    compared = DIMENSIONS[:2]
    for span, sound, _ in found:
        middle_s = (span.start_sample + span.end_sample) / 2 / SAMPLE_RATE_HZ
        spoken = min(truth, key=lambda s: abs((s.onset_s + s.offset_s) / 2 - middle_s))
        embedding, _ = encoder.encode(sound)
        features = model.features(embedding)
        norms.append((affective_norm(spoken.emotion) or (0.0, 0.0, 0.0))[: len(compared)])
        for means, learner in ((before, untaught), (after, model.learner)):
            prediction = learner.predict(features)
            means.append([getattr(prediction, name).mean for name in compared])
    truth_of, scores = np.array(norms), {}
    for at, name in enumerate(compared):
        pair = [
            concordance_cc(np.array(means)[:, at], truth_of[:, at]) for means in (before, after)
        ]
        scores[name] = (pair[0] or 0.0, pair[1] or 0.0)
    return scores

"""Properties of an encoder that are found by running it."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from streamer.encoders.onnx import takes_utterances
from streamer.errors import EncoderError
from streamer.types import SAMPLE_RATE_HZ, Samples

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

TIMED_S: Final = 3.0
TOLERANCE: Final = 1e-4
# More than any encoder of speech has; the learner keeps a square of them.
LARGEST_VECTOR: Final = 2_048
_ROUNDS: Final = 5
_LENGTHS: Final = (SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * 5 // 2 + 123)
_PADDINGS: Final = (1, 4_567, SAMPLE_RATE_HZ * 3 // 2)
_UNIT: Final = 1e-3

Run = Callable[[Samples], tuple[Samples, Samples]]


@dataclass(frozen=True, slots=True)
class Measurement:
    """Sizes in values; latency_ms: median for an utterance of `TIMED_S`, on one thread.

    min_samples: the shortest audio that gives finite vectors. padding_invariant and unit_length:
    see `registry.EncoderRow`.
    """

    embedding_size: int
    emotion_size: int
    min_samples: int
    padding_invariant: bool
    unit_length: bool
    latency_ms: float

    @property
    def realtime_factor(self) -> float:
        return self.latency_ms / (TIMED_S * 1e3)


def choose_outputs(
    session: "InferenceSession", embedding: str | None, emotion: str | None
) -> tuple[str, str, str]:
    """Names of input, embedding and emotion; the embedding is used for both if there is no other.

    Raises EncoderError unless one waveform goes in and the outputs named come out, one vector an
    utterance each.
    """
    try:
        inputs = [(i.name, i.type, i.shape) for i in session.get_inputs()]
        shapes = {output.name: output.shape for output in session.get_outputs()}
    except UnicodeDecodeError as error:
        raise EncoderError(f"the model has names that are not UTF-8: {error}") from error
    if len(inputs) != 1 or not takes_utterances(inputs[0][0], *inputs[0]):
        raise EncoderError(
            f"the model takes {inputs}, not one waveform, float [batch, samples]: export it so "
            "that features are computed inside the graph"
        )
    said = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
    if embedding is None:
        embedding = "embedding" if "embedding" in shapes else next(iter(shapes))
        if embedding != "embedding" and len(shapes) > 1:
            raise EncoderError(
                f"the embedding output is not clear: give --embedding, one of: {said}"
            )
    if emotion is None:
        emotion = "emotion" if "emotion" in shapes else embedding
    for name in (embedding, emotion):
        if name not in shapes:
            raise EncoderError(f"the model has no output {name!r}; it has: {said}")
        if len(shapes[name]) == 3:
            raise EncoderError(
                f"output {name!r} {shapes[name]} is a vector a frame, not one an utterance: pool "
                "it over time inside the graph; `streamer models export --pooling mean` does so "
                "for Hugging Face checkpoints"
            )
    return inputs[0][0], embedding, emotion


def check_sizes(embedding_size: int, emotion_size: int) -> None:
    """Raises EncoderError for vectors that are empty or too large to learn with."""
    for name, size in (("embedding", embedding_size), ("emotion", emotion_size)):
        if not 1 <= size <= LARGEST_VECTOR:
            raise EncoderError(
                f"the {name} has {size:,} values an utterance, not 1 to {LARGEST_VECTOR:,}: pool "
                "or project it inside the graph"
            )


def runner(session: "InferenceSession", input: str, embedding: str, emotion: str) -> Run:
    """float32 [samples] -> embedding [d], emotion [e]; raises EncoderError where that fails."""

    def run(audio: Samples) -> tuple[Samples, Samples]:
        try:
            outputs: list[Any] = session.run([embedding, emotion], {input: audio[None]})
        except Exception as error:  # onnxruntime's own exceptions share no public base
            raise EncoderError(f"the model fails on {len(audio)} samples: {error}") from error
        for name, vector in zip((embedding, emotion), outputs, strict=True):
            if vector.ndim != 2 or len(vector) != 1:
                raise EncoderError(f"output {name!r} is {list(vector.shape)}, not [1, size]")
            if not np.isfinite(vector).all():
                raise EncoderError(f"output {name!r} is not finite for {len(audio)} samples")
        return outputs[0][0], outputs[1][0]

    return run


def measure(run: Run, rng: np.random.Generator, now_s: Callable[[], float]) -> Measurement:
    """Run it on noise of many lengths; now_s: a clock. Raises EncoderError where `run` does."""
    audio = _speech_like_noise(rng, round(TIMED_S * SAMPLE_RATE_HZ))
    embedding, emotion = run(audio)
    check_sizes(len(embedding), len(emotion))
    times_s = []
    for _ in range(_ROUNDS):
        begun_s = now_s()
        run(audio)
        times_s.append(now_s() - begun_s)
    return Measurement(
        embedding_size=len(embedding),
        emotion_size=len(emotion),
        min_samples=_fewest_samples(run, audio),
        padding_invariant=_ignores_padding(run, audio),
        unit_length=abs(float(np.linalg.norm(emotion)) - 1.0) < _UNIT,
        latency_ms=median(times_s) * 1e3,
    )


def _speech_like_noise(rng: np.random.Generator, samples: int) -> Samples:
    """Noise with the envelope of speech, nowhere zero."""
    swell = 0.06 + 0.05 * np.sin(2.0 * np.pi * 3.0 * np.arange(samples) / SAMPLE_RATE_HZ)
    return (swell * rng.standard_normal(samples)).astype(np.float32)


def _fewest_samples(run: Run, audio: Samples) -> int:
    """By bisection: a model that runs on n samples is assumed to run on more."""
    fails, works = 0, len(audio)
    while works - fails > 1:
        middle = (fails + works) // 2
        try:
            run(audio[:middle])
            works = middle
        except EncoderError:
            fails = middle
    return works


def _ignores_padding(run: Run, audio: Samples) -> bool:
    """Whether zeros after the audio change no value by more than `TOLERANCE`."""
    for length in _LENGTHS:
        alone = run(audio[:length])
        for padding in _PADDINGS:
            padded = run(np.pad(audio[:length], (0, padding)))
            for one, other in zip(alone, padded, strict=True):
                if not np.allclose(one, other, rtol=TOLERANCE, atol=TOLERANCE):
                    return False
    return True

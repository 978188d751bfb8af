"""Benchmark of this machine: the encoder, the learner, the whole loop."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Final

import numpy as np
import psutil
import soundfile

from streamer.config import Config
from streamer.events import Ended, Heard
from streamer.learners.affect import AffectLearner
from streamer.learners.prior import Prior
from streamer.loop.compose import make_encoder
from streamer.loop.loop import Loop
from streamer.testing import synthetic_session, synthetic_speech
from streamer.types import SAMPLE_RATE_HZ, Label, Vector

LENGTHS_S: Final = (1.0, 3.0, 10.0)
UTTERANCES: Final = 20
LABELS: Final = 50
# A slow board repeats less often, so that it takes no longer.
_ROUNDS: Final = 7
_FEWEST_ROUNDS: Final = 2
_ENOUGH_S: Final = 3.0

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Result:
    """Medians. encode_ms: by the length of the utterance in seconds.

    learn_ms, predict_ms: one label, one utterance, of `embedding_size` values, all dimensions.
    realtime_factor: seconds of work a second of audio, about half of it speech; latency_ms: from
    the end of an utterance to its prediction. Memory in bytes; the peak is None on Windows.
    """

    encoder: str
    embedding_size: int
    encode_ms: dict[float, float]
    learn_ms: float
    predict_ms: float
    audio_s: float
    realtime_factor: float
    latency_ms: float
    latency_worst_ms: float
    loaded_bytes: int
    peak_bytes: int | None


def measure(config: Config, now_s: Clock, tell: Callable[[str], None]) -> Result:
    """Measure in a temporary profile; `tell` receives the name of each step.

    Raises StreamerError.
    """
    rng = np.random.default_rng(0)
    encoder = make_encoder(config, config.encoder)
    speech = synthetic_speech(rng, "happy", max(LENGTHS_S))
    encode_ms = {}
    for length_s in LENGTHS_S:
        tell(f"encoder, {length_s:.0f} s")
        audio = speech[: round(length_s * SAMPLE_RATE_HZ)]
        encode_ms[length_s] = _median_ms(partial(encoder.encode, audio), now_s)
    tell("learner")
    learn_ms, predict_ms = _learner(encoder.prior, rng, now_s)
    tell("the whole loop")
    loaded = int(psutil.Process().memory_info().rss)
    utterances, ended = _loop(config, rng)
    latencies_ms = [event.latency_ms for event in utterances]
    return Result(
        encoder=encoder.name,
        embedding_size=encoder.embedding_size,
        encode_ms=encode_ms,
        learn_ms=learn_ms,
        predict_ms=predict_ms,
        audio_s=ended.audio_s,
        realtime_factor=ended.realtime_factor,
        latency_ms=median(latencies_ms),
        latency_worst_ms=max(latencies_ms),
        loaded_bytes=loaded,
        peak_bytes=_peak_bytes(),
    )


def table(result: Result, machine: str) -> str:
    """As Markdown, to paste into an issue. machine: its description."""
    lengths = " / ".join(f"{length_s:.0f}" for length_s in result.encode_ms)
    times = " / ".join(f"{ms:.1f}" for ms in result.encode_ms.values())
    rows: list[tuple[str, str]] = [
        ("machine", machine),
        (f"encoder {result.encoder}, utterances of {lengths} s", f"{times} ms"),
        (f"one label learned, {result.embedding_size} values", f"{result.learn_ms:.2f} ms"),
        ("one prediction", f"{result.predict_ms:.3f} ms"),
        ("the whole loop", f"{1 / result.realtime_factor:.1f} times real time"),
        (
            "end of an utterance to its prediction",
            f"{result.latency_ms:.0f} ms, at worst {result.latency_worst_ms:.0f} ms",
        ),
        (
            "memory, models loaded / peak",
            f"{_mb(result.loaded_bytes)} / {_mb(result.peak_bytes)}",
        ),
    ]
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _loop(config: Config, rng: np.random.Generator) -> tuple[list[Heard], Ended]:
    """A synthetic session through the whole loop: its utterances and its accounting."""
    audio, _ = synthetic_session(rng, UTTERANCES)
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as folder:
        recording = Path(folder) / "session.wav"
        soundfile.write(recording, audio, SAMPLE_RATE_HZ)
        own = config.model_copy(update={"profile": f"{folder}/profile"})
        with Loop(recording, config=own) as loop:
            utterances = [event for event in loop if isinstance(event, Heard)]
    assert loop.ended is not None
    return utterances, loop.ended


def _learner(prior: Prior, rng: np.random.Generator, now_s: Clock) -> tuple[float, float]:
    learner = AffectLearner(prior)
    features: Vector = rng.standard_normal((LABELS, prior.size))
    values: Vector = rng.uniform(-1.0, 1.0, (LABELS, 3))
    learned_ms = []
    for number, (inputs, (valence, arousal, dominance)) in enumerate(
        zip(features, values, strict=True)
    ):
        label = Label(number, valence, arousal, dominance, None, "bench")
        begun_s = now_s()
        learner.learn(inputs, label, first=True)
        learned_ms.append(1e3 * (now_s() - begun_s))
    return median(learned_ms), _median_ms(lambda: learner.predict(features[0]), now_s)


def _median_ms(work: Callable[[], object], now_s: Clock) -> float:
    work()
    return median(_times_ms(work, now_s))


def _times_ms(work: Callable[[], object], now_s: Clock) -> Iterator[float]:
    first_s = now_s()
    for number in range(_ROUNDS):
        begun_s = now_s()
        work()
        yield 1e3 * (now_s() - begun_s)
        if number + 1 >= _FEWEST_ROUNDS and now_s() - first_s > _ENOUGH_S:
            return


def _peak_bytes() -> int | None:
    """The most memory that this process ever held; None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if psutil.MACOS else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _mb(size: int | None) -> str:
    return "unknown" if size is None else f"{size / 1e6:.0f} MB"

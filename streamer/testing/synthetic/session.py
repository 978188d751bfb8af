"""A synthetic session: people who speak in turns, with pauses, in a quiet room."""

from dataclasses import dataclass

import numpy as np

from streamer.errors import UsageError
from streamer.testing.synthetic.speech import MANNERS, SPEAKERS, synthetic_speech
from streamer.types import SAMPLE_RATE_HZ, Samples

_PAUSE_S = (0.9, 2.2)
_UTTERANCE_S = (1.4, 2.8)
_NOISE_DBFS = -55.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is true of one utterance of a synthetic session."""

    onset_s: float
    offset_s: float
    speaker: str
    emotion: str


def synthetic_session(
    rng: np.random.Generator,
    utterances: int = 12,
    rate_hz: int = SAMPLE_RATE_HZ,
    speakers: int = 2,
    emotions: tuple[str, ...] = ("neutral", "happy", "sad", "angry"),
) -> tuple[Samples, list[Spoken]]:
    """Mono sound, float32 [n] in [-1, 1] at `rate_hz`, and the truth about its utterances.

    Emotions come in shuffled rounds, so that a short session has them all; noise lies at
    -55 dBFS under everything. The same generator state gives the same session.

    Raises UsageError for numbers of utterances or speakers, or rates, that cannot be had.
    """
    if not 1 <= speakers <= len(SPEAKERS):
        raise UsageError(f"speakers = {speakers}: give 1 to {len(SPEAKERS)}")
    if utterances < 0:
        raise UsageError(f"utterances = {utterances}: give 0 or more")
    if rate_hz < 8_000:
        raise UsageError(f"rate_hz = {rate_hz}: give 8000 or more")
    if not emotions or not set(emotions) <= set(MANNERS):
        raise UsageError(f"emotions = {emotions}: choose from {', '.join(MANNERS)}")
    parts = [_pause(rng)]
    truth = []
    at = len(parts[0])
    order = [e for _ in range(0, utterances, len(emotions)) for e in rng.permutation(emotions)]
    for emotion in order[:utterances]:
        speaker = SPEAKERS[rng.integers(speakers)]
        speech = synthetic_speech(rng, str(emotion), rng.uniform(*_UTTERANCE_S), speaker)
        pause = _pause(rng)
        parts += [speech, pause]
        end = at + len(speech)
        onset_s, offset_s = at / SAMPLE_RATE_HZ, end / SAMPLE_RATE_HZ
        truth.append(Spoken(onset_s, offset_s, speaker.name, str(emotion)))
        at = end + len(pause)
    sound = np.concatenate(parts)
    noise = rng.standard_normal(len(sound), dtype=np.float32)
    sound += noise * np.float32(10.0 ** (_NOISE_DBFS / 20.0))
    return _at_rate(sound, rate_hz).clip(-1.0, 1.0), truth


def _pause(rng: np.random.Generator) -> Samples:
    return np.zeros(int(rng.uniform(*_PAUSE_S) * SAMPLE_RATE_HZ), dtype=np.float32)


def _at_rate(sound: Samples, rate_hz: int) -> Samples:
    if rate_hz == SAMPLE_RATE_HZ:
        return sound
    import soxr

    return np.asarray(soxr.resample(sound, SAMPLE_RATE_HZ, rate_hz), dtype=np.float32)

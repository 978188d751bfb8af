"""Synthetic speech: syllables of no language, spoken with an emotion.

The emotions differ as Juslin and Laukka (2003, Psychological Bulletin 129, tables 7 to 11) sum up:
anger and happiness fast, loud, high and lively with much energy at high frequencies; sadness
slow, soft, low and flat; fear fast, high, flat and unsteady. Vowels are those of Peterson and
Barney (1952, men); another vocal tract scales them. It is good enough for a voice activity
detector and for arousal, not for anyone's ear.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from streamer.errors import UsageError
from streamer.testing.synthetic.synthesis import ROW_SAMPLES, Track, Tracks, render
from streamer.types import SAMPLE_RATE_HZ, Samples

_ROWS_PER_S = SAMPLE_RATE_HZ // ROW_SAMPLES
_VOWELS_HZ = np.array(
    [
        [270, 2290, 3010, 3700],
        [390, 1990, 2550, 3600],
        [530, 1840, 2480, 3500],
        [660, 1720, 2410, 3500],
        [730, 1090, 2440, 3400],
        [570, 840, 2410, 3300],
        [440, 1020, 2240, 3300],
        [300, 870, 2240, 3300],
    ],
    dtype=np.float64,
)
_NASAL_HZ = np.array([250.0, 1300.0, 2300.0, 3300.0])
_CONSONANTS = ("nasal", "glide", "voiced stop", "stop", "fricative", "breath")
_CONSONANT_ODDS = (0.25, 0.25, 0.2, 0.12, 0.13, 0.05)


@dataclass(frozen=True, slots=True)
class Speaker:
    """pitch_hz: the mean when neutral; tract: 1 for a long vocal tract, 1.2 for a short one."""

    name: str
    pitch_hz: float
    tract: float


@dataclass(frozen=True, slots=True)
class Manner:
    """How an emotion is spoken.

    pitch: factor on the speaker's; range_st: standard deviation of the pitch, in semitones;
    fall_st: from the first syllable to the last (negative: rising); syllables_per_s;
    level_dbfs; tilt_hz: see `Tracks`; breath, jitter, shimmer: 0 for a clear, steady voice.
    """

    pitch: float
    range_st: float
    fall_st: float
    syllables_per_s: float
    level_dbfs: float
    tilt_hz: float
    breath: float
    jitter: float
    shimmer: float


SPEAKERS = (
    Speaker("low", 112.0, 1.0),
    Speaker("high", 200.0, 1.16),
    Speaker("middle", 150.0, 1.08),
    Speaker("highest", 235.0, 1.2),
)

MANNERS: Mapping[str, Manner] = MappingProxyType(
    {
        "neutral": Manner(1.00, 1.5, 3.0, 4.6, -25.0, 700.0, 0.5, 0.003, 0.03),
        "happy": Manner(1.40, 3.2, -1.0, 5.4, -20.0, 1700.0, 0.4, 0.004, 0.04),
        "sad": Manner(0.88, 0.8, 3.0, 3.4, -29.0, 420.0, 0.7, 0.005, 0.05),
        "angry": Manner(1.45, 3.0, 1.0, 5.6, -17.0, 2200.0, 0.3, 0.008, 0.10),
        "fearful": Manner(1.50, 1.2, -1.0, 5.8, -25.0, 900.0, 1.0, 0.008, 0.10),
        "surprised": Manner(1.50, 3.5, -5.0, 4.8, -21.0, 1200.0, 0.6, 0.004, 0.04),
        "disgusted": Manner(0.92, 1.5, 4.0, 3.8, -25.0, 800.0, 0.6, 0.008, 0.08),
    }
)


def synthetic_speech(
    rng: np.random.Generator,
    emotion: str = "neutral",
    seconds: float = 2.0,
    speaker: Speaker = SPEAKERS[0],
) -> Samples:
    """One utterance: float32 [n] at 16 kHz, about `seconds` long, with no silence around it.

    The same generator state gives the same sound. Raises UsageError for an unknown emotion.
    """
    if emotion not in MANNERS:
        raise UsageError(f"no manner of speaking for {emotion!r}: choose from {', '.join(MANNERS)}")
    manner = MANNERS[emotion]
    tracks = _tracks(rng, manner, speaker, max(2, round(seconds * manner.syllables_per_s)))
    sound = render(tracks, rng)
    level = np.sqrt(np.mean(np.square(sound, dtype=np.float64)))
    gain = 10.0 ** ((manner.level_dbfs + rng.normal(0.0, 1.0)) / 20.0) / level
    return sound * np.float32(min(gain, 0.98 / np.abs(sound).max()))


@dataclass(slots=True)
class _Phone:
    rows: int
    formants_hz: Track
    voicing: float
    hiss: float = 0.0
    hiss_hz: float = 4000.0
    breath: float = 1.0


def _tracks(rng: np.random.Generator, manner: Manner, speaker: Speaker, syllables: int) -> Tracks:
    phones: list[_Phone] = []
    starts: list[int] = []
    at = 0
    for k in range(syllables):
        starts.append(at)
        rows_a_syllable = _ROWS_PER_S / manner.syllables_per_s
        for phone in _syllable(rng, rows_a_syllable, k == 0, k == syllables - 1):
            phones.append(phone)
            at += phone.rows
    rows = [phone.rows for phone in phones]
    formants = np.repeat([phone.formants_hz for phone in phones], rows, axis=0)
    soft_edges = np.minimum(1.0, np.minimum(np.arange(at) + 1.0, at - np.arange(at)) / 4.0)

    def track(name: str, width: int) -> Track:
        return _smooth(np.repeat([float(getattr(phone, name)) for phone in phones], rows), width)

    return Tracks(
        pitch_hz=_melody(rng, manner, speaker, starts, at),
        voicing=track("voicing", 3) * soft_edges,
        breath=track("breath", 3) * soft_edges * manner.breath,
        hiss=track("hiss", 2) * soft_edges,
        hiss_hz=np.repeat([phone.hiss_hz for phone in phones], rows),
        formants_hz=np.stack([_smooth(f, 6) for f in formants.T], axis=1) * speaker.tract,
        tilt_hz=manner.tilt_hz,
        jitter=manner.jitter,
        shimmer=manner.shimmer,
    )


def _syllable(rng: np.random.Generator, rows: float, first: bool, last: bool) -> Sequence[_Phone]:
    """A consonant, a vowel, sometimes a nasal.

    An utterance begins with voice, so that its onset is beyond doubt, and ends drawn out.
    """
    vowel_hz = _VOWELS_HZ[rng.integers(len(_VOWELS_HZ))] * rng.normal(1.0, 0.03, 4)
    onset = max(4, round(rows * rng.uniform(0.25, 0.4)))
    nucleus = max(6, round((rows - onset) * rng.uniform(0.9, 1.1) * (1.5 if last else 1.0)))
    stress = rng.uniform(0.7, 1.0)
    kind = "nasal" if first else str(rng.choice(_CONSONANTS, p=_CONSONANT_ODDS))
    phones = _consonant(rng, kind, onset, vowel_hz)
    phones.append(_Phone(nucleus, vowel_hz, stress))
    if rng.random() < 0.2:
        phones.append(_Phone(max(4, onset // 2), _NASAL_HZ, 0.5 * stress))
    return phones


def _consonant(rng: np.random.Generator, kind: str, rows: int, vowel_hz: Track) -> list[_Phone]:
    between_hz = 0.5 * (vowel_hz + _VOWELS_HZ[rng.integers(len(_VOWELS_HZ))])
    hiss_hz = rng.uniform(2500.0, 6000.0)
    closed_hz = np.array([250.0, *between_hz[1:]])
    match kind:
        case "nasal":
            return [_Phone(rows, _NASAL_HZ, 0.5)]
        case "glide":
            return [_Phone(rows, closed_hz, 0.6)]
        case "voiced stop":
            return [_Phone(rows - 2, closed_hz, 0.25), _Phone(2, between_hz, 0.4, 0.5, hiss_hz)]
        case "stop":
            closure = _Phone(rows - 3, closed_hz, 0.0, breath=0.0)
            return [closure, _Phone(3, between_hz, 0.0, 1.0, hiss_hz, 2.0)]
        case "fricative":
            return [_Phone(rows, between_hz, 0.0, 0.6, hiss_hz)]
        case _:
            return [_Phone(rows, between_hz, 0.1, breath=3.0)]


def _melody(
    rng: np.random.Generator, manner: Manner, speaker: Speaker, starts: list[int], rows: int
) -> Track:
    """A pitch per syllable over a falling or rising line, joined smoothly."""
    count = len(starts)
    line = np.linspace(manner.fall_st / 2, -manner.fall_st / 2, count)
    steps = rng.normal(0.0, manner.range_st, count)
    semitones = line + steps - steps.mean()
    centres = [(a + b) / 2 for a, b in pairwise([*starts, rows])]
    contour = _smooth(np.interp(np.arange(rows), centres, semitones), 8)
    waver = _smooth(rng.normal(0.0, 0.3 + 40.0 * manner.jitter, rows), 5)
    return np.asarray(speaker.pitch_hz * manner.pitch * 2.0 ** ((contour + waver) / 12.0))


def _smooth(track: Track, width: int) -> Track:
    """Mean over `width` rows, the ends repeated."""
    before, after = width // 2, width - 1 - width // 2
    return np.convolve(np.pad(track, (before, after), "edge"), np.full(width, 1.0 / width), "valid")

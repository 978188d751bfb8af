"""The data types of the loop: frozen, typed, with units in the names.

A source yields `Chunk`, `Gap` and `Notice`; the segmenter yields `Span`; a `Span` with its
audio is an `Utterance`; the session turns it into a `Prediction` and a `Verdict`; a selection
turns some utterances into queries; a person answers with a `Label`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
# Of float64, as all learning is: one dimension, and two.
Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

SAMPLE_RATE_HZ = 16_000
FRAME_SAMPLES = 512
DIMENSIONS = ("valence", "arousal", "dominance")
LEAST_CLEAR_TRUST = 0.6
# What a notice is about, for programs; `loop.notices` says what each means.
NoticeKind = Literal[
    "silent_input", "low_level", "high_level", "clipping", "offset", "hum", "rumble", "noise",
    "channels", "low_rate", "wrong_rate", "not_a_number", "undecoded", "skipped_file",
    "already_heard", "device_lost", "overflow", "playback", "encoder_slow",
    "profile_locked", "drift", "privacy", "licence", "protocol", "general",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chunk:
    """Audio as the source delivered it, at the source's own rate and channels.

    samples: float32 [n, channels] in [-1, 1]; n may be 0 (a live source's idle tick).
    source: the name of the file or device; a change of it, or of the rate, starts a new timeline.
    captured_s: arrival of its first sample, on the source's monotonic clock; None where unknown.
    """

    samples: Samples
    rate_hz: int
    source: str
    captured_s: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples lost after the last chunk, at the source's rate."""

    samples: int
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A message for the user: a device was lost, came back, overflowed.

    kind: for programs, a key of `loop.notices.NOTICE_KINDS`.
    """

    text: str
    kind: NoticeKind = "general"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of 16 kHz samples, [start, end), that holds one utterance."""

    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class Quality:
    """How well an utterance was recorded. Levels in dB relative to full scale.

    trust: in (0, 1], the factor by which noise and clipping reduce the certainty of predictions; 1
    for good quality.
    gain_db: by how much the audio was raised before it was encoded; below 0: lowered.
    """

    level_dbfs: float
    snr_db: float
    clipped: bool
    trust: float = 1.0
    gain_db: float = 0.0

    @property
    def is_clear(self) -> bool:
        """Whether the quality is sufficient for a useful label."""
        return self.trust >= LEAST_CLEAR_TRUST


@dataclass(frozen=True, slots=True)
class Utterance:
    """One utterance, from onset to offset with padding, on the source's clock. audio.

    Float32 [n], 16 kHz mono.

    source_samples: its length at the source's rate.
    """

    source: str
    onset_s: float
    offset_s: float
    audio: Samples
    quality: Quality
    source_samples: int = 0


@dataclass(frozen=True, slots=True)
class Encoding:
    """The two vectors that an encoder computes from one utterance.

    Attributes
    ----------
    embedding : float32 [d]
        For the regression of valence, arousal and dominance.
    emotion : float32 [e]
        Of unit length, for the comparison with enrolled emotions.
    """

    embedding: Samples
    emotion: Samples


class HasEncoding(Protocol):
    """Anything that carries an utterance's `Encoding`: the encoding itself, a stored utterance."""

    @property
    def embedding(self) -> Samples: ...

    @property
    def emotion(self) -> Samples: ...


@dataclass(frozen=True, slots=True)
class Estimate:
    """One predicted dimension: a mean and its interval.

    Attributes
    ----------
    mean : float
        In [-1, 1].
    low, high : float
        The 80 % prediction interval of a label, -1 <= low <= mean <= high <= 1.

    Examples
    --------
    >>> Estimate(mean=0.2, low=-0.3, high=0.7)
    Estimate(mean=0.2, low=-0.3, high=0.7)
    """

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """The predicted label of an utterance.

    Attributes
    ----------
    valence : Estimate
        Negative to positive.
    arousal : Estimate
        Calm to excited.
    dominance : Estimate
        Submissive to dominant.
    """

    valence: Estimate
    arousal: Estimate
    dominance: Estimate


@dataclass(frozen=True, slots=True)
class Verdict:
    """The nearest emotion.

    Attributes
    ----------
    emotion : str or None
        Its name; None for unknown: there is no prototype, or all are too far.
    distance : float or None
        Cosine distance to it, in [0, 2], also where it is too far; None without prototypes.
    distances : mapping of str to float
        Cosine distance to every prototype.
    own : bool
        False while the nearest prototype is the population's and nothing is enrolled for it.
    """

    emotion: str | None
    distance: float | None
    distances: Mapping[str, float]
    own: bool = True


@dataclass(frozen=True, slots=True)
class Label:
    """One annotator's answer, in [-1, 1]. A dimension that was not answered is None."""

    utterance: int
    valence: float | None
    arousal: float | None
    dominance: float | None
    emotion: str | None
    annotator: str

"""What travels through the loop: frozen, typed, units in the names.

A source yields `Chunk`, `Gap` and `Notice`; the segmenter yields `Span`; a `Span` with its
audio is an `Utterance`; the session turns it into a `Prediction` and a `Verdict`; a selection
turns some utterances into queries; a person answers with a `Label`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

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


@dataclass(frozen=True, slots=True)
class Chunk:
    """Audio as the source delivered it, at the source's own rate and channels.

    samples: float32 [n, channels] in [-1, 1]; n may be 0 (a live source's idle tick).
    source: the name of the file or device; a change of it, or of the rate, starts a new timeline.
    captured_s: when its first sample came, on the source's steady clock; None where that is not
    known.
    """

    samples: Samples
    rate_hz: int
    source: str
    captured_s: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that should have come after the last chunk and never did, at the source's rate."""

    samples: int
    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a person should read: a device went away, came back, overflowed.

    kind: for programs, one of a few words that stay (see the reference of events).
    """

    text: str
    kind: str = "general"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of 16 kHz samples, [start, end), that holds one utterance."""

    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class Quality:
    """How well an utterance was recorded. Levels in dB relative to full scale.

    trust: in (0, 1], how much of a prediction's certainty the sound leaves; 1 for good sound.
    """

    level_dbfs: float
    snr_db: float
    clipped: bool
    trust: float = 1.0

    @property
    def is_clear(self) -> bool:
        """Good enough that an answer about it teaches something."""
        return self.trust >= LEAST_CLEAR_TRUST


@dataclass(frozen=True, slots=True)
class Utterance:
    """Onset to offset with padding, on the source's clock. audio: float32 [n], 16 kHz mono.

    source_samples: so many it takes at the source's own rate.
    """

    source: str
    onset_s: float
    offset_s: float
    audio: Samples
    quality: Quality
    source_samples: int = 0


@dataclass(frozen=True, slots=True)
class Encoding:
    """What an encoder makes of one utterance: the two vectors that everything is learned from.

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
        Of the interval that is to hold eight labels of ten, -1 <= low <= mean <= high <= 1.

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
    """What an utterance sounds like, as the annotators would label it.

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
        Its name; None for unknown: none is known, or all are too far.
    distance : float or None
        Cosine distance to it, in [0, 2], also where it is too far; None where none is known.
    distances : mapping of str to float
        Cosine distance to every known emotion.
    own : bool
        False while the nearest is one that many voices taught, and nobody has enrolled here.
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

"""How an utterance differs from what is usual: a few named measures, in plain words.

Each measure is compared by its standard score, (value - mean) / deviation, against the utterances
of the same profile. It describes the sound that a prediction was made from; it does not look into
the encoder.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# Utterances before anything can be called usual.
FEWEST: Final = 5
MOST_WORDS: Final = 3
# In standard deviations: about one utterance in three is beyond it on one side or the other.
LEAST_SCORE: Final = 1.0
AS_USUAL: Final = "about as usual"


@dataclass(frozen=True, slots=True)
class Measure:
    """One functional, in words.

    more, less: what an utterance with more or less of it is, beside the usual; unit: "" for none;
    floor: the least deviation that counts as spread, in the unit.
    """

    name: str
    what: str
    more: str
    less: str
    unit: str
    floor: float


# Of the functionals of `encoders.acoustic.functionals`, those that people hear.
MEASURES: Final = (
    Measure("level_dbfs", "level", "louder", "quieter", "dBFS", 1.0),
    Measure("pitch_mean_st", "pitch", "higher", "lower", "semitones", 0.5),
    Measure("energy_peaks_per_s", "tempo", "faster", "slower", "syllables/s", 0.3),
    Measure("pitch_deviation_st", "melody", "livelier", "flatter", "semitones", 0.3),
    Measure("harmonics_db_mean", "voice", "clearer", "breathier", "dB", 0.5),
    Measure("alpha_db_mean", "timbre", "softer", "sharper", "dB", 0.7),
    Measure("pause_mean_s", "pauses", "with longer pauses", "with shorter pauses", "s", 0.02),
)
NAMES: Final = tuple(measure.name for measure in MEASURES)


@dataclass(frozen=True, slots=True)
class Usual:
    """Mean and deviation of one measure over `count` utterances."""

    mean: float
    deviation: float
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of one utterance against the usual. score: in deviations, signed."""

    measure: Measure
    value: float
    usual: Usual
    score: float

    @property
    def word(self) -> str:
        return self.measure.more if self.score > 0.0 else self.measure.less

    def __str__(self) -> str:
        """The numbers.

        >>> str(Difference(MEASURES[0], -18.0, Usual(-24.0, 3.0, 20), 2.0))
        'level -18 dBFS, usually -24 ± 3'
        """
        low = self.measure.unit not in {"dBFS", "dB"}
        value, mean, deviation = (
            f"{number:.1f}" if low else f"{number:.0f}"
            for number in (self.value, self.usual.mean, self.usual.deviation)
        )
        return f"{self.measure.what} {value} {self.measure.unit}, usually {mean} ± {deviation}"


def differences(values: Mapping[str, float | None], usual: Mapping[str, Usual]) -> list[Difference]:
    """What stands out, the most first; at most `MOST_WORDS`.

    Parameters
    ----------
    values
        Functionals of one utterance, by name; None or NaN where it has none, as the pitch of a
        whisper.
    usual
        Of the measures that are known; those of fewer than `FEWEST` utterances are left out.

    Examples
    --------
    >>> usual = {"level_dbfs": Usual(-24.0, 3.0, 20), "pitch_mean_st": Usual(30.0, 2.0, 20)}
    >>> found = differences({"level_dbfs": -18.0, "pitch_mean_st": 26.0}, usual)
    >>> in_words(found)
    'louder, lower than usual'
    """
    found = []
    for measure in MEASURES:
        value, known = values.get(measure.name), usual.get(measure.name)
        if value is None or not math.isfinite(value) or known is None or known.count < FEWEST:
            continue
        score = (value - known.mean) / max(known.deviation, measure.floor)
        if abs(score) >= LEAST_SCORE:
            found.append(Difference(measure, value, known, score))
    return sorted(found, key=lambda one: -abs(one.score))[:MOST_WORDS]


def is_known(usual: Mapping[str, Usual]) -> bool:
    """Whether enough was measured to call anything usual."""
    return any(one.count >= FEWEST for one in usual.values())


def in_words(found: Sequence[Difference], than: str = "usual") -> str:
    """The differences as one phrase; `AS_USUAL` where there are none."""
    if not found:
        return AS_USUAL
    return f"{', '.join(one.word for one in found)} than {than}"

"""What stands out, in words."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.learners.explanation import (
    AS_USUAL,
    FEWEST,
    MEASURES,
    MOST_WORDS,
    NAMES,
    Usual,
    differences,
    in_words,
)

USUAL = {name: Usual(10.0, 2.0, 20) for name in NAMES}
VALUES = st.floats(-100, 100) | st.none() | st.just(math.nan)


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_at_most_three_measures_the_farthest_first_each_on_its_side(values):
    found = differences(values, USUAL)
    far = {
        name: abs(value - 10.0) / 2.0
        for name, value in values.items()
        if value is not None and not math.isnan(value) and abs(value - 10.0) / 2.0 >= 1.0
    }
    assert len(found) == min(len(far), MOST_WORDS)
    scores = [abs(one.score) for one in found]
    assert scores == pytest.approx(sorted(far.values(), reverse=True)[: len(found)])
    for one in found:
        assert one.word == (one.measure.more if one.value > 10.0 else one.measure.less)


def test_a_louder_higher_faster_utterance_is_told_so_with_its_numbers():
    usual = {
        "level_dbfs": Usual(-24.0, 3.0, 9),
        "pitch_mean_st": Usual(30.0, 1.0, 9),
        "energy_peaks_per_s": Usual(4.0, 0.5, 9),
        "alpha_db_mean": Usual(14.0, 3.0, 9),
    }
    heard = {"level_dbfs": -12.0, "pitch_mean_st": 33.5, "energy_peaks_per_s": 5.0}
    found = differences({**heard, "alpha_db_mean": 15.0}, usual)
    assert in_words(found) == "louder, higher, faster than usual"
    assert str(found[1]) == "pitch 33.5 semitones, usually 30.0 ± 1.0"


def test_little_is_not_made_of_little():
    steady = {"level_dbfs": Usual(-24.0, 0.01, 50)}
    assert differences({"level_dbfs": -23.5}, steady) == []  # half a decibel
    few = {"level_dbfs": Usual(-24.0, 3.0, FEWEST - 1)}
    assert differences({"level_dbfs": -2.0}, few) == []
    assert in_words([]) == AS_USUAL


def test_every_measure_is_one_of_the_acoustic_encoders():
    from streamer.encoders.acoustic.population import POPULATION

    assert set(NAMES) <= set(POPULATION)
    assert all(measure.floor < POPULATION[measure.name][1] for measure in MEASURES)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import CorpusError
from streamer.evaluation.scales import (
    MSP_IMPROV,
    ONE_TO_FIVE,
    ONE_TO_SEVEN,
    UNIT,
    Rating,
    mean_rating,
    scale_of,
)

SCALES = [ONE_TO_FIVE, ONE_TO_SEVEN, UNIT, MSP_IMPROV, scale_of(0.0, 100.0)]


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.name)
@given(part=st.floats(0.0, 1.0))
def test_ends_and_everything_between(scale, part):
    value = scale.low + part * (scale.high - scale.low)
    unit = scale.to_unit(Rating(value, value, value))
    assert unit.valence == unit.dominance == pytest.approx(2 * part - 1, abs=1e-12)
    sign = -1 if scale.arousal_falls else 1
    assert unit.arousal == pytest.approx(sign * (2 * part - 1), abs=1e-12)


def test_a_scale_from_minus_one_to_one_changes_nothing():
    assert UNIT.to_unit(Rating(-0.125, 0.35, None)) == Rating(-0.125, 0.35, None)


def test_off_the_scale():
    off = Rating(5.5, 3.0, 0.5)
    assert not ONE_TO_FIVE.holds(off)
    assert ONE_TO_FIVE.clamp(off) == Rating(5.0, 3.0, 1.0)
    with pytest.raises(CorpusError, match=r"5\.5 is not on the scale 1 to 5"):
        ONE_TO_FIVE.to_unit(off)
    # A printed mean is rounded.
    assert ONE_TO_FIVE.to_unit(Rating(5.0001)).valence == 1.0


@pytest.mark.parametrize("ends", [(1, 1), (5, 1), (0, float("inf")), (float("nan"), 1)])
def test_no_scale(ends):
    with pytest.raises(CorpusError, match="has no range"):
        scale_of(*ends)


def test_means_are_over_those_who_rated():
    ratings = [Rating(0.0, None, 1.0), Rating(1.0, None, None)]
    assert mean_rating(ratings) == Rating(0.5, None, 1.0)
    assert mean_rating([]) == Rating()

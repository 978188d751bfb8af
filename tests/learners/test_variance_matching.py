import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.evaluation.metrics import cc, ccc
from streamer.learners.variance_matching import LARGEST_GAIN, spread_gain, widened


def test_widened_predictions_have_their_correlation_as_concordance():
    rng = np.random.default_rng(0)
    signal = 0.2 * rng.normal(size=20_000)
    truth = signal + 0.2 * rng.normal(size=20_000)
    gain = spread_gain(signal, 0.2**2)
    assert gain == pytest.approx(np.sqrt(2.0), rel=0.02)
    wide = widened(signal, float(signal.mean()), gain)
    assert ccc(wide, truth) == pytest.approx(cc(wide, truth), abs=0.01)
    assert ccc(wide, truth) > ccc(signal, truth) + 0.02


def test_it_is_the_best_of_all_gains():
    rng = np.random.default_rng(1)
    signal = 0.1 * rng.normal(size=20_000)
    truth = signal + 0.2 * rng.normal(size=20_000)
    gains = np.linspace(1.0, 4.0, 31)
    best = gains[np.argmax([ccc(signal * gain, truth) for gain in gains])]
    assert spread_gain(signal, 0.2**2) == pytest.approx(best, abs=0.11)


@given(st.lists(st.floats(-1, 1), max_size=20), st.floats(1e-6, 10))
def test_the_gain_is_bounded(means, noise):
    assert 1.0 <= spread_gain(np.array(means), noise) <= LARGEST_GAIN


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=20), st.floats(-1, 1), st.floats(1, 4))
def test_widening_keeps_the_order_and_the_scale(means, centre, gain):
    values = np.sort(np.array(means))
    wide = widened(values, centre, gain)
    assert (np.diff(wide) >= 0.0).all()
    assert np.abs(wide).max() <= 1.0

import numpy as np
import pytest

from streamer.errors import UsageError
from streamer.evaluation.curves import Curve


def curve() -> Curve:
    return Curve(np.array([10.0, 20.0, 40.0]), np.array([[0.0, 0.4, 0.6], [0.2, 0.6, 0.6]]))


def test_mean_and_deviation_over_runs():
    assert curve().mean == pytest.approx([0.1, 0.5, 0.6])
    assert curve().deviation == pytest.approx(np.std(curve().values, axis=0, ddof=1))


def test_the_area_is_the_mean_height():
    # Trapezes of width 10 and 20.
    assert curve().areas() == pytest.approx(
        [(10 * 0.2 + 20 * 0.5) / 30, (10 * 0.4 + 20 * 0.6) / 30]
    )
    assert curve().areas() == pytest.approx(np.trapezoid(curve().values, curve().labels) / 30)


def test_the_labels_with_which_a_level_is_reached():
    assert curve().labels_to_reach(0.5) == 20.0
    assert curve().labels_to_reach(0.7) is None
    assert curve().labels_to_reach(0.3, smaller_is_better=True) == 10.0


def test_the_best_and_where():
    assert curve().best() == (pytest.approx(0.6), 40.0)
    assert curve().best(smaller_is_better=True) == (pytest.approx(0.1), 10.0)


def test_runs_are_put_on_one_grid_as_far_as_all_reach():
    found = Curve.of([([10, 20, 30], [0.0, 1.0, 2.0]), ([5, 15, 25], [0.0, 1.0, 3.0])])
    assert found.labels.tolist() == [10.0, 20.0]
    assert found.values.tolist() == [[0.0, 1.0], [0.5, 2.0]]


def test_points_without_a_value_are_left_out():
    found = Curve.of([([1, 2, 3], [float("nan"), 1.0, 2.0])])
    assert found.labels.tolist() == [2.0, 3.0]


def test_until():
    assert curve().until(20.0).labels.tolist() == [10.0, 20.0]


@pytest.mark.parametrize("runs", [[], [([1, 2], [float("nan")] * 2)]])
def test_nothing_makes_no_curve(runs):
    with pytest.raises(UsageError, match="learning curve"):
        Curve.of(runs)


def test_runs_that_share_no_number_of_labels_are_refused():
    with pytest.raises(UsageError, match="too small"):
        Curve.of([([1.0, 2.0], [0.1, 0.2]), ([5.0, 6.0], [0.3, 0.4])])

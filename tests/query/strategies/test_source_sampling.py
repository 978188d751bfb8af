"""MTiGS on a source's predictions, by hand."""

import numpy as np

from streamer.query.strategies import make_strategy
from streamer.query.strategy import Labelled
from tests.model_views import Given


class Halved(Given):
    """Predicts half of the features for valence and arousal, whatever was answered."""

    def means(self, features):
        return np.concatenate([features / 2.0, np.zeros((len(features), 1))], axis=1)


def test_both_sides_are_predicted():
    features = np.array([[2.0, 2.0], [4.0, 1.0], [0.0, 2.0]])
    answered = Labelled(np.zeros((1, 2)), np.full((1, 3), np.nan), ["happy"])
    scores = make_strategy("source-mtigs")(
        features, Halved(answers=answered), np.random.default_rng(0)
    )
    # |x - 0| times the product of |y - 0| over valence and arousal.
    expected = [np.sqrt(8.0) * 1.0 * 1.0, np.sqrt(17.0) * 2.0 * 0.5, 0.0]
    np.testing.assert_allclose(scores.values, expected)
    assert scores.reason == "far from all that is answered, by predicted dimensions"


def test_the_answers_to_dimensions_have_no_say():
    features = np.array([[2.0, 2.0], [4.0, 1.0]])
    strategy, rng = make_strategy("source-mtigs"), np.random.default_rng(0)
    rated = Labelled(np.zeros((1, 2)), np.array([[0.9, 0.9, 0.9]]), [None])
    bare = Labelled(np.zeros((1, 2)), np.full((1, 3), np.nan), ["sad"])
    both = [strategy(features, Halved(answers=a), rng).values for a in (rated, bare)]
    np.testing.assert_array_equal(*both)

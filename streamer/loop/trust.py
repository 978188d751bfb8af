"""Noise and clipping make a prediction less certain.

Every screen takes its predictions from `predict`, so that an utterance has the same interval in the
output of `run` and on the label page.
"""

from streamer.loop.online_model import OnlineModel
from streamer.types import Estimate, HasEncoding, Prediction, Quality


def predict(model: OnlineModel, encoded: HasEncoding, quality: Quality) -> Prediction:
    """Predict an utterance, with intervals as wide as its sound quality requires."""
    return widened(model.predict(encoded), quality.trust)


def widened(prediction: Prediction, trust: float) -> Prediction:
    """The same means, each interval 1 / trust times as wide, within [-1, 1].

    Parameters
    ----------
    prediction
        What the model makes of an utterance.
    trust
        The quality's, in (0, 1]; 1 returns the prediction itself.

    Examples
    --------
    >>> half = Estimate(0.5, 0.25, 0.75)
    >>> widened(Prediction(half, half, half), 0.5).arousal
    Estimate(mean=0.5, low=0.0, high=1.0)
    """
    if trust >= 1.0:
        return prediction
    return Prediction(
        *(
            _widened(one, trust)
            for one in (prediction.valence, prediction.arousal, prediction.dominance)
        )
    )


def _widened(estimate: Estimate, trust: float) -> Estimate:
    mean = estimate.mean
    low = mean - (mean - estimate.low) / trust
    high = mean + (estimate.high - mean) / trust
    return Estimate(mean, max(-1.0, low), min(1.0, high))

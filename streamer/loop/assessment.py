"""What a model says of one utterance: the step that a session and a table of recordings share."""

from dataclasses import dataclass

import numpy as np

from streamer.loop.online_model import OnlineModel
from streamer.loop.trust import predict
from streamer.query.strategies.binary_confidence import BinaryConfidence
from streamer.types import HasEncoding, Prediction, Quality, Verdict


@dataclass(frozen=True, slots=True)
class Assessment:
    """One utterance's prediction and verdict, and how much its label would teach.

    informativeness: see `events.Heard`.
    """

    prediction: Prediction
    verdict: Verdict
    informativeness: float | None


def assess(
    model: OnlineModel, encoded: HasEncoding, quality: Quality, scorer: BinaryConfidence
) -> Assessment:
    """Predict, compare and score an utterance that `model` has adapted to.

    Parameters
    ----------
    quality
        Of its sound: noise and clipping widen the intervals.
    scorer
        Of the dimensions that are asked.
    """
    prediction = predict(model, encoded, quality)
    verdict = model.verdict(encoded)
    features = model.features(encoded.embedding)[np.newaxis]
    value = scorer.informativeness(features, model.knowledge)
    return Assessment(prediction, verdict, None if value is None else float(value[0]))

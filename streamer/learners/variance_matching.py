"""Predictions with the variance of the labels.

Least squares shrinks: predictions that explain a fraction R^2 of the variance of the labels have
R^2 of their variance, and a concordance (CCC) of 2 R^2/(1 + R^2). Scaled about their mean by 1/R
they vary as the labels do, which is the scale with the highest CCC, R. The cost is squared error:
an RMSE of sqrt(2 - 2R) instead of sqrt(1 - R^2), in standard deviations of the labels.

Neither the variance of the labels nor R is estimated from the labels, since a query strategy
selects those: the variance of the predictions is that over all utterances, and the unexplained
variance is the regression's noise.

`streamer evaluate` measures by it; `run` does not use it. Where predictions explain
little it gains much CCC, and costs as much error (IEMOCAP's functionals, 200 labels: arousal 0.54
to 0.60, RMSE 0.27 to 0.29; valence 0.16 to 0.21, RMSE 0.47 to 0.55). On the shipped encoder and
prior CCC changes by 0.01 either way from 10 to 200 labels, which is not worth a state that depends
on everything heard (`python -m benchmarks.spread`).
"""

from typing import Final

import numpy as np

from streamer.types import Vector

LARGEST_GAIN: Final = 4.0


def spread_gain(means: Vector, noise_variance: float) -> float:
    """1/R, in [1, LARGEST_GAIN], from all predictions [n] and the noise variance, > 0.

    R^2 = v/(v + noise_variance) with v the variance of the predictions; at most LARGEST_GAIN, for
    predictions that hardly vary.

    >>> spread_gain(np.array([-1.0, 1.0]), 3.0)
    2.0
    """
    variance = float(np.var(means)) if len(means) else 0.0
    if variance * LARGEST_GAIN**2 <= variance + noise_variance:
        return LARGEST_GAIN
    return float(np.sqrt((variance + noise_variance) / variance))


def widened(means: Vector, centre: float, gain: float) -> Vector:
    """Predictions [n] moved away from their centre, and clipped to [-1, 1].

    >>> widened(np.array([0.1, 0.6]), centre=0.1, gain=1.5).round(2).tolist()
    [0.1, 0.85]
    """
    return np.asarray(np.clip(centre + gain * (means - centre), -1.0, 1.0))

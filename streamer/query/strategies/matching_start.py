"""Cold start: a selection distributed like all utterances.

By the maximum mean discrepancy (Chattopadhyay et al. 2012, "Batch mode active sampling based on
marginal probability distribution matching"), taken greedily: kernel herding with the answered ones
taken into account.

    MMD^2(S) = mean k(S, S) - 2 mean k(S, all) + mean k(all, all),   k = exp(-|x - x'|^2/(2 h^2))

with S the answered and the taken, and h the median distance of the buffer's utterances.
"""

import numpy as np

from streamer.learners.clustering import squared_distances
from streamer.query.strategies.greedy import Greedy, Steps
from streamer.query.strategy import Knowledge
from streamer.types import Matrix, Vector


class MatchingStart(Greedy):
    """Score: minus the MMD^2 after taking it, up to what is the same for all."""

    name = "herding"

    def begin(self, features: Matrix, knowledge: Knowledge, rng: np.random.Generator) -> Steps:
        places = knowledge.labelled().features
        between = squared_distances(features, features)
        apart = between[between > 0.0]
        width = 2.0 * float(np.median(apart)) if len(apart) else 1.0
        kernel = np.exp(-between / width)
        matched = kernel.mean(axis=1)
        # Sums over S, kept up to date: of k(x, S) for every x, of k(S, S), and of `matched`.
        to_chosen = np.exp(-squared_distances(features, places) / width).sum(axis=1)
        chosen = np.exp(-squared_distances(places, places) / width).sum()
        chosen_matched = np.exp(-squared_distances(places, features) / width).mean(axis=1).sum()
        count = len(places)

        def values() -> Vector:
            inside = (chosen + 2.0 * to_chosen + 1.0) / (count + 1) ** 2
            across = (chosen_matched + matched) / (count + 1)
            return np.asarray(2.0 * across - inside)

        def after(index: int) -> Vector:
            nonlocal count, chosen, chosen_matched, to_chosen
            chosen = chosen + 2.0 * to_chosen[index] + 1.0
            chosen_matched = chosen_matched + matched[index]
            to_chosen = to_chosen + kernel[index]
            count += 1
            return values()

        return Steps(values(), "distributed like all utterances", after)

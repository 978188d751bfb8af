"""A query strategy of one's own: written, checked against the contract, used in the loop.

    python examples/own_strategy.py RECORDING

On the command line: `streamer run --strategy own_strategy:Uneven`, started in this folder; and
`streamer evaluate CORPUS --strategy own_strategy:Uneven,binary-confidence` compares the two.
"""

import sys

import numpy as np

import streamer
from streamer.events import Selected


class Uneven(streamer.Ranking):
    """Ask where the two dimensions are least equally certain."""

    name = "uneven"

    def __call__(
        self,
        features: np.ndarray[tuple[int, int], np.dtype[np.float64]],
        knowledge: streamer.Knowledge,
        rng: np.random.Generator,
    ) -> streamer.Scores:
        deviations = knowledge.deviations(features)
        if deviations is None:  # a learner that knows no deviations
            return streamer.Scores(rng.random(len(features)), "at random: no deviations", True)
        valence, arousal = deviations[:, 0], deviations[:, 1]
        return streamer.Scores(np.abs(valence - arousal), "unequal doubt of valence and arousal")


if __name__ == "__main__":
    streamer.check_strategy(Uneven)
    for event in streamer.Loop(sys.argv[1], buffer=4, strategy=Uneven):
        if isinstance(event, Selected):
            print(f"{event.strategy} asks about {list(event.asked)}: {event.reason}")

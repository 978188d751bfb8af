"""A machine that is too slow or hot for its encoder shows it less of an utterance, and says so.

The steps are how much of an utterance the encoder sees, from its middle: all of it, 6, 3, 1.5 s.
The embedding stays one of the same encoder, so what was learned holds; it is only of less speech.
(Another, smaller encoder would be another space: nothing learned would fit.) Where the last step is
still too slow, utterances wait and are given up, counted, see `encoding`.

With c the measured seconds of work for a second that the encoder sees, over the last utterances of
lengths d, a step of at most s seconds loads the machine, while somebody speaks without a pause, by

    load(s) = c * sum(min(d, s)) / sum(d)

It goes down where load is above `DOWN`, to the first step that is not; up, where it would stay
below `UP`. Above `HOT_C` it goes a step down, and up only below `COOL_C`; but not where the load is
below `WARMING`, since then something else heats the machine.
"""

import math
from collections import deque
from collections.abc import Callable
from typing import Final

from streamer.encoders.queue import Encoder
from streamer.types import SAMPLE_RATE_HZ, Samples

STEPS_S: Final = (math.inf, 6.0, 3.0, 1.5)
DOWN: Final = 0.8
UP: Final = 0.5
HOT_C: Final = 80.0
COOL_C: Final = 70.0
WARMING: Final = 0.1
# It looks at so many utterances, and stays at a step for as many.
WINDOW: Final = 8


class LoadShedder:
    """An encoder in front of another one. now_s: a steady clock; heat_c: degrees Celsius, or None.

    `news` is what people should be told, for the thread that listens; this may run on another.
    """

    def __init__(
        self,
        encoder: Encoder,
        now_s: Callable[[], float],
        heat_c: Callable[[], float | None],
    ) -> None:
        self.news: deque[str] = deque()
        self._encoder = encoder
        self._now_s = now_s
        self._heat_c = heat_c
        self._step = 0
        self._seen: deque[tuple[float, float, float]] = deque(maxlen=WINDOW)
        self._since = 0

    @property
    def longest_s(self) -> float:
        """How much of an utterance the encoder sees at most."""
        return STEPS_S[self._step]

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        """As the encoder behind, of float32 [samples], or of the middle of it."""
        part = middle(audio, self.longest_s)
        begun_s = self._now_s()
        vectors = self._encoder.encode(part)
        took_s = self._now_s() - begun_s
        self._seen.append((took_s, len(part) / SAMPLE_RATE_HZ, len(audio) / SAMPLE_RATE_HZ))
        self._since += 1
        if self._since >= WINDOW:
            self._consider()
        return vectors

    def load(self, longest_s: float) -> float:
        """The part of the time that the encoder would work while somebody speaks on and on."""
        cost = sum(took for took, _, _ in self._seen) / sum(seen for _, seen, _ in self._seen)
        lengths = [whole for _, _, whole in self._seen]
        return cost * sum(min(whole, longest_s) for whole in lengths) / sum(lengths)

    def _consider(self) -> None:
        heat_c = self._heat_c() or -math.inf
        step = self._step
        last = len(STEPS_S) - 1
        if self.load(STEPS_S[step]) > DOWN:
            while step < last and self.load(STEPS_S[step]) > DOWN:
                step += 1
            why = "the encoder is slower than people speak"
        elif heat_c >= HOT_C and self.load(STEPS_S[step]) > WARMING:
            step = min(step + 1, last)
            why = f"this machine is {heat_c:.0f} °C hot"
        elif step and heat_c < COOL_C and self.load(STEPS_S[step - 1]) < UP:
            step -= 1
            why = "there is time again"
        if step != self._step:
            self._step, self._since = step, 0
            much = "whole utterances" if not step else f"{self.longest_s:g} s of each utterance"
            self.news.append(f"{why}: from now on it sees {much}")


def middle(audio: Samples, longest_s: float) -> Samples:
    """At most so many seconds of [samples], from their middle."""
    if len(audio) <= longest_s * SAMPLE_RATE_HZ:
        return audio
    size = round(longest_s * SAMPLE_RATE_HZ)
    start = (len(audio) - size) // 2
    return audio[start : start + size]

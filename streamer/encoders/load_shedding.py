"""Load shedding: on a machine that is too slow or hot, the encoder gets a part of each utterance.

The steps are the longest part that it gets, from the middle: the whole utterance, 6, 3 or 1.5 s.
The embedding is still one of the same encoder, so what was learned stays valid. (A smaller encoder
would have another space.) If the last step is still too slow, utterances wait, and are dropped and
counted when too many do; see `queue`.

Let c be the measured seconds of work for one second of encoder input, over the last utterances of
lengths d. During speech without pauses, a step of at most s seconds then has the load

    load(s) = c * sum(min(d, s)) / sum(d)

If the load is above `DOWN`, it steps down to the first step that is not; it steps up if the load
would stay below `UP`. Above `HOT_C` it steps down, and up again only below `COOL_C`; but not if the
load is below `WARMING`, since then something else heats the machine.
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
# Utterances that are considered, and that it stays at a step at least.
WINDOW: Final = 8


class LoadShedder:
    """An encoder in front of another one. now_s: a monotonic clock; heat_c: in degrees Celsius.

    `news` holds messages for the user, shown by the listening thread; `encode` may run on another.
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
        """The longest part of an utterance that the encoder gets, in seconds."""
        return STEPS_S[self._step]

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        """The other encoder's vectors of float32 [samples], or of their middle."""
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
        """The fraction of time that the encoder would work during speech without pauses."""
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
            why = "the encoder is slower than real time"
        elif heat_c >= HOT_C and self.load(STEPS_S[step]) > WARMING:
            step = min(step + 1, last)
            why = f"this machine is at {heat_c:.0f} °C"
        elif step and heat_c < COOL_C and self.load(STEPS_S[step - 1]) < UP:
            step -= 1
            why = "the machine is fast enough again"
        if step != self._step:
            self._step, self._since = step, 0
            much = "whole utterances" if not step else f"{self.longest_s:g} s of each utterance"
            self.news.append(f"{why}: the encoder now gets {much}")


def middle(audio: Samples, longest_s: float) -> Samples:
    """At most `longest_s` seconds of [samples], from their middle."""
    if len(audio) <= longest_s * SAMPLE_RATE_HZ:
        return audio
    size = round(longest_s * SAMPLE_RATE_HZ)
    start = (len(audio) - size) // 2
    return audio[start : start + size]

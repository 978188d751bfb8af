"""Utterances between their end and their row: each is stored, or counted as dropped."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from streamer.audio.utterance_stream import UtteranceStream
from streamer.events import Noticed
from streamer.text import many
from streamer.types import Utterance

TOO_SLOW: Final = "encoder_slow"
NOT_STORED: Final = "not_stored"
_WHY: Final = {
    TOO_SLOW: "the encoder is slower than people speak: {} given up; choose a faster one "
    "(`streamer bench`)",
    NOT_STORED: "another program keeps the profile's database locked: {} given up; close it",
}


class Unstored:
    """An error may lose utterances at any point; those that are here at the end were lost.

    utterance_stream: keeps the account of samples.
    """

    def __init__(self, utterance_stream: UtteranceStream) -> None:
        self._utterance_stream = utterance_stream
        self._expected: dict[int, Utterance] = {}  # by identity
        self._dropped: Counter[str] = Counter()

    def expect(self, utterances: list[Utterance]) -> None:
        self._expected |= {id(one): one for one in utterances}

    def stored(self, utterance: Utterance) -> None:
        del self._expected[id(utterance)]

    def drop(self, utterance: Utterance, reason: str) -> Iterator[Noticed]:
        """Count it as dropped; yields a notice at the 1st, 2nd, 4th, 8th... of that reason."""
        self.stored(utterance)
        self._utterance_stream.give_up(utterance, reason)
        self._dropped[reason] += 1
        count = self._dropped[reason]
        if count & (count - 1) == 0:
            yield Noticed(_WHY[reason].format(many(count, "utterance")))

    def drop_all(self) -> None:
        """Count what is left as not stored."""
        for utterance in self._expected.values():
            self._utterance_stream.give_up(utterance, NOT_STORED)
        self._expected.clear()

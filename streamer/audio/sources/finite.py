"""Every source's samples are numbers: what is not is heard as silence, and said."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from streamer.audio.sources.protocol import Delivered, Source
from streamer.types import Chunk, Notice


class FiniteSource:
    """Wraps a source: NaN and infinite samples become 0.

    A notice tells of them when they first occur in a file or device, and once more with the
    whole count when it ends. Samples beyond [-1, 1] are left as they are: the quality note of an
    utterance says that it is clipped.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.kind = source.kind
        self.name = source.name
        self.rate_hz = source.rate_hz
        self.channels = source.channels

    def __iter__(self) -> Iterator[Delivered]:
        heard_of = ""
        replaced = told = 0
        for heard in self._source:
            if isinstance(heard, Chunk):
                if heard.source != heard_of:
                    if replaced > told:
                        yield _notice(heard_of, replaced)
                    heard_of, replaced, told = heard.source, 0, 0
                finite = np.isfinite(heard.samples)
                if not finite.all():
                    replaced += int(finite.size - np.count_nonzero(finite))
                    samples = np.where(finite, heard.samples, np.float32(0))
                    heard = replace(heard, samples=samples)
                    if not told:
                        told = replaced
                        yield _notice(heard_of, replaced)
            yield heard
        if replaced > told:
            yield _notice(heard_of, replaced)

    def close(self) -> None:
        self._source.close()


def _notice(name: str, count: int) -> Notice:
    noun = "sample is not a number" if count == 1 else "samples are not numbers"
    return Notice(f"{name}: {count:,} {noun} and replaced by silence", "not_a_number")

"""What is recorded while something is played is captured, counted and not heard; to the sample."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.sources.playback_mask import LEAD_S, PLAYBACK, TAIL_S, PlaybackMask
from streamer.audio.sources.protocol import Delivered
from streamer.types import Chunk, Gap, Notice

RATE_HZ = 1_000


class Live:
    """A source of numbered samples, in chunks of the sizes given, the first one at 100 s."""

    kind, name, rate_hz, channels = "microphone", "made up", RATE_HZ, 1

    def __init__(self, sizes: list[int], stamped: bool = True) -> None:
        self._sizes = sizes
        self._stamped = stamped
        self.now_s = 100.0
        self.closed = False

    def __iter__(self) -> Iterator[Delivered]:
        done = 0
        for size in self._sizes:
            samples = np.arange(done, done + size, dtype=np.float32)[:, None]
            self.now_s = 100.0 + (done + size) / RATE_HZ
            captured_s = 100.0 + done / RATE_HZ if self._stamped else None
            yield Chunk(samples, RATE_HZ, self.name, captured_s)
            done += size

    def close(self) -> None:
        self.closed = True


def listened(live: Live, spans: list[tuple[float, float]]) -> list[Delivered]:
    return list(PlaybackMask(live, lambda: spans, lambda: live.now_s))


def heard(items: list[Delivered]) -> list[int]:
    chunks = [item.samples[:, 0] for item in items if isinstance(item, Chunk)]
    return [int(value) for chunk in chunks for value in chunk]


SIZES = st.lists(st.integers(0, 700), min_size=1, max_size=12)
SPANS = st.lists(
    st.tuples(st.floats(98.0, 106.0), st.floats(0.0, 2.0)).map(lambda s: (s[0], s[0] + s[1])),
    max_size=4,
)


@given(SIZES, SPANS, st.booleans())
def test_every_sample_is_heard_or_counted_exactly(
    sizes: list[int], spans: list[tuple[float, float]], stamped: bool
) -> None:
    items = listened(Live(sizes, stamped), spans)
    masked = {
        n for n in range(sum(sizes))
        if any(s - LEAD_S <= 100.0 + (n + 2) / RATE_HZ and 100.0 + (n - 1) / RATE_HZ < e + TAIL_S
               for s, e in spans)
    }  # fmt: skip
    kept = heard(items)
    gaps = sum(item.samples for item in items if isinstance(item, Gap))
    assert len(kept) + gaps == sum(sizes)
    assert kept == sorted(set(kept))
    # By a sample or two at the borders of a span: seconds are no whole numbers of samples.
    assert set(range(sum(sizes))) - set(kept) <= masked
    assert len(masked) - gaps <= 4 * len(spans)
    assert all(item.reason == PLAYBACK for item in items if isinstance(item, Gap))


def test_order_and_stamps_are_kept() -> None:
    items = listened(Live([1_000, 3_000, 0, 1_000]), [(102.0, 102.5)])
    place = 0
    for item in items:
        if isinstance(item, Chunk) and len(item.samples):
            assert item.captured_s is not None
            assert abs(item.captured_s - 100.0 - place / RATE_HZ) < 1e-9
            assert item.samples[0, 0] == place
            place += len(item.samples)
        elif isinstance(item, Gap):
            place += item.samples
    assert place == 5_000
    assert sum(isinstance(item, Chunk) and not len(item.samples) for item in items) == 1
    assert heard(items)[:1_900] == list(range(1_900))
    assert heard(items)[1_900] in (3_400, 3_401)


def test_it_is_said_once_and_then_once_a_minute() -> None:
    spans = [(100.0 + 10 * n, 103.0 + 10 * n) for n in range(20)]
    items = listened(Live([500] * 400), spans)
    notices = [(n, item) for n, item in enumerate(items) if isinstance(item, Notice)]
    assert [notice.kind for _, notice in notices] == [PLAYBACK] * 4
    assert "speech too, is not heard" in notices[0][1].text
    assert "24.5 s not heard so far" in notices[1][1].text
    assert all(isinstance(items[n + 1], Gap) for n, _ in notices)


def test_an_end_that_comes_earlier_counts() -> None:
    live = Live([1_000] * 6)
    spans = [(101.0, 105.0)]
    source = PlaybackMask(live, lambda: spans, lambda: live.now_s)
    items = []
    for item in source:
        items.append(item)
        if live.now_s > 102.5:
            spans[:] = [(101.0, 101.5)]
    # What came before that was told is not given back.
    assert heard(items) == [*range(900), *range(3_000, 6_000)]
    assert [n for n, m in pairwise(heard(items)) if m != n + 1] == [899]


def test_it_is_the_source_otherwise() -> None:
    live = Live([10])
    source = PlaybackMask(live, list)
    assert (source.kind, source.name, source.rate_hz, source.channels) == (
        live.kind, live.name, live.rate_hz, live.channels,
    )  # fmt: skip
    assert heard(list(source)) == list(range(10))
    source.close()
    assert live.closed


def test_a_recording_that_is_piped_in_is_heard_whole() -> None:
    live = Live([500] * 40, stamped=False)
    begun_s = live.now_s

    def clock() -> float:  # eight times as fast as time goes by
        return begun_s + (live.now_s - begun_s) / 8

    items = list(PlaybackMask(live, lambda: [(begun_s + 1.0, begun_s + 2.0)], clock))
    assert heard(items) == list(range(20_000))

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamer.audio.microphone.ring import MARKS, Ring
from streamer.types import Samples


def numbered(start: int, count: int, channels: int = 1) -> Samples:
    samples = np.arange(start, start + count, dtype=np.float32)
    return np.repeat(samples[:, None], channels, axis=1)


@given(
    capacity=st.integers(1, 40),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 50)), max_size=300),
)
def test_what_is_read_and_lost_is_what_was_written_in_its_place(
    capacity: int, steps: list[tuple[bool, int]]
) -> None:
    ring = Ring(capacity, channels=2)
    written = 0
    timeline = 0  # where the reader stands, losses included

    def read(limit: int) -> bool:
        nonlocal timeline
        samples, lost = ring.read(limit)
        assert len(samples) <= limit
        assert np.array_equal(samples, numbered(timeline, len(samples), 2))
        timeline += len(samples) + lost
        return bool(len(samples) or lost)

    for is_write, count in steps:
        if is_write:
            ring.write(numbered(written, count, 2))
            written += count
        else:
            read(count)
    while read(7) or (not ring.mark_loss()):
        pass
    while read(7):
        pass
    assert timeline == written


def test_full_ring_keeps_the_oldest_and_tells_how_many_are_lost() -> None:
    ring = Ring(10, channels=1)
    assert ring.write(numbered(0, 8)) == 8
    assert ring.write(numbered(8, 8)) == 2
    assert ring.write(numbered(16, 4)) == 0
    samples, lost = ring.read(100)
    assert samples[:, 0].tolist() == list(range(10))
    assert lost == 0
    ring.write(numbered(20, 3))
    assert ring.read(100)[1] == 10
    assert ring.read(100)[0][:, 0].tolist() == [20, 21, 22]


def test_more_losses_than_marks_are_merged_not_forgotten() -> None:
    ring = Ring(2 * MARKS, channels=1)
    ring.write(numbered(0, 2 * MARKS))
    written = 2 * MARKS
    read = lost = 0
    for _ in range(3 * MARKS):
        ring.write(numbered(written, 2))
        written += 2
        samples, gone = ring.read(1)
        read, lost = read + len(samples), lost + gone
    ring.mark_loss()
    for _ in range(4 * MARKS):
        samples, gone = ring.read(2 * MARKS)
        read, lost = read + len(samples), lost + gone
        ring.mark_loss()
    assert read + lost == written


def test_two_threads_lose_nothing_that_is_not_counted() -> None:
    ring = Ring(500, channels=1)
    total = 200_000

    def produce() -> None:
        for start in range(0, total, 80):
            ring.write(numbered(start, 80))

    producer = threading.Thread(target=produce)
    producer.start()
    timeline = lost_in_all = 0
    while producer.is_alive() or timeline < total:
        samples, lost = ring.read(333)
        assert np.array_equal(samples, numbered(timeline, len(samples)))
        timeline += len(samples) + lost
        lost_in_all += lost
        if not producer.is_alive():
            ring.mark_loss()
    assert timeline == total
    assert lost_in_all < total

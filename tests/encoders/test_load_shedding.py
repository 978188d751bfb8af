"""A slow or hot machine shows its encoder less, says so, and goes back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.encoders.load_shedding import DOWN, STEPS_S, WINDOW, LoadShedder, middle
from streamer.encoders.queue import BackgroundEncoding
from streamer.types import SAMPLE_RATE_HZ, Quality, Samples, Utterance


class Board:
    """A machine: its clock goes on by the encoder's work, at so many seconds a second seen."""

    def __init__(self, cost: float = 0.1) -> None:
        self.cost = cost
        self.heat_c: float | None = None
        self.now_s = 0.0
        self.seen: list[float] = []
        self.load_shedder = LoadShedder(self, lambda: self.now_s, lambda: self.heat_c)

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        self.seen.append(len(audio) / SAMPLE_RATE_HZ)
        self.now_s += self.cost * self.seen[-1]
        return np.zeros(4, np.float32), np.ones(2, np.float32)

    def hear(self, count: int, length_s: float = 10.0) -> None:
        audio = np.zeros(round(length_s * SAMPLE_RATE_HZ), np.float32)
        for _ in range(count):
            self.load_shedder.encode(audio)


def test_a_machine_that_keeps_up_shows_everything():
    board = Board(cost=0.7)
    board.hear(50)
    assert set(board.seen) == {10.0}
    assert not board.load_shedder.news


@pytest.mark.parametrize(("cost", "longest_s"), [(1.2, 6.0), (2.0, 3.0), (5.0, 1.5), (50.0, 1.5)])
def test_a_slow_machine_shows_as_little_as_it_must(cost, longest_s):
    board = Board(cost)
    board.hear(WINDOW)
    assert board.load_shedder.longest_s == longest_s
    (said,) = board.load_shedder.news
    assert f"{longest_s:g} s of each utterance" in said
    board.hear(1)
    assert board.seen[-1] == longest_s


def test_short_utterances_are_never_cut():
    board = Board(cost=2.0)
    board.hear(WINDOW)
    board.hear(1, length_s=2.0)
    assert board.seen[-1] == 2.0


def test_it_goes_back_step_by_step_when_there_is_time_again():
    board = Board(cost=5.0)
    board.hear(WINDOW)
    board.cost = 0.2
    board.hear(10 * WINDOW)
    assert board.load_shedder.longest_s == STEPS_S[0]
    assert len(board.load_shedder.news) == len(STEPS_S)
    assert "whole utterances" in board.load_shedder.news[-1]


def test_a_speed_between_down_and_up_does_not_swing():
    board = Board(cost=0.9)
    board.hear(20 * WINDOW)
    assert len(board.load_shedder.news) == 1


def test_heat_goes_a_step_down_and_only_the_cool_go_back():
    board = Board(cost=0.4)
    board.heat_c = 84.0
    board.hear(WINDOW)
    assert board.load_shedder.longest_s == STEPS_S[1]
    assert "84 °C" in board.load_shedder.news[-1]
    board.heat_c = 75.0  # neither hot nor cool
    board.hear(3 * WINDOW)
    assert board.load_shedder.longest_s == STEPS_S[1]
    board.heat_c = 60.0
    board.hear(WINDOW)
    assert board.load_shedder.longest_s == STEPS_S[0]


def test_hot_for_long_goes_down_to_the_last_step_and_stays():
    board = Board(cost=0.7)
    board.heat_c = 90.0
    board.hear(10 * WINDOW)
    assert board.load_shedder.longest_s == STEPS_S[-1]
    assert len(board.load_shedder.news) == len(STEPS_S) - 1


def test_heat_that_the_encoder_does_not_make_costs_it_nothing():
    board = Board(cost=0.01)
    board.heat_c = 95.0
    board.hear(10 * WINDOW)
    assert not board.load_shedder.news


@given(
    st.lists(st.floats(0.3, 30.0), min_size=WINDOW, max_size=3 * WINDOW),
    st.floats(0.01, 20.0),
)
def test_the_step_chosen_carries_the_load_unless_it_is_the_last(lengths_s, cost):
    board = Board(cost)
    for length_s in lengths_s:
        board.hear(1, length_s)
        if board.load_shedder.news:
            assert board.load_shedder.longest_s == STEPS_S[-1] or (
                board.load_shedder.load(board.load_shedder.longest_s) <= DOWN
            )
            break


def test_the_middle_is_seen():
    audio = np.arange(10 * SAMPLE_RATE_HZ, dtype=np.float32)
    part = middle(audio, 3.0)
    assert len(part) == 3 * SAMPLE_RATE_HZ
    assert part[0] + part[-1] == audio[0] + audio[-1]
    assert middle(audio, 10.0) is audio


def test_it_says_so_for_the_thread_that_listens():
    board = Board(cost=3.0)
    beside = BackgroundEncoding(board.load_shedder)
    audio = np.zeros(10 * SAMPLE_RATE_HZ, np.float32)
    for _ in range(WINDOW + 1):
        assert beside.put(Utterance("made", 0.0, 10.0, audio, Quality(-20.0, 30.0, False)), 0.0)
    assert len(list(beside.rest())) == WINDOW + 1
    beside.close()
    assert board.seen[-1] < 10.0
    assert len(board.load_shedder.news) == 1

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.errors import UsageError
from streamer.evaluation.protocol import Pool, Stream
from streamer.query.strategies.random_choice import RandomChoice
from streamer.query.strategy import Ranking, Scores


@dataclass
class Diary:
    """A model that notes what happens to it."""

    features: np.ndarray
    knowledge: object = None
    events: list[tuple[str, int]] = field(default_factory=list)

    def learn(self, utterance):
        self.events.append(("learn", utterance))

    def record_predictions(self, utterances):
        self.events += [("record", utterance) for utterance in utterances]

    def of(self, kind):
        return [utterance for event, utterance in self.events if event == kind]


class Largest(Ranking):
    name = "largest"

    def __call__(self, features, knowledge, rng):
        return Scores(features[:, 0], "the largest first feature")


def diary(count: int) -> Diary:
    return Diary(np.random.default_rng(0).permutation(count)[:, np.newaxis].astype(float))


def test_of_each_buffer_the_larger_half_is_asked():
    model = diary(13)
    scenario = Stream(buffer=4, keep=0.5, first=2, length=None)
    found = list(scenario.run(model, Largest(), range(13), np.random.default_rng(0)))
    values = model.features[:, 0]
    asked = [i for low in (2, 6) for i in sorted(range(low, low + 4), key=lambda i: -values[i])[:2]]
    assert model.of("learn") == [0, 1, *asked]
    assert [(p.labels, p.arrived) for p in found] == [(2, 2), (4, 6), (6, 10)]


def test_everything_heard_is_predicted_once_and_before_it_is_learned():
    model = diary(40)
    list(Stream(buffer=8, first=0, length=None).run(
        model, RandomChoice(), range(40), np.random.default_rng(0)))  # fmt: skip
    assert model.of("record") == list(range(40))
    for utterance in model.of("learn"):
        recorded, learned = (model.events.index((k, utterance)) for k in ("record", "learn"))
        assert recorded < learned


@settings(max_examples=150)
@given(st.integers(1, 9), st.integers(0, 25), st.integers(0, 5), st.sampled_from([0.3, 0.5, 1.0]))
def test_a_late_answer_is_learned_so_many_utterances_later(buffer, delay, first, keep):
    count = 50
    model = diary(count)
    scenario = Stream(buffer, keep, first, None, delay)
    progress = list(scenario.run(model, RandomChoice(), range(count), np.random.default_rng(0)))
    learned = model.of("learn")
    assert len(learned) == len(set(learned)) == progress[-1].labels
    prompt = diary(count)
    list(Stream(buffer, keep, first, None, 0).run(
        prompt, RandomChoice(), range(count), np.random.default_rng(0)))  # fmt: skip
    assert sorted(learned) == sorted(prompt.of("learn"))
    for utterance in learned[first:]:
        at = model.events.index(("learn", utterance))
        arrived = first + sum(kind == "record" for kind, _ in model.events[:at])
        full = first + ((utterance - first) // buffer + 1) * buffer
        assert arrived == min(full + delay, count)


def test_the_stream_ends_at_its_length():
    model = diary(100)
    found = list(
        Stream(buffer=10, first=5, length=30).run(
            model, RandomChoice(), range(100), np.random.default_rng(0)
        )
    )
    assert found[-1].arrived == 35
    assert max(model.of("record")) == 34


def test_the_pool_gives_its_best_round_by_round():
    model = diary(30)
    found = list(Pool(batch=5, rounds=3, first=4).run(
        model, Largest(), range(30), np.random.default_rng(0)))  # fmt: skip
    best = sorted(range(4, 30), key=lambda i: -model.features[i, 0])[:15]
    assert model.of("learn") == [0, 1, 2, 3, *best]
    assert [p.labels for p in found] == [4, 9, 14, 19]


def test_an_empty_pool_ends_the_rounds():
    model = diary(7)
    found = list(Pool(batch=5, rounds=9, first=0).run(
        model, RandomChoice(), range(7), np.random.default_rng(0)))  # fmt: skip
    assert [p.labels for p in found] == [0, 5, 7]
    assert sorted(model.of("learn")) == list(range(7))


def test_a_subset_of_the_pool_hides_the_rest():
    model = diary(200)
    list(Pool(batch=1, rounds=20, first=0, subset=3).run(
        model, Largest(), range(200), np.random.default_rng(0)))  # fmt: skip
    # The very largest of all are found only by luck when three are looked at.
    assert model.features[model.of("learn"), 0].min() < 150


@pytest.mark.parametrize(
    "make",
    [
        lambda: Stream(buffer=0),
        lambda: Stream(keep=0.0),
        lambda: Stream(keep=1.5),
        lambda: Stream(delay=-1),
        lambda: Pool(batch=0),
        lambda: Pool(subset=0),
    ],
)
def test_what_cannot_be_run_is_refused(make):
    with pytest.raises(UsageError, match=r"give (at least|a part)"):
        make()

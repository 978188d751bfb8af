import numpy as np
import pytest

from streamer.evaluation.protocol import Pool, Stream
from streamer.evaluation.run import run_trial
from tests.evaluation.learnable import learnable

ASKED = ("valence", "arousal")
STREAM = Stream(buffer=20, first=10, length=None)


def trial(scenario=STREAM, strategy="binary-confidence", seed=0, learner="plain", **settings):
    return run_trial(*learnable(), scenario, strategy, learner, seed, ASKED, **settings)


def test_more_labels_make_it_better():
    outcome = trial()
    assert outcome.labels == [10 + 10 * k for k in range(15)]
    for name in ("valence/ccc", "arousal/spread-ccc", "emotion/uar"):
        assert outcome.values[name][-1] > outcome.values[name][0]
        assert outcome.values[name][-1] > 0.8
    assert outcome.values["arousal/rmse"][-1] < outcome.values["arousal/rmse"][0]


def test_the_same_seed_gives_the_same_run_and_another_one_does_not():
    first, again, other = trial(), trial(), trial(seed=1)
    assert str(first.values) == str(again.values)  # nan equals nan here
    assert first.values["arousal/ccc"] != other.values["arousal/ccc"]


def test_all_strategies_begin_from_the_same_answers():
    runs = [trial(strategy=name) for name in ("random", "binary-confidence", "igs")]
    assert len({run.values["arousal/ccc"][0] for run in runs}) == 1
    assert len({run.values["arousal/ccc"][-1] for run in runs}) == 3


def test_all_asks_everything():
    assert trial(strategy="all").labels == [10 + 20 * k for k in range(15)]


def test_prequential_values_begin_with_the_first_buffer():
    values = trial().values["arousal/prequential-ccc"]
    assert np.isnan(values[0])
    assert np.isfinite(values[1:]).all()


def test_late_answers_make_prequential_values_worse():
    late = Stream(buffer=20, first=10, length=None, delay=150)
    prompt, delayed = (trial(s).values["arousal/prequential-ccc"][8] for s in (STREAM, late))
    assert delayed < prompt


def test_only_what_is_taught_is_measured():
    assert {name.split("/")[0] for name in trial(targets=("arousal",)).values} == {"arousal"}


@pytest.mark.parametrize("strategy", ["random", "mtigs-ctial", "batchbald", "k-means+entropy"])
def test_a_pool_can_begin_without_a_label(strategy):
    outcome = trial(Pool(batch=15, rounds=4, first=0), strategy)
    assert outcome.labels == [0, 15, 30, 45, 60]
    assert outcome.values["arousal/ccc"][0] == 0.0
    assert outcome.values["arousal/ccc"][-1] > 0.6

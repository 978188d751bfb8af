"""The prior of many voices: what sums give is what the rows give, and nobody rules."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.learners.fleet.estimation import _answers, estimate, population_weights
from streamer.learners.fleet.statistics import (
    VoiceData,
    VoiceStatistics,
    names_of,
    standard_scores,
)
from tests.fleets import made_voice
from tests.support import made_voices


@pytest.fixture(scope="module")
def prior():
    return made_voices(np.random.default_rng(0), emotions=3)


@pytest.fixture(scope="module")
def correction():
    return np.random.default_rng(1).normal(size=(7, 3)) * 0.25


@pytest.fixture(scope="module")
def voices(prior, correction):
    return [VoiceStatistics.of(made_voice(k, prior, correction), prior) for k in range(12)]


def error(prior, base, correction, seeds=range(50, 56)):
    """RMSE of a prior's expectation on new voices."""
    left = []
    for seed in seeds:
        data = made_voice(seed, base, correction)
        said = prior.expect(standard_scores(data.embeddings, base))[0]
        left.append((said - data.affect)[np.isfinite(data.affect)])
    return float(np.sqrt(np.mean(np.concatenate(left) ** 2)))


def test_new_voices_are_predicted_better(prior, correction, voices):
    found = estimate(voices, prior)
    assert all(found.kept)
    assert error(found.prior, prior, correction) < 0.6 * error(prior, prior, correction)
    assert (found.errors < found.errors_before).all()


def test_where_nothing_is_to_be_corrected_nothing_is(prior):
    same = [VoiceStatistics.of(made_voice(k, prior, np.zeros((7, 3))), prior) for k in range(12)]
    found = estimate(same, prior)
    assert error(found.prior, prior, np.zeros((7, 3))) < 1.05 * error(
        prior, prior, np.zeros((7, 3))
    )


@settings(max_examples=15)
@given(st.permutations(range(12)))
def test_the_order_of_voices_does_not_matter(prior, voices, order):
    expected = estimate(voices, prior).prior.to_arrays()
    found = estimate([voices[k] for k in order], prior).prior.to_arrays()
    for name, array in expected.items():
        if array.dtype.kind == "f":
            np.testing.assert_allclose(found[name], array, rtol=0, atol=1e-9, err_msg=name)
        else:
            assert found[name].tolist() == array.tolist()


@settings(max_examples=15)
@given(st.integers(0, 10_000), st.integers(1, 30), st.sampled_from([0.3, 3.0, 100.0]))
def test_sums_give_what_the_rows_give(prior, correction, seed, labels, strength):
    """Ridge regression on all rows of all voices at once, against the sums of each."""
    data = [made_voice(seed + k, prior, correction, labels=labels) for k in range(4)]
    rows, rests = [], []
    for one in data:
        scores = standard_scores(one.embeddings, prior)
        answered = np.isfinite(one.affect[:, 1])
        inputs = np.concatenate([prior.damped(scores), np.ones((len(scores), 1))], axis=1)
        rows.append(inputs[answered])
        rests.append((one.affect - prior.expect(scores)[0])[answered, 1])
    stacked = np.concatenate([*rows, np.sqrt(strength) * np.eye(7)])
    targets = np.concatenate([*rests, np.zeros(7)])
    expected = np.linalg.lstsq(stacked, targets, rcond=None)[0]
    answers = [_answers(VoiceStatistics.of(one, prior), 1, prior) for one in data]
    found = population_weights(answers, strength)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)


def test_parts_add_up_where_the_voice_is_the_same(prior, correction):
    """Sums of answers: x depends on the voice's moments, so both parts have the whole's."""
    one = VoiceStatistics.of(made_voice(1, prior, correction), prior)
    other = VoiceStatistics.of(made_voice(2, prior, correction), prior)
    both = one + other
    for name, array in both.to_arrays().items():
        np.testing.assert_array_equal(array, one.to_arrays()[name] + other.to_arrays()[name])


def lying(voice: VoiceStatistics, factor: float) -> VoiceStatistics:
    """The opposite of what was answered, as if it were said `factor` times."""
    return replace(
        voice, labels=factor * voice.labels, inputs=factor * voice.inputs,
        targets=-factor * 5.0 * voice.targets, squares=factor * 25.0 * voice.squares,
        utterances=factor * voice.utterances, embedding_sum=voice.embedding_sum + factor * 1e6,
        prototype_sums=-factor * voice.prototype_sums,
        prototype_counts=factor * voice.prototype_counts,
    )  # fmt: skip


@pytest.mark.parametrize("factor", [1.0, 1e3, 1e9])
def test_one_malicious_device_does_not_rule(prior, correction, voices, factor):
    honest = estimate(voices, prior)
    found = estimate([*voices, lying(voices[3], factor)], prior)
    assert found.kept == [*honest.kept, False]
    for name, array in honest.prior.to_arrays().items():
        if array.dtype.kind == "f":
            np.testing.assert_allclose(found.prior.to_arrays()[name], array, atol=1e-9)


def test_of_few_devices_a_malicious_one_moves_little(prior, correction, voices):
    """Among four nobody can tell who lies; its say is no more than a quarter."""
    found = estimate([*voices[:3], lying(voices[3], 1e9)], prior)
    assert error(found.prior, prior, correction) < 1.1 * error(prior, prior, correction)


def test_names_that_people_made_up_are_not_summed(prior, correction, voices):
    names = names_of(prior)
    assert "Tante Berta" not in names
    assert {"anger", "fear", "joy", "sad", "neutral"} <= set(names)
    assert voices[0].prototype_counts.sum() < 30
    found = estimate(voices, prior).prior
    assert "sad" in found.prototype_names  # twelve voices taught it
    assert "disgusted" not in found.prototype_names
    np.testing.assert_allclose(np.linalg.norm(found.prototypes, axis=1), 1.0)
    assert found.fault(prior.size, len(prior.emotion_mean)) is None


def test_a_voice_without_answers_or_utterances_changes_no_expectation(prior):
    nothing = VoiceData(np.zeros((0, 6)), np.zeros((0, 4)), np.zeros((0, 3)), [], {})
    found = estimate([VoiceStatistics.of(nothing, prior)], prior)
    np.testing.assert_array_equal(found.prior.weights, prior.weights)
    np.testing.assert_array_equal(found.prior.embedding_mean, prior.embedding_mean)

"""A source's models: what they say, in whatever alignment, and what they refuse."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from streamer.errors import UsageError
from streamer.learners.affective_norms import affective_norm
from streamer.learners.source import (
    ALIGNMENTS,
    LabelledSource,
    SourceModel,
    fit_classes,
    fit_ridge,
)
from tests.support import made_voices


def made(rng: np.random.Generator, shift: float = 0.0) -> LabelledSource:
    """Two emotions far apart in the first three of twelve features."""
    emotions = ["happy", "sad"] * 60
    features = rng.standard_normal((120, 12))
    features[:, :3] += np.where(np.arange(120) % 2 == 0, 1.5, -1.5)[:, np.newaxis]
    return LabelledSource(features + shift, np.full((120, 3), np.nan), emotions).with_norms()


def test_norms_stand_in_for_ratings_that_are_not_there():
    rows = np.array([[np.nan] * 3, [0.1, 0.2, 0.3], [np.nan] * 3])
    source = LabelledSource(np.zeros((3, 2)), rows, ["sad", "sad", None]).with_norms()
    np.testing.assert_array_equal(source.affect[0], affective_norm("sad"))
    np.testing.assert_array_equal(source.affect[1], [0.1, 0.2, 0.3])
    assert np.isnan(source.affect[2]).all()


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_a_source_names_emotions_and_estimates_dimensions(alignment):
    source = made(np.random.default_rng(0))
    target = made(np.random.default_rng(1))
    model = SourceModel(source, target.features, alignment)
    said = [model.classes[k] for k in model.probabilities(target.features).argmax(axis=1)]
    assert np.mean([a == b for a, b in zip(said, target.emotions, strict=True)]) > 0.95
    happy = np.array(target.emotions) == "happy"
    valence = model.means(target.features)[:, 0]
    assert valence[happy].mean() > 0.3 > valence[~happy].mean()
    assert (model.balance is not None) == (alignment == "bda")


@pytest.mark.parametrize("alignment", ["tca", "bda"])
def test_alignment_mends_a_shift_that_misleads_the_plain_model(alignment):
    source = made(np.random.default_rng(0))
    target = made(np.random.default_rng(1), shift=3.0)
    truth = np.array([name == "happy" for name in target.emotions])

    def right(how: str) -> float:
        model = SourceModel(source, target.features, how)
        column = model.classes.index("happy")
        return float(((model.probabilities(target.features)[:, column] > 0.5) == truth).mean())

    assert right("none") < 0.7
    assert right(alignment) > 0.95


def test_affect_weights_are_the_means_in_the_form_of_a_prior():
    source = made(np.random.default_rng(0))
    model = SourceModel(source, source.features + 0.5, "tca")
    weights, intercept = model.affect_weights
    rows = np.random.default_rng(2).standard_normal((5, 12))
    np.testing.assert_allclose(rows @ weights + intercept, model.means(rows), atol=1e-12)


def test_fits_equal_those_of_scikit_learn():
    rng = np.random.default_rng(3)
    rows, classes = rng.standard_normal((90, 4)), np.arange(90) % 3
    rows[np.arange(90), classes] += 1.0
    ours = fit_classes(rows, classes, penalty=2.0)
    theirs = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000).fit(rows, classes)
    np.testing.assert_allclose(
        rows @ ours[:-1] + ours[-1] - (rows @ ours[:-1] + ours[-1]).mean(axis=1, keepdims=True),
        theirs.decision_function(rows) - theirs.decision_function(rows).mean(axis=1, keepdims=True),
        atol=1e-4,
    )
    answers = rng.standard_normal((90, 2))
    ridge = Ridge(alpha=3.0).fit(rows, answers)
    found = fit_ridge(rows, answers, penalty=3.0)
    np.testing.assert_allclose(rows @ found[:-1] + found[-1], ridge.predict(rows), atol=1e-10)


def test_a_source_of_dimensions_alone_has_no_classes():
    rng = np.random.default_rng(4)
    source = LabelledSource(rng.standard_normal((30, 3)), rng.uniform(-1, 1, (30, 3)), [None] * 30)
    model = SourceModel(source, rng.standard_normal((9, 3)), "bda")
    assert model.classes == ()
    assert model.means(rng.standard_normal((2, 3))).shape == (2, 3)


def test_what_teaches_nothing_is_refused():
    with pytest.raises(UsageError, match="1 emotions and 0 rated"):
        SourceModel(
            LabelledSource(np.ones((3, 2)), np.full((3, 3), np.nan), ["bored"] * 3), np.ones((1, 2))
        )
    with pytest.raises(UsageError, match="'procrustes'"):
        SourceModel(made(np.random.default_rng(0)), np.ones((1, 12)), "procrustes")
    with pytest.raises(UsageError, match="2 rows of features"):
        LabelledSource(np.ones((2, 2)), np.ones((3, 3)), [None] * 3)


def test_a_kept_model_says_the_same_to_the_last_bit():
    source = made(np.random.default_rng(0))
    model = SourceModel(source, source.features)
    again = SourceModel.from_arrays(model.to_arrays())
    rows = np.random.default_rng(2).standard_normal((5, 12))
    assert again.classes == model.classes
    np.testing.assert_array_equal(again.probabilities(rows), model.probabilities(rows))
    np.testing.assert_array_equal(again.means(rows), model.means(rows))


def test_joined_with_a_population_of_classes_it_is_the_mean_of_both():
    source = made(np.random.default_rng(0))
    model = SourceModel(source, source.features)
    population = made_voices(np.random.default_rng(5), size=12)
    rows = np.random.default_rng(2).standard_normal((5, 12))
    found = model.joined(population).expect(rows)[0]
    expected = (population.expect(rows)[0] + model.means(rows)) / 2.0
    np.testing.assert_allclose(found, expected)

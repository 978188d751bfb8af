"""Kernel maps against the kernel itself and against scikit-learn's."""

import numpy as np
import pytest
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVR

from streamer.learners.random_features import FourierMap, NystromMap, choose_landmarks, rbf
from streamer.learners.regression import BayesianRegression
from streamer.store.database import pack, unpack

SIZE, GAMMA = 5, 0.2


def rows(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, SIZE))


def test_the_kernel_is_that_of_scikit_learn():
    some, others = rows(20), rows(15, seed=1)
    np.testing.assert_allclose(rbf(some, others, 0.3), rbf_kernel(some, others, 0.3), atol=1e-13)


@pytest.mark.parametrize("count", [100, 1_000, 10_000])
def test_fourier_features_miss_the_kernel_by_one_over_root_m(count):
    x = rows(40)
    errors = []
    for seed in range(10):
        features = FourierMap(SIZE, count, GAMMA, np.random.default_rng(seed))(x)
        errors.append(features @ features.T - rbf(x, x, GAMMA))
    assert np.sqrt(np.mean(np.square(errors))) < 1.0 / np.sqrt(count)
    assert np.abs(np.mean(errors)) < 0.3 / np.sqrt(count)


def test_fourier_features_are_the_formula():
    made = FourierMap(SIZE, 7, GAMMA, np.random.default_rng(3))
    x = rows(1)[0]
    for k in range(7):
        angle = sum(made.directions[i, k] * x[i] for i in range(SIZE)) + made.phases[k]
        assert made(x)[k] == pytest.approx(np.sqrt(2 / 7) * np.cos(angle), abs=1e-12)


def test_landmarks_give_the_kernel_exactly_and_others_as_scikit_learn_does():
    x = rows(60)
    made = NystromMap(x[:25], GAMMA)
    features = made(x)
    exact = rbf(x, x, GAMMA)
    np.testing.assert_allclose((features @ features.T)[:25], exact[:25], rtol=0, atol=1e-7)
    theirs = Nystroem(gamma=GAMMA, n_components=25, random_state=0).fit(x[:25])
    near = theirs.transform(x)
    np.testing.assert_allclose(features @ features.T, near @ near.T, rtol=0, atol=1e-7)
    assert ((features**2).sum(axis=1) <= 1.0 + 1e-9).all()


def test_one_row_is_mapped_as_among_others():
    x = rows(4)
    for made in (NystromMap(x, GAMMA), FourierMap(SIZE, 9, GAMMA, np.random.default_rng(0))):
        np.testing.assert_allclose(made(x[2]), made(x)[2], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [FourierMap, NystromMap])
def test_stored_and_read_again_it_maps_to_the_same_bits(kind):
    x = rows(12)
    nystrom = NystromMap(x[:5], GAMMA)
    made = nystrom if kind is NystromMap else FourierMap(SIZE, 9, GAMMA, np.random.default_rng(0))
    arrays = unpack(pack(made.to_arrays()))
    assert all(array.dtype == np.float64 for array in arrays.values())
    assert kind.from_arrays(arrays)(x).tobytes() == made(x).tobytes()


def test_repeated_landmarks_do_no_harm():
    x = rows(10)
    features = NystromMap(np.concatenate([x, x]), GAMMA)(x)
    np.testing.assert_allclose(features @ features.T, rbf(x, x, GAMMA), rtol=0, atol=1e-6)


def test_chosen_landmarks_leave_the_error_that_is_said_and_less_than_drawn_ones():
    rng = np.random.default_rng(4)
    # A few crowds of very unequal size: landmarks drawn at random miss the small ones.
    centres = 4.0 * rng.normal(size=(12, SIZE))
    seen = np.concatenate([c + 0.05 * rng.normal(size=(n, SIZE))
                           for c, n in zip(centres, [300] * 3 + [3] * 9, strict=True)])  # fmt: skip
    chosen, left = choose_landmarks(seen, 30, GAMMA, rng)
    features = NystromMap(chosen, GAMMA)(seen)
    error = 1.0 - (features**2).sum(axis=1)
    assert error.mean() == pytest.approx(left, abs=1e-6)
    drawn = NystromMap(rng.permutation(seen)[:30], GAMMA)(seen)
    assert error.mean() < 0.5 * (1.0 - (drawn**2).sum(axis=1)).mean()


def test_no_more_landmarks_than_differ():
    seen = np.repeat(rows(3), 5, axis=0)
    chosen, left = choose_landmarks(seen, 10, GAMMA, np.random.default_rng(0))
    assert len(chosen) == 3
    assert left == pytest.approx(0.0, abs=1e-9)
    assert choose_landmarks(seen[:0], 4, GAMMA, np.random.default_rng(0))[0].shape == (0, SIZE)


def test_before_a_linear_learner_it_draws_the_curve_that_a_support_vector_machine_does():
    rng = np.random.default_rng(5)
    x, unseen = rng.uniform(-2, 2, (400, 2)), rng.uniform(-2, 2, (200, 2))
    curve = np.sin(2 * x[:, 0]) * x[:, 1] + 0.05 * rng.normal(size=400)
    truth = np.sin(2 * unseen[:, 0]) * unseen[:, 1]
    landmarks, _ = choose_landmarks(x, 80, 1.0, rng)
    made = NystromMap(landmarks, 1.0)
    curved, straight = (BayesianRegression(np.zeros((n, 1)), 0.01, np.ones(1)) for n in (80, 2))
    for inputs, target in zip(x, curve, strict=True):
        curved.learn(made(inputs), np.array([target]))
        straight.learn(inputs, np.array([target]))
    error = np.sqrt(np.mean((curved.predict(made(unseen))[:, 0] - truth) ** 2))
    vectors = SVR(gamma=1.0, C=10.0, epsilon=0.01).fit(x, curve).predict(unseen)
    assert error < 1.2 * np.sqrt(np.mean((vectors - truth) ** 2))
    assert error < 0.1 * np.sqrt(np.mean((straight.predict(unseen)[:, 0] - truth) ** 2))

"""Fitting the prior: it finds what the data were made with."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="the extra 'train' (scikit-learn) is not installed")
pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.encoders.prior_file import read_prior, write_prior
from streamer.errors import EncoderError
from streamer.learners.affect import LIMIT
from streamer.training.data.speech import Clip
from streamer.training.export.population import (
    fit_weight,
    prototypes_of,
    voices_of,
)
from streamer.training.export.prior import (
    Draw,
    Settings,
    damped_directions,
    fit_prior,
    labelled_clips,
    limited_offset,
    maximize_evidence,
    norm_of,
)
from streamer.training.export.voices import fit_voices

EMOTIONS = ("anger", "fear", "happiness", "calm", "sadness")
SIZE = 12
SHA = "ab" * 32


def made(corpora=3, voices=5, each=12, seed=0):
    """Clips whose embedding is an emotion's direction, a voice's, and noise; and their vectors."""
    rng = np.random.default_rng(seed)
    directions = 1.5 * rng.normal(size=(len(EMOTIONS), SIZE))
    clips, vectors = [], []
    for corpus in range(corpora):
        for voice in range(voices):
            place, own = rng.normal(size=SIZE), 0.4 * rng.normal(size=directions.shape)
            for number in range(each * len(EMOTIONS)):
                kind = number % len(EMOTIONS)
                name = f"{corpus}-{voice}-{number}"
                clips.append(Clip(f"c{corpus}", name, str(voice), EMOTIONS[kind], "", 0, 0))
                vectors.append(place + directions[kind] + own[kind] + rng.normal(size=SIZE))
    return clips, np.array(vectors)


@pytest.fixture(scope="module")
def fitted():
    clips, vectors = made()
    return (
        clips,
        vectors,
        fit_voices(vectors, vectors, clips, Settings(penalties=(0.01, 0.1), rank=3)),
    )


def test_its_expectation_is_near_the_norms_on_other_voices(fitted):
    _, _, (prior, chosen) = fitted
    clips, vectors = made(corpora=1, voices=4, seed=0)  # the same directions, a part of the draws
    labelled = labelled_clips(vectors, clips)
    error = np.sqrt(((prior.expect(labelled.x)[0] - labelled.y) ** 2).mean())
    assert error < 0.5 * labelled.y.std()
    assert set(chosen["error_left_out"]) == {"0.01", "0.1"}
    assert chosen["penalty"] in (0.01, 0.1)


def test_clips_without_a_norm_or_of_voices_with_one_emotion_are_left_out():
    clips, vectors = made(corpora=1, voices=2)
    odd = [
        replace(clips[0], emotion="boredom"),
        replace(clips[1], speaker=""),
        replace(clips[2], corpus="baved"),
        *(replace(clips[3], speaker="one", emotion="anger") for _ in range(9)),
    ]
    more = np.concatenate([vectors, vectors[: len(odd)]])
    assert len(labelled_clips(more, clips + odd).x) == len(clips)
    assert norm_of("calm") == norm_of("neutral")


def test_the_most_evidence_is_where_the_residuals_were_drawn():
    rng = np.random.default_rng(0)
    noise, offset, weights = 0.05, 0.8, 3.0
    found = []
    for _ in range(120):
        x = rng.normal(size=(40, SIZE)) / np.sqrt(SIZE)
        gram = x @ x.T
        # The noise of each voice is inverse gamma of 4 degrees of freedom around the usual one.
        own = noise * 4.0 / rng.chisquare(4.0)
        covariance = own * (offset + weights * gram + np.eye(40))
        residual = rng.multivariate_normal(np.zeros(40), covariance)
        found.append(Draw(gram, residual[:, np.newaxis], 1.0))
    s2, a, b = maximize_evidence(found, 0)
    assert s2 == pytest.approx(noise, rel=0.25)
    assert a == pytest.approx(offset, rel=0.4)
    assert b == pytest.approx(weights, rel=0.25)


def test_the_offset_is_held_where_one_label_moves_others_by_the_limit():
    noise, weights, length, shift = 0.05, 8.0, 0.6, 0.05
    held = limited_offset(np.array([noise, 5.0, weights]), length, shift)
    moved = held * np.sqrt(noise) * LIMIT / np.sqrt(1.0 + held + weights * length)
    assert moved == pytest.approx(shift)
    assert limited_offset(np.array([noise, 0.1, weights]), length, shift) == 0.1


def test_the_loudest_directions_within_a_class_are_damped_most():
    clips, vectors = made()
    loud = np.zeros(SIZE)
    loud[4] = 1.0
    vectors = vectors + 3.0 * np.random.default_rng(5).normal(size=(len(clips), 1)) * loud
    labelled = labelled_clips(vectors, clips)
    directions, damping = damped_directions(labelled, 0.5, 2)
    assert abs(directions[:, 0] @ loud) > 0.9
    assert damping[0] > damping[1]
    assert (damping < 1.0).all()
    np.testing.assert_allclose(directions.T @ directions, np.eye(2), atol=1e-10)


def test_prototypes_name_voices_that_had_no_part_in_them(fitted):
    clips, vectors, (prior, chosen) = fitted
    known = voices_of(vectors, clips)
    left = known.corpora == "c0"
    population = prototypes_of(known.of(~left))
    assert set(population) == set(EMOTIONS)
    table = np.array([population[name] for name in EMOTIONS])
    said = np.array(EMOTIONS)[np.argmax(known.of(left).vectors @ table.T, axis=1)]
    assert (said == known.of(left).emotions).mean() > 0.8
    assert list(prior.prototype_names) == sorted(EMOTIONS)
    np.testing.assert_allclose(np.linalg.norm(prior.prototypes, axis=1), 1.0)
    assert (prior.prototype_thresholds > 0.0).all()
    assert chosen["prototype_weight"] > 0.0


def test_where_the_population_says_nothing_its_weight_is_none():
    clips, vectors = made()
    rng = np.random.default_rng(1)
    shuffled = [replace(c, emotion=EMOTIONS[rng.integers(5)]) if c.corpus != "c0" else c
                for c in clips]  # fmt: skip
    known = voices_of(vectors, shuffled)
    of_c0 = known.corpora == "c0"
    population = prototypes_of(known.of(~of_c0))
    from streamer.training.export.population import recalls

    rows = np.mean(recalls(known.of(of_c0), population, 5, (0.0, 8.0), rng), axis=0)
    assert rows[0] > rows[1] + 0.1
    assert fit_weight(voices_of(vectors, clips))[0] > 0.0


def test_the_file_is_bound_to_its_encoder(fitted, tmp_path):
    _, _, (prior, _) = fitted
    path = tmp_path / "a.prior.npz"
    write_prior(path, prior, SHA)
    again = read_prior(path, "a", SHA, (SIZE, SIZE))
    for name, array in prior.to_arrays().items():
        found = again.to_arrays()[name]
        if array.dtype.kind == "f":
            np.testing.assert_allclose(found, array, rtol=1e-6)
        else:
            assert list(found) == list(array)
    with pytest.raises(EncoderError, match="prior of the encoder abababababab"):
        read_prior(path, "b", "cd" * 32, (SIZE, SIZE))


def test_two_emotions_are_enough():
    clips, vectors = made()
    kept = np.array([c.emotion in ("anger", "calm") for c in clips])
    rows = [c for c, keep in zip(clips, kept, strict=True) if keep]
    prior, _ = fit_prior(labelled_clips(vectors[kept], rows), Settings(penalties=(0.01,), rank=3))
    assert prior.class_affect.shape == (2, 3)
    assert prior.fault(SIZE, 0) is None

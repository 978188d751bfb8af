"""The emotion head: closed forms, training, frames, left-out trials, and the file that keeps it."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
pytest.importorskip("sklearn", reason="the extra 'train' (scikit-learn) is not installed")

from streamer.training.data.speech import Clip  # noqa: E402
from streamer.training.export.embedder import Embedder, mean_columns  # noqa: E402
from streamer.training.export.probe import unit  # noqa: E402
from streamer.training.export.projection import fit_emotion, fit_within  # noqa: E402
from streamer.training.head.choice import (  # noqa: E402
    candidates,
    evaluate_candidates,
    load_head,
    make_head,
    save_head,
)
from streamer.training.head.episodes import Episodes, trainable_clips  # noqa: E402
from streamer.training.head.frames import FrameHead, FrameInputs  # noqa: E402
from streamer.training.head.head import HeadRecipe, PooledHead, PooledInputs, train_head  # noqa: E402
from streamer.training.head.maps import ClosedForm, Trained  # noqa: E402
from streamer.training.head.trials import (  # noqa: E402
    Trial,
    halves,
    run_trial,
    verified,
)
from streamer.training.student.network import Student, StudentShape  # noqa: E402

SIZE = 15
EMOTIONS = ("anger", "disgust", "fear", "neutral", "sadness", "surprise")


def made_corpora() -> tuple[list[Clip], np.ndarray]:
    """Two corpora, 4 speakers each: loud voices, louder words, quiet emotions in the rest."""
    rng = np.random.default_rng(0)
    meaning = {e: 0.7 * rng.standard_normal(6) for e in EMOTIONS}
    clips, rows = [], []
    for corpus in ("ravdess", "nemo"):
        for speaker in range(4):
            voice = 3.0 * rng.standard_normal(3)
            for emotion in EMOTIONS:
                if corpus == "nemo" and emotion == "disgust":
                    continue
                for i in range(12):
                    words = 2.0 * rng.standard_normal() + 0.2 * rng.standard_normal(6)
                    rest = meaning[emotion] + 0.3 * rng.standard_normal(6)
                    clips.append(Clip(corpus, str(i), str(speaker), emotion, "", 0, 16_000))
                    rows.append(np.concatenate([voice, words, rest]))
    return clips, np.array(rows, np.float32)


CLIPS, MEANS = made_corpora()
SPEAKERS = np.array([f"{c.corpus}/{c.speaker}" for c in CLIPS])
LABELS = np.array([c.emotion for c in CLIPS])
EVEN = np.ones(len(CLIPS))


def without_means(vectors: np.ndarray, groups: np.ndarray) -> np.ndarray:
    out = vectors.astype(np.float64)
    for name in np.unique(groups):
        out[groups == name] -= out[groups == name].mean(0)
    return out


def test_label_free_map_keeps_the_loudest_directions_within_speakers():
    vectors = fit_emotion(MEANS, SPEAKERS, EVEN, 4)(MEANS)
    standard = (MEANS - MEANS.mean(0)) / MEANS.std(0)
    values = np.linalg.eigvalsh(np.cov(without_means(standard, SPEAKERS).T, bias=True))[::-1]
    within = without_means(vectors, SPEAKERS)
    np.testing.assert_allclose(np.cov(within.T, bias=True), np.diag(values[:4]), atol=1e-3)
    # Voices differ in three dimensions only, which are silent within a speaker.
    voices = vectors - within
    assert voices.var() < 0.1 * within.var()


def test_within_without_shrinkage_leaves_unit_covariance_within_emotions():
    varying = MEANS[:, 3:]
    vectors = fit_within(varying, SPEAKERS, LABELS, EVEN, varying.shape[1], shrinkage=0.0)(varying)
    cells = np.array([f"{s} {e}" for s, e in zip(SPEAKERS, LABELS, strict=True)])
    covariance = np.cov(without_means(vectors, cells).T, bias=True)
    np.testing.assert_allclose(covariance, np.eye(len(covariance)), atol=1e-3)


def test_within_with_full_shrinkage_is_the_label_free_map_up_to_scale():
    free = unit(fit_emotion(MEANS, SPEAKERS, EVEN, SIZE)(MEANS))
    within = unit(fit_within(MEANS, SPEAKERS, LABELS, EVEN, SIZE, shrinkage=1.0)(MEANS))
    np.testing.assert_allclose(within @ within.T, free @ free.T, atol=1e-3)


def test_trials_hide_the_emotion_the_tested_speakers_and_the_corpus():
    asked = []

    def fit(allowed: np.ndarray):
        asked.append(allowed)
        return lambda numbers: MEANS[numbers]

    trial = Trial("ravdess", "fear")
    own = np.array([c.corpus == "ravdess" for c in CLIPS])
    run_trial(fit, CLIPS, trial, "corpus", seed=0)
    assert len(asked) == 1
    assert not (asked[0] & (own | (LABELS == "fear"))).any()
    asked.clear()
    run_trial(fit, CLIPS, trial, "speakers", seed=0)
    for allowed, (enrolling, tested) in zip(asked, halves(CLIPS, "ravdess", 0), strict=True):
        assert not (allowed & (tested | (LABELS == "fear"))).any()
        assert (allowed & enrolling).any()
        assert (enrolling | tested).sum() == own.sum()
        assert not set(SPEAKERS[enrolling]) & set(SPEAKERS[tested])
    with pytest.raises(ValueError, match="no protocol words"):
        run_trial(fit, CLIPS, trial, "words", seed=0)
    with pytest.raises(ValueError, match="nemo has no disgust"):
        run_trial(fit, [c for c in CLIPS if c.emotion != "neutral"], Trial("nemo", "disgust"),
                  "corpus", seed=0)  # fmt: skip


def test_verification_is_perfect_for_opposites_and_chance_for_noise():
    rng = np.random.default_rng(0)
    emotional, enrolling = rng.random(2000) < 0.3, rng.random(2000) < 0.5
    signs = np.where(emotional, 1.0, -1.0)[:, None] * np.ones((1, 4))
    assert verified(unit(signs), emotional, enrolling, ~enrolling, 10, rng) == 1.0
    noise = unit(rng.standard_normal((2000, 4)))
    assert abs(verified(noise, emotional, enrolling, ~enrolling, 10, rng, 60) - 0.5) < 0.03


def test_taking_words_away_helps_an_unseen_emotion():
    outcomes = {
        within: run_trial(
            ClosedForm(MEANS, CLIPS, within, size=6, shrinkage=0.1),
            CLIPS, Trial("ravdess", "fear"), "speakers", seed=0, enrolled=(1, 5),
        )
        for within in (False, True)
    }  # fmt: skip
    assert outcomes[True].centred[1] > outcomes[False].centred[1] + 0.05
    assert outcomes[False].centred[5] > outcomes[False].centred[1]
    assert outcomes[True].centred[5] >= outcomes[True].plain[5]


def test_head_starts_as_its_start_and_its_affine_is_what_it_answers():
    start = ClosedForm(MEANS, CLIPS, within=True, size=6)
    trained = Trained(start, HeadRecipe(size=6, steps=10), every=5)
    allowed, numbers = trainable_clips(CLIPS), np.arange(40)
    first = trained.at(0)(allowed)(numbers)
    np.testing.assert_allclose(first, unit(start(allowed)(numbers)), atol=1e-5)
    last = trained.at(10)(allowed)(numbers)
    assert np.abs(last - first).max() > 1e-3
    np.testing.assert_allclose(last, unit(trained.affine(allowed, 10)(MEANS[numbers])), atol=1e-5)


def test_a_hidden_layer_is_no_affine_map():
    trained = Trained(ClosedForm(MEANS, CLIPS, True, 6), HeadRecipe(size=6, hidden=8, steps=5), 5)
    assert trained.at(5)(trainable_clips(CLIPS))(np.arange(3)).shape == (3, 6)
    with pytest.raises(ValueError, match="hidden layer"):
        trained.affine(trainable_clips(CLIPS), 5)


@pytest.mark.parametrize("loss", ["softmax", "negative-margin"])
def test_training_brings_classes_together_and_the_same_seed_repeats_it(loss):
    kept = trainable_clips(CLIPS)
    standard = PooledInputs(without_means(MEANS / MEANS.std(0), SPEAKERS))
    results = []
    for _ in range(2):
        torch.manual_seed(1)
        head = PooledHead(SIZE, 6)
        recipe = HeadRecipe(loss, size=6, steps=60, rate=1e-2)
        steps = list(train_head(head, standard, Episodes(CLIPS, kept), recipe, every=20))
        assert steps == [0, 20, 40, 60]
        with torch.no_grad():
            results.append(head(standard.vectors).numpy())
    np.testing.assert_array_equal(*results)
    alike = results[0] @ results[0].T
    same = LABELS[:, None] == LABELS[None, :]
    before = unit(standard.vectors.numpy()[:, :6])
    assert alike[same].mean() - alike[~same].mean() > 0.3
    assert (before @ before.T)[same].mean() - (before @ before.T)[~same].mean() < 0.2


def test_frame_head_ignores_padding_and_neighbours():
    torch.manual_seed(0)
    head = FrameHead(5, 6, channels=8, heads=2).eval()
    frames, mask = torch.randn(2, 3, 20, 5), torch.ones(2, 3, 20)
    mask[0, 1, 7:] = 0.0
    frames[0, 1, 7:] = 50.0
    with torch.no_grad():
        together = head(frames, mask)
        alone = head(frames[:1, 1:2, :7], mask[:1, 1:2, :7])
    assert together.shape == (2, 3, 6)
    torch.testing.assert_close(together[0, 1], alone[0, 0], atol=1e-5, rtol=0)
    torch.testing.assert_close(together.norm(dim=2), torch.ones(2, 3))


def test_frame_inputs_crop_within_the_clip():
    offsets = [0, 4, 30, 42]
    frames = np.repeat(np.arange(42, dtype=np.float16)[:, None], 2, axis=1)
    inputs, rng = FrameInputs(frames, offsets, crop=10), np.random.default_rng(0)
    starts = set()
    for _ in range(40):
        values, mask = inputs(np.array([[0, 1], [2, 1]]), rng)
        assert values.shape == (2, 2, 10, 2)
        assert mask.sum(2).tolist() == [[4, 10], [10, 10]]
        assert values[0, 0, :4, 0].tolist() == [0, 1, 2, 3]
        begin = int(values[0, 1, 0, 0])
        assert values[0, 1, :, 1].tolist() == list(range(begin, begin + 10))
        assert 4 <= begin <= 20
        starts.add(begin)
    assert len(starts) > 8


def test_candidates_are_tried_and_the_made_head_comes_back_from_its_file(tmp_path):
    tried = candidates(MEANS, CLIPS, HeadRecipe(size=SIZE, steps=25))
    assert [c.name for c in tried] == ["label-free", "within", "trained, 25 steps"]
    found = dict(evaluate_candidates(tried, CLIPS, seed=0))
    for figures in found.values():
        assert set(figures) == {"corpus", "speakers"}
        assert all(0.5 < value <= 1.0 for value in figures.values())
    head = make_head(tried[2], CLIPS, "ab" * 32, ["urdu"])
    save_head(head, tmp_path / "head.pt")
    loaded = load_head(tmp_path / "head.pt", "ab" * 32, frozenset({"urdu"}))
    np.testing.assert_array_equal(loaded.affine(MEANS), head.affine(MEANS))
    with pytest.raises(ValueError, match="another checkpoint"):
        load_head(tmp_path / "head.pt", "cd" * 32, frozenset({"urdu"}))
    with pytest.raises(ValueError, match="same --skip"):
        load_head(tmp_path / "head.pt", "ab" * 32, frozenset())


def test_a_cache_without_the_corpora_of_the_trials_is_named():
    with pytest.raises(ValueError, match="ravdess or nemo"):
        next(evaluate_candidates((), [Clip("mine", "", "me", "anger", "", 0, 1)], seed=0))


def test_emotion_is_made_of_the_means_alone():
    torch.manual_seed(0)
    shape = StudentShape(channels=32, layers=2, heads=2, position_groups=4)
    embedder = Embedder(Student(shape), (16, 8)).eval()
    audio = 0.1 * torch.randn(1, 16_000)
    frames = torch.tensor([100])
    with torch.no_grad():
        _, emotion = embedder(audio)
        logmel = embedder.front(audio)
        hidden, mask = embedder.student(logmel, frames)
        means = [(h * mask).sum(1) / mask.sum(1) for h in hidden]
        raw = embedder.raw(logmel, frames)
        expected = embedder.emotion(torch.cat(means, dim=1))
    columns = torch.from_numpy(mean_columns(embedder.student))
    torch.testing.assert_close(raw[:, columns], torch.cat(means, dim=1))
    torch.testing.assert_close(emotion, expected / expected.norm(), atol=1e-5, rtol=0)

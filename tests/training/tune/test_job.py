"""A whole tuning on made-up voices: written where better, refused where not, resumed."""

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")

from streamer.encoders.onnx import OnnxEncoder  # noqa: E402
from streamer.encoders.registry import find_encoder, load_prior, verify_files  # noqa: E402
from streamer.errors import UsageError  # noqa: E402
from streamer.evaluation.metrics import ccc  # noqa: E402
from streamer.training.tune import job  # noqa: E402
from streamer.training.tune.answers import (  # noqa: E402
    AnswerRecipe,
    answer_loss,
    concordance_loss,
    tune_to_answers,
)
from streamer.training.tune.gate import Comparison, Figure, held_out_count, judge  # noqa: E402
from streamer.training.tune.job import TuningPlan, check_answers, training_clips, tune  # noqa: E402
from streamer.training.tune.pretraining import TaptRecipe  # noqa: E402
from streamer.training.tune.tunable import TunableStudent  # noqa: E402
from streamer.training.tune.tuning_set import (  # noqa: E402
    TuningClip,
    TuningSet,
    check_enough,
    from_folder,
)
from streamer.training.tune.writing import carried_prior  # noqa: E402
from tests.support import made_prior  # noqa: E402
from tests.training.synthetic_clips import voice, write_speech  # noqa: E402

SHIPPED = "streamer-small"


def made(count: int = 24) -> TuningSet:
    """High voices are happy and excited, low ones sad and calm."""
    clips = []
    for k in range(count):
        high = k % 2 == 1
        affect = np.array([0.5, 0.6, 0.1]) if high else np.array([-0.5, -0.4, -0.1])
        audio = voice(0.6, k, 240.0 if high else 110.0)
        clips.append(TuningClip(audio, affect, {"happy" if high else "sad": 1}, k + 1))
    return TuningSet(clips)


def plan_of(folder, **changes) -> TuningPlan:
    tapt = TaptRecipe(steps=2, batch=2, crop_s=0.5, **changes)
    return TuningPlan(folder, "mine", tapt, AnswerRecipe(epochs=1))


def quiet(what: str, done: int, total: int) -> None:
    pass


def sure(keeps: bool):
    """A judgement that is what the test wants it to be, whatever the figures."""
    figure = Figure(0.1, 0.9, 1.0) if keeps else Figure(0.9, 0.1, 0.0)
    return lambda *given: Comparison(5, figure, None)


def test_a_kept_encoder_is_one_that_streamer_loads(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "judge", sure(True))
    tuning_set = made()
    found = tune(find_encoder(SHIPPED), tuning_set, plan_of(tmp_path), quiet)
    assert found.keeps
    row = find_encoder("mine", tmp_path)
    verify_files(row)
    assert not row.default
    assert row.licence == find_encoder(SHIPPED).licence
    assert {"name": "one profile", "licence": "private"} in row.training_data
    encoder, prior = OnnxEncoder(row), load_prior(row)
    embedding, emotion = encoder.encode(tuning_set.clips[0].audio)
    shipped, _ = OnnxEncoder(find_encoder(SHIPPED)).encode(tuning_set.clips[0].audio)
    assert embedding.shape == shipped.shape == prior.embedding_mean.shape
    assert np.linalg.norm(emotion) == pytest.approx(1.0, abs=1e-4)
    assert not np.allclose(embedding, shipped)
    assert not list(tmp_path.glob(".tuning*"))


def test_a_refused_one_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "judge", sure(False))
    found = tune(find_encoder(SHIPPED), made(), plan_of(tmp_path), quiet)
    assert not found.keeps
    assert list(tmp_path.iterdir()) == []


def test_a_ruined_encoder_is_refused_by_the_held_out_answers(tmp_path):
    rng = np.random.default_rng(0)
    # Answers of people: not all alike, so that no encoder explains them to the last digit.
    clips = [
        replace(clip, affect=clip.affect + rng.normal(0.0, 0.3, 3), emotions={})
        for clip in made(40).clips
    ]
    plan = plan_of(tmp_path, rate=3.0, anchor=0.0)
    found = tune(find_encoder(SHIPPED), TuningSet(clips), plan, quiet)
    assert not found.keeps
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_tuning_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "SAVE_EVERY", 1)
    monkeypatch.setattr(job, "judge", sure(True))
    tuning_set, row = made(), find_encoder(SHIPPED)

    def stop(what: str, done: int, total: int) -> None:
        if done == 2:  # step 1 is on the disk by now
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(row, tuning_set, plan_of(tmp_path / "a"), stop)
    assert (tmp_path / "a" / ".tuning-mine" / "state.pt").is_file()
    steps = []
    tune(row, tuning_set, plan_of(tmp_path / "a"), lambda w, d, t: steps.append((w, d)))
    assert steps[0] == ("pretraining", 1)
    tune(row, tuning_set, plan_of(tmp_path / "b"), quiet)
    written = [(tmp_path / name / "mine.onnx").read_bytes() for name in "ab"]
    assert written[0] == written[1]


def test_a_corpus_that_would_be_lost_refuses_it(tmp_path, monkeypatch):
    monkeypatch.setattr(job, "judge", sure(True))
    figures = iter((0.8, 0.7))
    found = tune(
        find_encoder(SHIPPED), made(), plan_of(tmp_path), quiet, lambda tunable: next(figures)
    )
    assert not found.keeps
    assert "corpus UAR 0.800 to 0.700" in str(found)


def test_what_is_taught_and_what_judges():
    tuning_set = made(50)
    assert held_out_count(50) == 10
    assert len(training_clips(tuning_set, None)) == 40
    assert training_clips(tuning_set, None)[-1].newest == 40
    assert training_clips(made(30), None) == []
    assert len(training_clips(made(30), True)) == 24
    assert training_clips(tuning_set, False) == []
    with pytest.raises(UsageError, match="19 answered clips"):
        check_answers(made(19))
    with pytest.raises(UsageError, match=r"0\.3 minutes of speech are kept, a tuning needs 10"):
        check_enough(made(30), 600.0, "hear more")


def test_the_gate_wants_nine_samples_of_ten():
    rng = np.random.default_rng(0)
    tuning_set = made(60)
    clips = tuning_set.answered
    high = np.array([clip.affect[0] > 0 for clip in clips], float)
    noise = rng.standard_normal((60, 4))
    told = np.column_stack([high * 4.0, rng.standard_normal((60, 3))])
    better = judge(noise, told, (noise, told), clips, rng)
    assert better.keeps
    assert better.ccc.after > 0.8 > better.ccc.before
    assert better.uar.after > 0.9
    worse = judge(told, noise, (told, noise), clips, rng)
    assert not worse.keeps
    same = judge(told, told, (told, told), clips, rng)
    assert not same.keeps
    assert same.ccc.rose == 0.5


def test_one_measure_may_not_pay_for_the_other():
    assert Comparison(9, Figure(0.5, 0.6, 0.95), Figure(0.5, 0.5, 0.5)).keeps
    assert not Comparison(9, Figure(0.5, 0.6, 0.95), Figure(0.5, 0.4, 0.05)).keeps
    assert not Comparison(9, Figure(0.5, 0.6, 0.85), None).keeps
    assert not Comparison(9, None, None).keeps


def test_answers_teach_emotions_and_dimensions():
    tunable = TunableStudent.from_onnx(find_encoder(SHIPPED).path)
    losses = tune_to_answers(
        tunable, made(16).clips, ["happy", "sad"], AnswerRecipe(epochs=8, batch=8)
    )
    assert losses[-1] < 0.9 * losses[0]


def test_concordance_loss_is_one_less_ccc():
    said, truth = torch.tensor([0.1, 0.5, -0.2, 0.3]), torch.tensor([0.2, 0.6, -0.4, 0.1])
    expected = 1.0 - ccc(said.numpy().astype(float), truth.numpy().astype(float))
    assert float(concordance_loss(said, truth)) == pytest.approx(expected, abs=1e-6)


def test_clips_without_answers_teach_nothing():
    out = torch.randn(6, 5, requires_grad=True)
    loss = answer_loss(out, torch.full((6, 3), torch.nan), torch.zeros(6, 2), 0.1)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert float(out.grad.abs().sum()) == 0.0


def test_the_prior_of_an_unchanged_encoder_stays():
    rng = np.random.default_rng(0)
    vectors, emotions = rng.standard_normal((50, 6)), rng.standard_normal((50, 4))
    prior = made_prior(rng)
    kept = carried_prior(prior, (vectors, emotions), (vectors, emotions))
    for name, array in prior.to_arrays().items():
        if array.dtype.kind == "f":
            np.testing.assert_allclose(kept.to_arrays()[name], array, atol=1e-9)
    moved = carried_prior(prior, (vectors, emotions), (vectors * 3.0 + 1.0, emotions))
    np.testing.assert_allclose(moved.weights, prior.weights, atol=1e-5)
    np.testing.assert_allclose(
        moved.embedding_deviation, 3.0 * prior.embedding_deviation, rtol=1e-5
    )


def test_weights_follow_an_encoder_whose_dimensions_were_swapped():
    rng = np.random.default_rng(1)
    vectors, emotions = rng.standard_normal((4000, 6)), rng.standard_normal((4000, 4))
    prior = made_prior(rng)
    swapped = vectors[:, ::-1]
    moved = carried_prior(prior, (vectors, emotions), (swapped, emotions))
    # Half-way: the ridge pulls towards the old weights as strongly as the clips push.
    expected = (prior.weights + prior.weights[::-1]) / 2.0
    np.testing.assert_allclose(moved.weights, expected, atol=0.02)


def test_a_folder_is_cut_into_pieces(tmp_path):
    tuning_set = from_folder(write_speech(tmp_path / "speech", 3))
    assert len(tuning_set.clips) == 3
    assert tuning_set.answered == []
    with pytest.raises(UsageError, match="no speech folder"):
        from_folder(tmp_path / "nowhere")

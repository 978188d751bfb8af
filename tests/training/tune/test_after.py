"""Algorithm 1 on made-up speech: what is asked, how often, and that models go on."""

import copy
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.training.export.embedder import Embedder  # noqa: E402
from streamer.training.student.network import Student, StudentShape  # noqa: E402
from streamer.training.tune import after as after_module  # noqa: E402
from streamer.training.tune.after import Plan, after  # noqa: E402
from streamer.training.tune.choices import (  # noqa: E402
    batch_bald,
    begin,
    choose,
    density,
    neighbour_divergence,
)
from streamer.training.tune.finetuning import (  # noqa: E402
    ClassificationModel,
    FineTuning,
    logits_of,
    soft_cross_entropy,
    train,
)
from streamer.training.tune.pretraining import TaptRecipe  # noqa: E402
from streamer.training.tune.tunable import TunableStudent  # noqa: E402
from tests.training.synthetic_clips import voice  # noqa: E402

TINY = StudentShape(channels=16, layers=1, heads=2, position_groups=4)
QUICK = FineTuning(rate=3e-3, epochs=3, patience=3)


def tiny() -> TunableStudent:
    torch.manual_seed(0)
    return TunableStudent(Embedder(Student(TINY), (8, 4)).eval())


def made(count: int, seed: int = 0) -> tuple[list[np.ndarray], np.ndarray]:
    """High and low voices, by turns."""
    clips = [voice(0.4, seed + k, 300.0 if k % 2 else 100.0) for k in range(count)]
    return clips, np.eye(2)[np.arange(count) % 2]


def one_hot(targets: np.ndarray):
    return lambda i: targets[i]


def test_training_learns_and_keeps_the_best_state():
    clips, targets = made(16)
    model = ClassificationModel(tiny(), 2)
    losses = train(
        model, clips, targets, made(6, 100), FineTuning(3e-3, 4, 15, 15), np.random.default_rng(0)
    )
    assert min(losses) < 0.6 * losses[0]
    held, truth = made(6, 100)
    found = soft_cross_entropy(logits_of(model, held), torch.from_numpy(truth.astype(np.float32)))
    assert float(found) == pytest.approx(min(losses), abs=1e-5)


def test_it_stops_when_the_validation_gets_no_better():
    clips, targets = made(8)
    held = made(6, 100)
    model = ClassificationModel(tiny(), 2)
    wrong = (held[0], 1.0 - held[1])
    losses = train(model, clips, targets, wrong, FineTuning(1e-2, 4, 60, 4),
                   np.random.default_rng(0))  # fmt: skip
    assert len(losses) < 40


def test_the_convolutions_stay_as_they_are():
    clips, targets = made(8)
    model = ClassificationModel(tiny(), 2)
    before = [p.detach().clone() for p in model.tunable.frozen]
    body = [p.detach().clone() for p in model.tunable.student.blocks.parameters()]
    train(model, clips, targets, made(4, 9), QUICK, np.random.default_rng(0))
    assert all(torch.equal(a, b) for a, b in zip(model.tunable.frozen, before, strict=True))
    moved = zip(model.tunable.student.blocks.parameters(), body, strict=True)
    assert any(not torch.equal(a, b) for a, b in moved)


def test_soft_targets_by_hand():
    logits = torch.log(torch.tensor([[0.5, 0.25, 0.25]]))
    found = soft_cross_entropy(logits, torch.tensor([[0.5, 0.5, 0.0]]))
    assert float(found) == pytest.approx(-0.5 * math.log(0.5) - 0.5 * math.log(0.25))


@pytest.mark.parametrize("strategy", ["entropy", "margin", "alps", "batchbald", "random"])
def test_counts_and_no_clip_twice(strategy):
    clips, targets = made(40)
    plan = Plan(0.5, 4, strategy, "k-means", None, QUICK)
    seen = []
    done = after(tiny(), clips, 2, one_hot(targets), made(4, 99), plan, np.random.default_rng(0),
                 lambda p: seen.append(list(p.labelled)))  # fmt: skip
    assert [len(each) for each in seen] == [2, 7, 12, 17, 22]
    assert len(set(done.labelled)) == 22
    assert all(0 <= i < 40 for i in done.labelled)


def test_the_same_seed_gives_the_same_choice_and_another_strategy_the_same_start():
    clips, targets = made(30)
    runs = {}
    for name, strategy in (("a", "entropy"), ("b", "entropy"), ("c", "random")):
        plan = Plan(0.4, 2, strategy, "k-means", TaptRecipe(steps=2, batch=2, crop_s=0.4), QUICK)
        seen = []
        after(tiny(), clips, 2, one_hot(targets), made(4, 99), plan, np.random.default_rng(5),
              lambda p, seen=seen: seen.append(list(p.labelled)))  # fmt: skip
        runs[name] = seen
    assert runs["a"] == runs["b"]
    assert runs["a"][0] == runs["c"][0]
    assert runs["a"][-1] != runs["c"][-1]


def test_each_round_goes_on_from_the_one_before(monkeypatch):
    clips, targets = made(20)
    states = []

    def spied(model, *given):
        states.append(copy.deepcopy(model.state_dict()))
        losses = train(model, *given)
        states.append(copy.deepcopy(model.state_dict()))
        return losses

    monkeypatch.setattr(after_module, "train", spied)
    plan = Plan(0.5, 3, "entropy", "random", None, QUICK)
    after(tiny(), clips, 2, one_hot(targets), made(4, 99), plan, np.random.default_rng(0))
    assert len(states) == 8
    for ended, begun in zip(states[1::2], states[2::2], strict=False):
        assert all(torch.equal(ended[name], begun[name]) for name in ended)


def test_only_what_is_asked_is_answered():
    clips, targets = made(20)
    answered = []

    def answer(i: int) -> np.ndarray:
        answered.append(i)
        return targets[i]

    plan = Plan(0.5, 2, "entropy", "k-means", None, QUICK)
    done = after(tiny(), clips, 2, answer, made(4, 99), plan, np.random.default_rng(0))
    assert answered == done.labelled


def test_starts():
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(0, 0.1, (20, 3)), rng.normal(5, 0.1, (20, 3))])
    features = np.concatenate([features, [[40.0, 40.0, 40.0]]])
    chances = np.full((41, 2), 0.5)
    chances[40] = [0.99, 0.01]
    kinds = np.array(begin("k-means", features, chances, 6, rng)) // 20
    assert set(kinds) >= {0, 1}
    expected = [np.sort(((features - row) ** 2).sum(1))[1:11].mean() for row in features]
    np.testing.assert_allclose(density(features), expected, rtol=1e-6)
    assert 40 not in begin("dacs", features, chances, 20, rng)
    divergence = neighbour_divergence(features, chances)
    assert divergence[40] == pytest.approx(
        0.99 * math.log(0.99 / 0.5) + 0.01 * math.log(0.01 / 0.5)
    )
    assert 40 not in begin("bmal", features, chances, 20, rng)
    assert len(set(begin("random", features, chances, 9, rng))) == 9
    with pytest.raises(ValueError, match="start 'best'"):
        begin("best", features, chances, 3, rng)
    with pytest.raises(ValueError, match="strategy 'best'"):
        choose("best", chances, features, 3, rng)


def test_batchbald_equals_the_mutual_information_by_enumeration():
    rng = np.random.default_rng(1)
    drawn = rng.dirichlet([0.6, 0.6], (5, 6))  # 5 samples of the weights, 6 clips, 2 classes

    def information(subset: tuple[int, ...]) -> float:
        joint = np.ones((5, 1))
        for i in subset:
            joint = (joint[:, :, None] * drawn[:, i][:, None]).reshape(5, -1)
        mean = joint.mean(axis=0)
        conditional = -(joint * np.log(joint)).sum(axis=1).mean()
        return float(-(mean * np.log(mean)).sum() - conditional)

    expected: list[int] = []
    for _ in range(3):
        left = [i for i in range(6) if i not in expected]
        expected.append(max(left, key=lambda i: information((*expected, i))))
    assert batch_bald(drawn, 3, rng) == expected

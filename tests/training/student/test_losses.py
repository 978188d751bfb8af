"""Every loss against a plain transcription of its equation, one vector at a time."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from torch.nn import functional  # noqa: E402

from streamer.training.student.losses import (  # noqa: E402
    LOSSES,
    AngularMarginPrototypical,
    AngularPrototypical,
    MarginSoftmax,
    Prototypical,
    Softmax,
    Triplet,
    prototype_cosines,
    prototypes,
    turn,
)

CLASSES, EXAMPLES, SIZE = 4, 5, 6
NUMBERS = np.array([2, 0, 5, 3])
ALL_CLASSES = 7


@pytest.fixture(params=range(3))
def vectors(request) -> np.ndarray:
    drawn = np.random.default_rng(request.param).standard_normal((CLASSES, EXAMPLES, SIZE))
    drawn += 1.5 * np.random.default_rng(9).standard_normal((CLASSES, 1, SIZE))
    return drawn / np.linalg.norm(drawn, axis=2, keepdims=True)


def value(loss: torch.nn.Module, vectors: np.ndarray) -> float:
    given = torch.tensor(vectors, dtype=torch.float64), torch.tensor(NUMBERS)
    return float(loss.double()(*given).detach())


def negative_log_chance(scores: list[float], own: int) -> float:
    return math.log(sum(math.exp(s) for s in scores)) - scores[own]


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def turned(value: float, margin: float) -> float:
    return math.cos(min(max(math.acos(value) + margin, 0.0), math.pi))


def over_prototypes(vectors: np.ndarray, score) -> float:
    """Mean negative log-chance of the own class; ``score`` is of (vector, prototype, is own)."""
    losses = []
    for own in range(CLASSES):
        for i in range(EXAMPLES):
            scores = []
            for k in range(CLASSES):
                rows = [v for j, v in enumerate(vectors[k]) if not (k == own and j == i)]
                scores.append(score(vectors[own, i], np.mean(rows, axis=0), k == own))
            losses.append(negative_log_chance(scores, own))
    return float(np.mean(losses))


def test_softmax(vectors):
    loss = Softmax(ALL_CLASSES, SIZE)
    expected = []
    weight, bias = (p.detach().double().numpy() for p in (loss.layer.weight, loss.layer.bias))
    for k, number in enumerate(NUMBERS):
        expected += [negative_log_chance(list(weight @ x + bias), number) for x in vectors[k]]
    assert value(loss, vectors) == pytest.approx(np.mean(expected), abs=1e-9)


@pytest.mark.parametrize("angular", [False, True])
@pytest.mark.parametrize("margin", [0.0, 0.2, -0.3])
def test_margin_softmax(vectors, angular, margin):
    loss = MarginSoftmax(ALL_CLASSES, SIZE, margin, angular, scale=12.0)
    weight, expected = loss.weight.detach().double().numpy(), []
    for k, number in enumerate(NUMBERS):
        for x in vectors[k]:
            scores = [cosine(x, w) for w in weight]
            own = scores[number]
            scores[number] = turned(own, margin) if angular else own - margin
            expected.append(negative_log_chance([12.0 * s for s in scores], number))
    assert value(loss, vectors) == pytest.approx(np.mean(expected), abs=1e-5)


def test_triplet(vectors):
    expected = []
    flat = [(k, x) for k in range(CLASSES) for x in vectors[k]]
    for i, (own, anchor) in enumerate(flat):
        nearest = min(((anchor - x) ** 2).sum() for k, x in flat if k != own)
        for j, (k, positive) in enumerate(flat):
            if k == own and j != i:
                expected.append(max(0.0, ((anchor - positive) ** 2).sum() - nearest + 0.3))
    assert np.mean(expected) > 0
    assert value(Triplet(0.3), vectors) == pytest.approx(np.mean(expected), abs=1e-9)


def test_prototypical(vectors):
    expected = over_prototypes(vectors, lambda x, c, own: -((x - c) ** 2).sum())
    assert value(Prototypical(), vectors) == pytest.approx(expected, abs=1e-9)


def test_angular_prototypical(vectors):
    expected = over_prototypes(vectors, lambda x, c, own: 7.0 * cosine(x, c) - 2.0)
    assert value(AngularPrototypical(7.0, -2.0), vectors) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("margin", [-0.4, -0.1, 0.0, 0.3])
def test_angular_margin_prototypical(vectors, margin):
    def score(x: np.ndarray, prototype: np.ndarray, own: bool) -> float:
        return 8.0 * (turned(cosine(x, prototype), margin) if own else cosine(x, prototype))

    loss = AngularMarginPrototypical(margin, scale=8.0)
    assert value(loss, vectors) == pytest.approx(over_prototypes(vectors, score), abs=1e-5)


def test_without_margin_or_offset_the_angular_losses_agree(vectors):
    plain = value(AngularPrototypical(5.0, 0.0), vectors)
    assert value(AngularMarginPrototypical(0.0, 5.0), vectors) == pytest.approx(plain, abs=1e-5)


def test_a_larger_margin_costs_more(vectors):
    costs = [value(AngularMarginPrototypical(m), vectors) for m in (-0.4, -0.2, 0.0, 0.2, 0.3)]
    assert costs == sorted(costs)


def test_no_vector_is_in_its_own_prototype(vectors):
    given = torch.tensor(vectors)
    _, own = prototypes(given)
    np.testing.assert_allclose(own[1, 2], np.delete(vectors[1], 2, axis=0).mean(0), atol=1e-12)


def test_turning_stops_at_the_ends_of_the_half_circle():
    ends = torch.tensor([1.0, -1.0], dtype=torch.float64)
    np.testing.assert_allclose(turn(ends, -0.4)[0], 1.0, atol=1e-5)
    np.testing.assert_allclose(turn(ends, 0.4)[1], -1.0, atol=1e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_pulls_mixed_classes_apart(name):
    """A linear map trained with it tells classes apart that it could not tell at first."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    centres, loud = rng.standard_normal((3, 8)), np.r_[np.full(4, 6.0), np.ones(4)]
    layer, loss = torch.nn.Linear(8, 4), LOSSES[name](3, 4)
    optimizer = torch.optim.Adam([*layer.parameters(), *loss.parameters()], lr=0.03)

    def episode() -> tuple[torch.Tensor, torch.Tensor]:
        drawn = 0.5 * centres[:, None] + rng.standard_normal((3, 10, 8)) * 0.3 * loud
        x = layer(torch.tensor(drawn, dtype=torch.float32))
        return torch.nn.functional.normalize(x, dim=2), torch.arange(3)

    first, last = [], []
    for step in range(150):
        cost = loss(*episode())
        (first if step < 10 else last).append(float(cost.detach()))
        optimizer.zero_grad()
        cost.backward()
        for parameter in layer.parameters():
            assert torch.isfinite(parameter.grad).all()
        optimizer.step()
    assert np.mean(last[-20:]) < 0.8 * np.mean(first)


def test_the_printed_margin_is_added_to_the_cosine_of_the_own_class():
    vectors = functional.normalize(torch.randn(3, 4, 5), dim=2)
    numbers = torch.arange(3)
    cosine, own = prototype_cosines(vectors)
    for margin in (-0.3, 0.2):
        similarity = cosine.clone()
        for k in range(3):
            similarity[k, :, k] = own[k] + margin
        expected = functional.cross_entropy(
            10.0 * similarity.flatten(0, 1), numbers.repeat_interleave(4)
        )
        found = AngularMarginPrototypical(margin, printed=True)(vectors, numbers)
        assert float(found.detach()) == pytest.approx(float(expected), abs=1e-6)


def test_below_zero_one_form_grants_and_the_printed_one_charges():
    vectors = functional.normalize(torch.randn(4, 6, 8), dim=2)
    numbers = torch.arange(4)
    zero = float(AngularMarginPrototypical(0.0)(vectors, numbers).detach())
    assert float(AngularMarginPrototypical(-0.2)(vectors, numbers).detach()) < zero
    assert float(AngularMarginPrototypical(-0.2, printed=True)(vectors, numbers).detach()) > zero


@pytest.mark.parametrize("printed", [False, True])
def test_a_learned_margin_starts_where_it_is_told_and_stays_below_zero(printed):
    torch.manual_seed(0)
    loss = AngularMarginPrototypical(-0.2, printed=printed, learned=True)
    assert float(loss.margin.detach()) == pytest.approx(-0.2, abs=1e-6)
    vectors = functional.normalize(torch.randn(3, 4, 5), dim=2)
    optimizer = torch.optim.SGD(loss.parameters(), lr=5.0)
    for _ in range(200):
        optimizer.zero_grad()
        loss(vectors, torch.arange(3)).backward()
        optimizer.step()
    assert float(loss.margin.detach()) < 0.0
    assert abs(float(loss.margin.detach()) + 0.2) > 1e-3
    with pytest.raises(ValueError, match="held below 0"):
        AngularMarginPrototypical(0.1, learned=True)

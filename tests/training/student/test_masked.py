"""The masked objective, against plain numpy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.training.student.masked import (  # noqa: E402
    MaskedPrediction,
    Masking,
    contrastive_loss,
    draw_spans,
)
from streamer.training.student.network import StudentShape  # noqa: E402

SHAPE = StudentShape(channels=32, layers=2, heads=2, position_groups=4)
COUNTS = [7, 4]


def plain_contrast(answers, truths, hidden, counts, temperature) -> float:
    """Equation 3 of wav2vec 2.0, one hidden token after another."""
    losses = []
    for clip, count in enumerate(counts):
        for t in range(count):
            if hidden[clip, t]:
                a = answers[clip, t]
                near = [
                    np.exp(a @ q / np.linalg.norm(a) / np.linalg.norm(q) / temperature)
                    for q in truths[clip, :count]
                ]
                losses.append(-np.log(near[t] / sum(near)))
    return float(np.mean(losses))


def mask_of(counts: list[int], tokens: int) -> "torch.Tensor":
    return torch.tensor([[[float(t < count)] for t in range(tokens)] for count in counts])


def test_contrastive_loss_is_equation_3():
    rng = np.random.default_rng(0)
    answers, truths = rng.standard_normal((2, 2, 8, 5)).astype(np.float32)
    hidden = np.zeros((2, 8), bool)
    hidden[0, 2:5], hidden[1, :2] = True, True
    loss = contrastive_loss(
        *(torch.from_numpy(x) for x in (answers, truths, hidden)), mask_of(COUNTS, 8), 0.1
    )
    assert float(loss) == pytest.approx(plain_contrast(answers, truths, hidden, COUNTS, 0.1), 1e-5)


def test_padding_is_no_negative():
    rng = np.random.default_rng(1)
    answers, truths = (torch.from_numpy(x) for x in rng.standard_normal((2, 2, 8, 5)))
    hidden = torch.zeros(2, 8, dtype=torch.bool)
    hidden[:, 1] = True
    loss = contrastive_loss(answers, truths, hidden, mask_of(COUNTS, 8).double(), 0.1)
    truths[0, 7:], truths[1, 4:] = 99.0, -99.0
    again = contrastive_loss(answers, truths, hidden, mask_of(COUNTS, 8).double(), 0.1)
    assert float(loss) == float(again)


def test_right_answers_cost_nothing_and_wrong_ones_much():
    truths = torch.eye(6)[None]
    hidden, mask = torch.ones(1, 6, dtype=torch.bool), mask_of([6], 6)
    assert float(contrastive_loss(truths, truths, hidden, mask, 0.1)) < 1e-3
    assert float(contrastive_loss(truths.roll(1, 1), truths, hidden, mask, 0.1)) > 9.0


def test_rebuilding_is_mean_distance_to_the_levelled_mel():
    torch.manual_seed(0)
    prediction = MaskedPrediction(SHAPE, Masking())
    rng = np.random.default_rng(2)
    features, last = (torch.from_numpy(x) for x in rng.standard_normal((2, 2, 8, 32), np.float32))
    logmel = rng.uniform(-6.0, 0.0, (2, 32, 80)).astype(np.float32)
    mask = mask_of(COUNTS, 8)
    hidden = prediction.draw(mask, rng)
    _, rebuilt = prediction.losses(features, last, hidden, mask, torch.from_numpy(logmel))
    with torch.no_grad():
        answers = prediction.rebuild(last).numpy()
    distances = []
    for clip, count in enumerate(COUNTS):
        own = logmel[clip, : 4 * count]
        for t in np.flatnonzero(hidden[clip].numpy()):
            clean = own[4 * t : 4 * t + 4] - own.mean()
            distances.append(np.abs(answers[clip, t].reshape(4, 80) - clean).mean())
    assert float(rebuilt.detach()) == pytest.approx(np.mean(distances), rel=1e-5)


def test_hidden_tokens_are_replaced_and_others_kept():
    prediction = MaskedPrediction(SHAPE, Masking())
    features, hidden = torch.randn(1, 4, 32), torch.tensor([[False, True, True, False]])
    heard = prediction.hide(features, hidden)
    assert torch.equal(heard[0, [0, 3]], features[0, [0, 3]])
    assert torch.equal(heard[0, 1], prediction.vector)
    assert torch.equal(heard[0, 2], prediction.vector)


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(1, 64), min_size=1, max_size=8),
    span=st.integers(1, 12),
    share=st.floats(0.05, 0.5),
    seed=st.integers(0, 1000),
)
def test_only_a_clips_own_tokens_are_hidden_and_never_all(counts, span, share, seed):
    hidden = draw_spans(counts, 64, span, share, np.random.default_rng(seed)).numpy()
    again = draw_spans(counts, 64, span, share, np.random.default_rng(seed)).numpy()
    assert (hidden == again).all()
    for row, count in zip(hidden, counts, strict=True):
        assert not row[count:].any()
        assert row.any() == (count > 1)
        if share <= 0.15:
            assert not row[:count].all()


def test_about_the_share_is_hidden():
    rng = np.random.default_rng(0)
    hidden = draw_spans([64] * 500, 64, 5, 0.15, rng).float().mean()
    assert 0.12 < float(hidden) < 0.16

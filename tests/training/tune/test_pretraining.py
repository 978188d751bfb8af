"""TAPT: the equations by hand, that the losses fall, and that a run goes on where it stopped."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.training.export.embedder import Embedder  # noqa: E402
from streamer.training.student.network import Student, StudentShape  # noqa: E402
from streamer.training.tune.pretraining import (  # noqa: E402
    Pretraining,
    TaptRecipe,
    contrastive_loss,
    token_loss,
)
from streamer.training.tune.quantizer import Quantizer, Temperature, diversity_loss  # noqa: E402
from streamer.training.tune.tunable import TunableStudent  # noqa: E402
from tests.training.synthetic_clips import voice  # noqa: E402

TINY = StudentShape(channels=32, layers=2, heads=2, position_groups=4)
QUICK = TaptRecipe(steps=100, batch=4, crop_s=0.8, entries=64)


def tiny(seed: int = 0) -> TunableStudent:
    torch.manual_seed(seed)
    return TunableStudent(Embedder(Student(TINY), (8, 4)).eval())


@pytest.fixture(scope="module")
def clips() -> list[np.ndarray]:
    return [voice(0.6 + 0.2 * k, k, 100.0 + 30.0 * k) for k in range(6)]


def test_equation_one_by_hand():
    c = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]])
    q = torch.tensor([[[2.0, 0.0], [1.0, 1.0], [0.0, 1.0]]])
    half = math.sqrt(0.5)
    cosines = [[1.0, half, 0.0], [0.0, half, 1.0], [half, 1.0, half]]
    expected = [
        -math.log(math.exp(row[i] / 0.1) / sum(math.exp(x / 0.1) for x in row))
        for i, row in enumerate(cosines)
    ]
    everything = torch.ones(1, 3, dtype=torch.bool)
    found = contrastive_loss(c, q, torch.ones(1, 3, 1), everything)
    assert float(found) == pytest.approx(np.mean(expected), abs=1e-6)
    one = torch.tensor([[False, True, False]])
    assert float(contrastive_loss(c, q, torch.ones(1, 3, 1), one)) == pytest.approx(
        expected[1], abs=1e-6
    )


def test_one_repeated_frame_tells_nothing():
    """Targets that equal their negatives: ln n, whatever the answer."""
    q = torch.ones(1, 7, 4)
    found = contrastive_loss(
        torch.randn(1, 7, 4), q, torch.ones(1, 7, 1), torch.ones(1, 7, dtype=torch.bool)
    )
    assert float(found) == pytest.approx(math.log(7), abs=1e-5)


def test_tokens_of_others_are_no_negatives():
    c, q = torch.randn(1, 5, 3), torch.randn(1, 5, 3)
    mask = torch.ones(1, 5, 1)
    mask[0, 3:] = 0.0
    of = torch.tensor([[True, True, True, False, False]])
    short = contrastive_loss(c[:, :3], q[:, :3], mask[:, :3], of[:, :3])
    assert float(contrastive_loss(c, q, mask, of)) == pytest.approx(float(short), abs=1e-5)


def test_a_uniform_guess_costs_ln_v_a_group():
    codes = torch.randint(0, 8, (2, 5, 2))
    of = torch.ones(2, 5, dtype=torch.bool)
    found = token_loss(torch.zeros(2, 5, 2, 8), codes, of)
    assert float(found) == pytest.approx(2 * math.log(8), abs=1e-6)


def test_the_quantizer_gives_entries_of_its_codebooks():
    torch.manual_seed(0)
    quantizer = Quantizer(6, groups=2, entries=5, width=8).eval()
    q, codes, chances = quantizer(torch.randn(2, 4, 6), 1.0)
    first, second = quantizer.codebooks
    np.testing.assert_array_equal(q[0, 0, :4].detach(), first[codes[0, 0, 0]].detach())
    np.testing.assert_array_equal(q[1, 3, 4:].detach(), second[codes[1, 3, 1]].detach())
    np.testing.assert_allclose(chances.detach().sum(3), 1.0, atol=1e-6)
    quantizer.train()
    z = torch.randn(2, 4, 6, requires_grad=True)
    quantizer(z, 1.0)[0].sum().backward()
    assert z.grad.abs().sum() > 0  # straight through


def test_diversity_is_smallest_where_all_entries_are_used():
    mask = torch.ones(1, 4, 1)
    even = torch.full((1, 4, 2, 5), 0.2)
    one = torch.zeros(1, 4, 2, 5)
    one[..., 0] = 1.0
    assert float(diversity_loss(even, mask)) == pytest.approx(-math.log(5) / 5, abs=1e-4)
    assert float(diversity_loss(even, mask)) < float(diversity_loss(one, mask))


def test_the_temperature_falls_to_its_end():
    cooling = Temperature(2.0, 0.5, 0.9)
    assert cooling.at(0) == 2.0
    assert cooling.at(1) == pytest.approx(1.8)
    assert cooling.at(1000) == 0.5


@pytest.mark.parametrize(
    "change", [{}, {"over": "all"}, {"rebuild": "mel"}, {"span_s": 0.0}], ids=str
)
def test_the_losses_fall_by_a_fifth(clips, change):
    run = Pretraining(tiny(), clips, replace(QUICK, anchor=0.0, rate=3e-3, **change))
    losses = [run.advance() for _ in range(100)]
    first, last = (
        np.mean([row["contrast"] + row["rebuilt"] for row in part])
        for part in (losses[:10], losses[-10:])
    )
    assert last < 0.8 * first


def test_an_interrupted_run_is_the_unbroken_one_bit_for_bit(clips):
    whole = Pretraining(tiny(), clips, QUICK)
    for _ in range(3):
        whole.advance()
    kept = copy.deepcopy(whole.state())
    expected = [whole.advance() for _ in range(3)]
    broken = Pretraining(tiny(1), clips, QUICK)
    broken.restore(kept)
    assert [broken.advance() for _ in range(3)] == expected
    for a, b in zip(whole.tunable.parameters(), broken.tunable.parameters(), strict=True):
        assert torch.equal(a, b)


def test_an_anchor_keeps_the_weights_near(clips):
    def drift(anchor: float) -> float:
        tunable = tiny()
        before = [p.detach().clone() for p in tunable.parameters()]
        run = Pretraining(tunable, clips, replace(QUICK, anchor=anchor))
        for _ in range(15):
            run.advance()
        pairs = zip(tunable.parameters(), before, strict=True)
        return sum(float(((p - b) ** 2).sum()) for p, b in pairs)

    assert drift(100.0) < 0.5 * drift(0.0)


def test_settings_that_do_not_exist_are_refused(clips):
    with pytest.raises(ValueError, match="rebuild 'wave'"):
        Pretraining(tiny(), clips, TaptRecipe(rebuild="wave"))

"""What is done to waveforms: it stays within the clip, and does what it says."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.synthetic_clips import voice

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.training.data.wave_augment import WaveAugmentation  # noqa: E402

NOTHING = WaveAugmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
SAMPLES = torch.tensor([16_000, 9_600, 16_000])


def clips() -> "torch.Tensor":
    audio = torch.stack(
        [torch.from_numpy(voice(1.0, seed, 100.0 + 30 * seed)) for seed in range(3)]
    )
    return audio * (torch.arange(16_000)[None] < SAMPLES[:, None])


def changed(seed: int = 0, **shares: float) -> "torch.Tensor":
    return replace(NOTHING, **shares)(clips(), SAMPLES, np.random.default_rng(seed))


def test_nothing_asked_nothing_changed():
    torch.testing.assert_close(changed(), clips(), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "change", ["filtered", "band_limited", "reverberant", "noisy", "babble", "clipped"]
)
def test_each_change_is_repeatable_finite_and_stays_within_the_clip(change):
    once, again, other = (changed(seed, **{change: 1.0}) for seed in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert torch.isfinite(once).all()
    assert not once[1, 9_600:].any()
    assert (once - clips()).abs().amax(dim=1).min() > 1e-5


def test_noise_is_3_to_40_db_under_the_clip():
    for seed in range(5):
        noise = (changed(seed, noisy=1.0) - clips()).pow(2).sum(1)
        ratio_db = 10 * torch.log10(clips().pow(2).sum(1) / noise)
        assert ratio_db.min() > 2.9
        assert ratio_db.max() < 40.1


def test_band_limits_take_away_the_top():
    """White noise in: above 7.5 kHz nearly nothing is left."""
    audio = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 16_000), np.float32))
    limited = replace(NOTHING, band_limited=1.0)(
        audio, torch.full((3,), 16_000), np.random.default_rng(0)
    )
    power = torch.fft.rfft(limited).abs().pow(2)
    assert (power[:, 7_600:].mean(1) < 0.02 * power[:, 500:2_500].mean(1)).all()


def test_a_room_rings_on():
    audio = torch.zeros(1, 16_000)
    audio[0, 1_000] = 1.0
    room = replace(NOTHING, reverberant=1.0)(
        audio, torch.tensor([16_000]), np.random.default_rng(0)
    )[0]
    assert float(room[1_000]) == pytest.approx(1.0, abs=1e-4)
    assert room[:999].abs().max() < 1e-4
    late = room[1_001:].pow(2)
    assert late[:2_000].sum() > 5 * late[3_000:5_000].sum()
    assert 0.02 < late.sum() < 0.9


def test_clipping_never_adds_level():
    clipped = changed(clipped=1.0)
    assert (clipped.abs() <= clips().abs() + 1e-6).all()

"""What is done to waveforms: it stays within the clip, and does what it says."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from tests.training.synthetic_clips import voice

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.training.data.wave_augment import Recordings, WaveAugmentation  # noqa: E402

NOTHING = WaveAugmentation(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
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
    "change",
    ["filtered", "band_limited", "reverberant", "noisy", "babble", "hum", "clipped", "coarse"],
)
def test_each_change_is_repeatable_finite_and_stays_within_the_clip(change):
    once, again, other = (changed(seed, **{change: 1.0}) for seed in (1, 1, 2))
    assert torch.equal(once, again)
    assert not torch.equal(once, other)
    assert torch.isfinite(once).all()
    assert not once[1, 9_600:].any()
    assert (once - clips()).abs().amax(dim=1).min() > 1e-5


@pytest.mark.parametrize(("change", "low", "high"), [("noisy", 2.0, 38.0), ("hum", -5.0, 30.0)])
def test_noise_and_hum_are_so_many_db_under_the_clip(change, low, high):
    for seed in range(5):
        noise = (changed(seed, **{change: 1.0}) - clips()).pow(2).sum(1)
        ratio_db = 10 * torch.log10(clips().pow(2).sum(1) / noise)
        assert ratio_db.min() > low - 0.1
        assert ratio_db.max() < high + 0.1


def test_hum_is_of_the_mains():
    hum = changed(1, hum=1.0) - clips()
    loudest = torch.fft.rfft(hum[0]).abs().argmax().item()  # 1 Hz a bin
    assert loudest in {k * base for base in (50, 60) for k in (1, 2, 3, 5)}


def test_recorded_noises_and_rooms_are_used():
    noise = np.sin(2 * np.pi * 1_000 * np.arange(4_000) / 16_000).astype(np.float32)
    room = np.zeros(300, np.float32)
    room[[0, 250]] = 1.0, 0.5
    recordings = Recordings([noise], [room])
    made = changed(0, noisy=1.0, recorded=1.0, recordings=recordings) - clips()
    assert torch.fft.rfft(made[0]).abs().argmax().item() == 1_000
    click = torch.zeros(200, 16_000)
    click[:, 1_000] = 1.0
    rung = replace(NOTHING, reverberant=1.0, recordings=recordings)(
        click, torch.full((200,), 16_000), np.random.default_rng(0)
    )
    echo = (rung[:, 1_250] - 0.5).abs() < 1e-4
    assert 20 < int(echo.sum()) < 80


def test_noises_and_rooms_are_read_as_they_are_packed(tmp_path):
    rng = np.random.default_rng(0)
    audio = 0.1 * rng.standard_normal(3 * 16_000)
    soundfile.write(tmp_path / "noises.opus", audio, 16_000, format="OGG", subtype="OPUS")
    rows = ["corpus,clip,start,samples,language,speaker,gender,emotion,extra"]
    for i, name in enumerate(("rain/1", "a baby CRY/2", "fan/3")):
        rows.append(f"noises,{name},{16_000 * i},16000,,,,,")
    (tmp_path / "noises.csv").write_text("\n".join(rows) + "\n")
    samples = np.array([0, 0, 1_000, -500, 7, 9], np.int16)
    kinds = {"kind": np.array(["room", "effect"]), "offsets": np.array([0, 4, 6])}
    np.savez(tmp_path / "rirs_16k.npz", samples=samples, **kinds)
    read = Recordings.read(tmp_path)
    assert [len(noise) for noise in read.noises] == [16_000, 16_000]
    assert [room.tolist() for room in read.rooms] == [[1.0, -0.5]]


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
    assert 0.03 < late.sum() < 2.0


def test_clipping_never_adds_level():
    clipped = changed(clipped=1.0)
    assert (clipped.abs() <= clips().abs() + 1e-6).all()

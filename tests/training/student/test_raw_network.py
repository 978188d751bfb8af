"""The student that hears the waveform, and the cache of samples that it learns from."""

import numpy as np
import pytest

from tests.training.synthetic_clips import voice, write_speech

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.training.data.targets import Cache, write_audio, write_mel  # noqa: E402
from streamer.training.export.pooling import clip_vectors  # noqa: E402
from streamer.training.student.distill import Run, load_distiller  # noqa: E402
from streamer.training.student.network import Student, StudentShape, to_rate  # noqa: E402
from streamer.training.student.raw_network import (  # noqa: E402
    RawShape,
    RawStudent,
    WindowConvolution,
    level_audio,
    windows,
)
from streamer.training.student.recipe import Recipe  # noqa: E402

SMALL = RawShape(
    channels=32, layers=2, heads=2, position_groups=4, widths=(8, 8, 12, 12, 16, 16, 24, 24)
)


def random_student(shape: RawShape = SMALL) -> RawStudent:
    torch.manual_seed(0)
    return RawStudent(shape).eval()


@pytest.fixture(scope="module")
def cache(tmp_path_factory) -> Cache:
    folder = tmp_path_factory.mktemp("raw")
    speech = write_speech(folder / "speech")
    write_mel(speech, folder / "cache", copies=())
    write_audio(speech, folder / "cache", copies=())
    stored = Cache.open(folder / "cache")
    answers = np.random.default_rng(0).standard_normal((int(stored.offsets[-1]), 8))
    (folder / "cache" / "tiny.f16").write_bytes(answers.astype(np.float16).tobytes())
    return stored


def test_default_size_is_25_tokens_a_second():
    student = RawStudent(RawShape())
    assert student.shape.hop == 640
    assert student.shape.field == 1_280
    assert 3.5e6 < sum(p.numel() for p in student.parameters()) < 3.7e6


@pytest.mark.parametrize("samples", [1_280, 1_600, 1_919, 1_920, 16_001])
def test_tokens_are_those_whose_window_is_whole(samples):
    hidden, mask = random_student()(torch.randn(1, samples), torch.tensor([samples]))
    assert len(hidden) == 2
    assert int(mask.sum()) == hidden[0].shape[1] == (samples - 1_280) // 640 + 1


def test_padding_and_gain_and_offset_change_no_token():
    student = random_student()
    alone = torch.from_numpy(voice(0.77))[None]
    count = torch.tensor([alone.shape[1]])
    padded = torch.nn.functional.pad(alone, (0, 9_999))
    together = torch.cat([padded, torch.from_numpy(voice(1.4, 1))[None, : padded.shape[1]]])
    lengths = torch.tensor([alone.shape[1], padded.shape[1]])
    changed = ((padded, count), (together, lengths), (0.1 * alone, count), (alone + 0.2, count))
    with torch.no_grad():
        expected, mask = student(alone, count)
        own = int(mask.sum())
        for heard, given in changed:
            hidden, _ = student(heard, given)
            for a, b in zip(expected, hidden, strict=True):
                torch.testing.assert_close(a[0, :own], b[0, :own], atol=1e-4, rtol=0)


@pytest.mark.parametrize(("kernel", "stride"), [(10, 5), (3, 2), (2, 2)])
def test_convolution_is_that_of_torch(kernel, stride):
    torch.manual_seed(0)
    ours, theirs = WindowConvolution(6, 4, kernel, stride), torch.nn.Conv1d(6, 4, kernel, stride)
    x = torch.randn(2, 41, 6)
    with torch.no_grad():
        ours.product.weight.copy_(theirs.weight.transpose(1, 2).flatten(1))
        ours.product.bias.copy_(theirs.bias)
        torch.testing.assert_close(
            ours.product(windows(x, kernel, stride)), theirs(x.transpose(1, 2)).transpose(1, 2)
        )


def test_level_is_mean_0_variance_1_over_the_clips_own_samples():
    audio = 3.0 + 0.2 * torch.randn(1, 1_000)
    levelled = level_audio(audio, torch.tensor([600]))[0]
    assert float(levelled[:600].mean()) == pytest.approx(0.0, abs=1e-4)
    assert float(levelled[:600].var(correction=0)) == pytest.approx(1.0, abs=1e-3)
    assert not levelled[600:].any()


def test_pairs_are_averaged_without_padding():
    x = torch.tensor([[[2.0], [4.0], [6.0], [100.0]]])
    slow, mask = to_rate(x, torch.tensor([[[1.0], [1.0], [1.0], [0.0]]]), 2)
    assert slow.tolist() == [[[3.0], [6.0]]]
    assert mask.tolist() == [[[1.0], [1.0]]]


def test_cached_samples_are_those_of_the_clips(cache):
    start, end = (int(cache.offsets[i]) * 640 for i in (2, 3))
    stored = cache.audio()[start:end] / 32_768.0
    expected = voice(1.1, 2, 140.0)
    assert len(stored) == -(-len(expected) // 640) * 640
    np.testing.assert_allclose(stored[: len(expected)], expected, atol=1e-4)
    assert not stored[len(expected) :].any()


def test_audio_of_another_folder_is_refused(cache, tmp_path):
    other = write_speech(tmp_path / "speech", 3)
    with pytest.raises(ValueError, match="made with"):
        write_audio(other, cache.folder, copies=("speed",))
    with pytest.raises(ValueError, match="3 of the 6 clips"):
        write_audio(other, cache.folder, copies=())


def test_missing_audio_says_how_to_get_it(tmp_path):
    write_mel(write_speech(tmp_path / "speech", 2), tmp_path / "cache", copies=())
    recipe = Recipe(shape=SMALL, hints=(), masked=1.0)
    with pytest.raises(FileNotFoundError, match="'cache'"):
        Run(recipe, Cache.open(tmp_path / "cache"))


@pytest.mark.parametrize("shape", [SMALL, StudentShape(32, 2, 2, 4, 19, 4, (1, 2, 1))])
def test_students_learn_from_targets_of_25_tokens_a_second(cache, tmp_path, shape):
    recipe = Recipe(
        shape=shape, hints=((1, "tiny", 0, 8),), batch=4, crop_tokens=16, steps=100, warmup=2
    )
    run = Run(recipe, cache)
    losses = [run.advance() for _ in range(20)]
    first, last = (np.mean([x["frame_loss"] for x in part]) for part in (losses[:5], losses[-5:]))
    assert last < first
    run.save(tmp_path / "c.pt")
    loaded, stored = load_distiller(tmp_path / "c.pt")
    assert stored == recipe
    assert isinstance(loaded.student, Student) == (shape is not SMALL)


def test_answers_are_compared_with_the_teachers_tokens_of_the_same_time(cache):
    """A token of the student is centred 40 ms after the teacher's of the same number."""
    run = Run(Recipe(shape=SMALL, hints=((1, "tiny", 0, 8),), batch=4, crop_tokens=16), cache)
    batch = run.crops.draw(4, np.random.default_rng(0))
    target, lag = run.model.targets[0], SMALL.lag
    assert lag == 1
    seen = []
    target.losses = lambda hidden, raw, mask: (seen.append(raw), (hidden.sum(), hidden.sum()))[1]
    samples = batch.tokens * 640
    run.model(batch.audio, samples, batch, np.random.default_rng(0))
    torch.testing.assert_close(seen[0], batch.raw[0][:, lag:])


def test_pooled_vectors_do_not_depend_on_the_batch(cache):
    student = random_student()
    together = clip_vectors(student, cache, [4, 0, 2])
    for row, i in zip(together, [4, 0, 2], strict=True):
        np.testing.assert_allclose(clip_vectors(student, cache, [i])[0], row, atol=1e-4)

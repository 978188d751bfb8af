"""Task-adaptive pretraining on a folder of recordings, and distilling with masks."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from tests.training.synthetic_clips import write_speech

torch = pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.training.data.targets import Cache, write_mel  # noqa: E402
from streamer.training.student.distill import Distiller, Run, load_distiller  # noqa: E402
from streamer.training.student.network import StudentShape  # noqa: E402
from streamer.training.student.raw_network import RawShape  # noqa: E402
from streamer.training.student.recipe import Recipe, read_recipe  # noqa: E402
from streamer.training.student.tapt import adapt, tapt_recipe  # noqa: E402

TINY = StudentShape(channels=32, layers=2, heads=2, position_groups=4)
RAW = RawShape(channels=32, layers=2, heads=2, position_groups=4, widths=(8,) * 8)


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    return write_speech(tmp_path_factory.mktemp("recordings") / "speech", 4)


@pytest.fixture(scope="module")
def cache(speech, tmp_path_factory) -> Cache:
    folder = tmp_path_factory.mktemp("cache")
    write_mel(speech, folder, copies=())
    stored = Cache.open(folder)
    answers = np.random.default_rng(0).standard_normal((int(stored.offsets[-1]), 8))
    (folder / "tiny.f16").write_bytes(answers.astype(np.float16).tobytes())
    return stored


def recipe_of(shape: StudentShape) -> Recipe:
    # Crops of one length: with fewer tokens to be told from, the contrast is easier.
    length = {"crop_tokens": 16, "spans": (1.0,)}
    return Recipe(shape=shape, hints=(), batch=3, steps=100, warmup=2, masked=1.0, **length)


@pytest.fixture
def start(cache, tmp_path):
    """A checkpoint to adapt."""
    run = Run(recipe_of(TINY), cache)
    run.advance()
    run.save(tmp_path / "start.pt")
    return tmp_path / "start.pt"


def drift(start, adapted) -> float:
    """Greatest change of a student's weight between two checkpoints."""
    before, after = (load_distiller(path)[0].student.parameters() for path in (start, adapted))
    return max((a - b).detach().abs().max().item() for a, b in zip(after, before, strict=True))


def test_masked_loss_falls(cache):
    run = Run(recipe_of(TINY), cache)
    losses = [run.advance() for _ in range(40)]
    for name in ("contrast_loss", "rebuilt_loss"):
        first, last = (np.mean([x[name] for x in part]) for part in (losses[:8], losses[-8:]))
        assert last < 0.95 * first


def test_distilled_and_masked_together(cache):
    both = replace(recipe_of(TINY), hints=((1, "tiny", 0, 8),), masked=0.5)
    losses = Run(both, cache).advance()
    assert set(losses) == {"frame_loss", "clip_loss", "contrast_loss", "rebuilt_loss", "rate"}
    alone = Run(replace(both, masked=0.0), cache)
    assert set(alone.advance()) == {"frame_loss", "clip_loss", "rate"}
    assert alone.model.masked is None


def test_stopped_and_resumed_is_the_same_to_the_last_bit(speech, start, tmp_path):
    straight, stopped = tmp_path / "straight", tmp_path / "stopped"
    for folder in (straight, stopped):
        folder.mkdir()
    assert list(adapt(speech, straight, start, 6, save_every=3, log_every=2)) == [3, 6]
    steps = adapt(speech, stopped, start, 6, save_every=3)
    assert next(steps) == 3
    steps.close()
    assert list(adapt(speech, stopped, None, 6, save_every=3)) == [6]
    one, two = (load_distiller(folder / "checkpoint.pt")[0] for folder in (straight, stopped))
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)
    rows = [json.loads(line) for line in (straight / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [2, 4, 6]
    assert {"contrast_loss", "rebuilt_loss", "anchor_loss"} <= set(rows[0])


def test_it_starts_from_the_given_student_and_the_anchor_holds_it(speech, start, tmp_path):
    drifts = []
    for anchor in (0.0, 1e4):
        folder = tmp_path / f"{anchor}"
        folder.mkdir()
        assert list(adapt(speech, folder, start, 8, anchor=anchor)) == [8]
        drifts.append(drift(start, folder / "checkpoint.pt"))
    assert 0.0 < drifts[1] < 0.5 * drifts[0] < 0.05


def test_a_student_of_the_waveform_gets_its_samples(speech, tmp_path):
    write_mel(speech, tmp_path / "cache", copies=())
    folder = tmp_path / "run"
    folder.mkdir()
    torch.manual_seed(0)
    model = Distiller(recipe_of(RAW)).state_dict()
    torch.save({"recipe": asdict(recipe_of(RAW)), "average": model}, tmp_path / "raw.pt")
    assert list(adapt(speech, folder, tmp_path / "raw.pt", 2)) == [2]
    assert (folder / "cache" / "audio.i16").is_file()


def test_a_folder_without_speech_is_named(start, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty"):
        list(adapt(tmp_path / "empty", tmp_path, start, 2))
    with pytest.raises(FileNotFoundError, match=r"absent\.pt"):
        list(adapt(tmp_path / "empty", tmp_path, tmp_path / "absent.pt", 2))


def test_recipes_can_be_read_back():
    for recipe in (Recipe(), recipe_of(RAW), tapt_recipe(recipe_of(RAW), 100, 1, 0.5)):
        assert read_recipe(json.loads(json.dumps(asdict(recipe)))) == recipe

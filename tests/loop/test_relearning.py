"""A profile of before the hierarchical prior: learned anew from its labels, and it says so."""

import shutil

import numpy as np
import pytest

from streamer.config import Config
from streamer.learners.prior import Prior, is_outdated
from streamer.loop.compose import open_profile
from streamer.loop.profile_model import ProfileModel, learn_anew
from streamer.store import schema
from streamer.store.profile import FILE_NAME, Profile
from tests.support import label_of, made_prior, store_utterance

FORMER = ("embedding_mean", "embedding_deviation", "emotion_mean", "weights", "intercept", "noise")
# The migration that this is about is the last but those that came after it.
BEFORE = next(at for at, script in enumerate(schema.MIGRATIONS) if "learn_anew" in script)


def former_profile(folder, monkeypatch, sha256="ab" * 32, size=6, emotion_size=4):
    """As the version before wrote it: prior, learner and normalization of other arrays."""
    monkeypatch.setattr(schema, "MIGRATIONS", schema.MIGRATIONS[:BEFORE])
    profile = Profile(folder)
    rng = np.random.default_rng(3)
    arrays = made_prior(rng, size, emotion_size).to_arrays()
    profile.set_meta("encoder", "made")
    profile.set_meta("encoder_sha256", sha256)
    profile.save_state("prior", {name: arrays[name] for name in FORMER})
    profile.save_state("usual", {"embedding/mean": np.zeros(size)})
    profile.save_state("learner", {"labels": np.ones(1)})
    for number in range(8):
        vector = rng.normal(size=size).astype(np.float32)
        store_utterance(profile, vector, rng.normal(size=emotion_size).astype(np.float32))
        if number % 2:
            profile.labels.add([label_of(number + 1, valence=0.5, arousal=-0.5)], 100.0)
            profile.labels.learned_with(profile.labels.newest(), np.full(size, 9.0))
    profile.close()
    monkeypatch.undo()


def test_its_labels_are_learned_anew_and_it_says_so_once(tmp_path, monkeypatch, capsys):
    former_profile(tmp_path / "p", monkeypatch)
    config = Config(profile=str(tmp_path / "p"), home=tmp_path)
    with open_profile(config) as profile:
        told = capsys.readouterr().err
        assert "made by an earlier version" in told
        assert "4 labels and 8 utterances" in told
        model = ProfileModel(profile).model
        assert model.labels == 4
        assert model.usual.count == 8
        entries = profile.labels.effective()
        assert all(np.abs(entry.features).max() <= 6.0 for entry in entries)
    with open_profile(config) as profile:
        assert capsys.readouterr().err == ""


def test_it_is_what_learning_the_rows_in_a_new_profile_gives(tmp_path, monkeypatch):
    former_profile(tmp_path / "p", monkeypatch)
    shutil.copytree(tmp_path / "p", tmp_path / "q")
    with open_profile(Config(profile=str(tmp_path / "p"), home=tmp_path)) as profile:
        found = ProfileModel(profile).model.learner.to_arrays()
    fresh = Profile(tmp_path / "q")
    fresh.forget_states()
    learn_anew(fresh)
    expected = ProfileModel(fresh).model.learner.to_arrays()
    fresh.close()
    assert {name: array.tobytes() for name, array in found.items()} == {
        name: array.tobytes() for name, array in expected.items()
    }


def test_with_its_encoder_here_it_takes_over_what_that_knows_of_voices(tmp_path, monkeypatch):
    from streamer.encoders.registry import find_encoder, load_prior

    row = find_encoder("streamer-small")
    former_profile(tmp_path / "p", monkeypatch, row.sha256, row.embedding_size, row.emotion_size)
    with open_profile(Config(profile=str(tmp_path / "p"), home=tmp_path)) as profile:
        kept = profile.load_state("prior")[0]
        assert not is_outdated(kept)
        assert np.array_equal(kept["weight_variance"], load_prior(row).weight_variance)
        assert ProfileModel(profile).model.labels == 4


@pytest.mark.parametrize("busy", [True, False])
def test_a_process_that_has_the_profile_is_left_alone(tmp_path, monkeypatch, capsys, busy):
    former_profile(tmp_path / "p", monkeypatch)
    holder = Profile(tmp_path / "p")
    if busy:
        assert holder.take_over("streamer run")
    with open_profile(Config(profile=str(tmp_path / "p"), home=tmp_path)) as profile:
        assert profile.is_to_learn_anew() is busy
    assert bool(capsys.readouterr().err) is not busy
    holder.close()


def test_a_new_profile_has_nothing_to_learn_anew(tmp_path):
    profile = Profile(tmp_path / "p")
    profile.bind("made", "cd" * 32, Prior.uninformed(6, 4))
    assert not profile.is_to_learn_anew()
    profile.close()
    assert (tmp_path / "p" / FILE_NAME).is_file()

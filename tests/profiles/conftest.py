"""A profile that a session has filled, and what it has learned."""

from pathlib import Path

import numpy as np
import pytest

from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from tests.conftest import Streamer


def learned(folder: Path) -> dict[str, np.ndarray]:
    profile = Profile(folder)
    profile_model = ProfileModel(profile)
    profile_model.catch_up()
    arrays = profile_model.model.learner.to_arrays() | profile_model.model.usual.to_arrays()
    profile.close()
    return arrays


@pytest.fixture
def heard(streamer: Streamer, session_file: Path, tmp_path: Path) -> Path:
    """A profile with twelve utterances and three labels."""
    streamer("run", "--input", session_file, "--keep", 1)
    for number in (2, 5, 9):
        words = ["--valence", 0.5, "--arousal", number / 10, "--emotion", "joy"]
        assert streamer("label", number, *words).returncode == 0
    return tmp_path / "profiles" / "default"

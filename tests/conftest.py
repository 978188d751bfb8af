"""What many tests need: a made-up session, a profile, the command line, the shared recordings."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# As the command line does, before numpy is loaded: only on one thread are sums the same to the
# last bit in every process.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")  # torch: as many workers as cores run beside it
# librosa's functions are compiled once for all tests, see `encoders.acoustic.compilation`.
os.environ["NUMBA_CACHE_DIR"] = str(Path(tempfile.gettempdir(), f"streamer-tests-{os.getuid()}"))

import numpy as np
import pytest
import soundfile
from hypothesis import settings

from streamer.store.profile import Profile
from streamer.testing import Spoken, synthetic_session
from streamer.types import SAMPLE_RATE_HZ, Samples

SHARED = Path(__file__).parent.parent.parent / "shared"

# Machines are shared: how long an example takes says nothing about it. People's runs look for new
# examples; the same commit gives the same answer where CI is set, as hypothesis itself has it.
settings.register_profile("streamer", deadline=None, derandomize="CI" in os.environ)
# An emulated processor takes a hundred times as long: scripts/arm64.sh asks for few.
settings.register_profile("emulated", deadline=None, derandomize=True, max_examples=5)
settings.load_profile("streamer")

pytest_plugins = ["tests.virtual_microphone"]

Streamer = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def spoken_session() -> tuple[Samples, list[Spoken]]:
    """Twelve synthetic utterances at 16 kHz, and the truth about them."""
    return synthetic_session(np.random.default_rng(3), 12)


@pytest.fixture(scope="session")
def session_file(
    spoken_session: tuple[Samples, list[Spoken]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("speech") / "session.wav"
    soundfile.write(path, spoken_session[0], SAMPLE_RATE_HZ)
    return path


@pytest.fixture
def profile(tmp_path: Path) -> Iterator[Profile]:
    opened = Profile(tmp_path / "profile")
    yield opened
    opened.close()


@pytest.fixture
def shared_wav() -> Path:
    folder = SHARED / "data" / "wav"
    if not folder.is_dir():
        pytest.skip("needs the recordings of ../shared/data/wav")
    return folder


@pytest.fixture
def streamer_environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which the command line keeps its profiles to this test."""
    folders = {"STREAMER_HOME": "profiles", "STREAMER_MODELS": "models"}
    own = {name: str(tmp_path / folder) for name, folder in folders.items()}
    return {**os.environ, **own, "NO_COLOR": "1"}


@pytest.fixture
def streamer(streamer_environment: dict[str, str], tmp_path: Path) -> Streamer:
    """Runs the command line as a user does, in an empty folder."""

    def call(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:
        options = {"cwd": tmp_path, "env": streamer_environment, "timeout": 120, **options}
        return subprocess.run(
            [sys.executable, "-m", "streamer", *map(str, words)],
            capture_output=True,
            text=True,
            **options,
        )

    return call

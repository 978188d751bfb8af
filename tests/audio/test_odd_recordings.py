"""Whatever people's recorders, browsers and cables make of it, the same three utterances."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from streamer.annotation.enrolment import verify_files
from streamer.config import Config
from streamer.store.profile import Profile
from streamer.types import SAMPLE_RATE_HZ, Samples
from tests.conftest import SHARED, Streamer
from tests.support import balance, events_of, named

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(
        not (SHARED / "tools" / "odd_inputs.py").exists(),
        reason="needs ../shared/tools/odd_inputs.py",
    ),
]
RATE_HZ = SAMPLE_RATE_HZ
# The figures of benchmarks/README.md are those of this one.
ENCODER = "streamer-small"


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("odd")
    subprocess.run(
        [sys.executable, str(SHARED / "tools" / "odd_inputs.py"), str(folder)], check=True
    )
    return folder


@pytest.fixture
def heard(streamer: Streamer) -> Callable[[Path], tuple[list[tuple[float, float]], set[str]]]:
    """(valence, arousal) of each utterance, and the kinds of notices, of a file in a profile."""

    def hear(path: Path) -> tuple[list[tuple[float, float]], set[str]]:
        done = streamer(
            "run",
            "--no-web",
            "--json",
            "--encoder",
            ENCODER,
            "--profile",
            path.stem,
            "--input",
            path,
        )
        assert done.returncode == 0, done.stderr
        events = events_of(done.stdout)
        assert balance(events[-1]) == 0
        values = [
            (one["valence"]["mean"], one["arousal"]["mean"]) for one in named(events, "utterance")
        ]
        return values, {one["kind"] for one in named(events, "notice")} - {"privacy", "licence"}

    return hear


# Name, how far a guess may lie from the clean one, how many times the three, what is said.
GIVEN: list[tuple[str, float, int, set[str]]] = [
    ("opposite_phase.wav", 0.02, 1, {"channels"}),
    ("right_channel_hum.wav", 0.02, 1, {"channels"}),
    ("left_noise.wav", 0.02, 1, {"channels"}),
    ("dc_offset_005.wav", 0.02, 1, {"offset"}),
    ("hum_50hz.wav", 0.02, 1, {"hum"}),
    ("quiet_minus50db.wav", 0.25, 1, {"low_level"}),
    ("zeros.wav", 0.0, 0, {"silent_input"}),
    ("float_of_int16_scale.wav", 0.02, 1, {"clipping"}),
    ("recorder_killed_size0.wav", 0.02, 1, set()),
    ("recorder_killed_size_of_3s.wav", 0.02, 1, {"general"}),
    ("piped_rf64.wav", 0.02, 1, set()),
    ("two_chained.ogg", 0.15, 2, set()),
    ("two_joined.mp3", 0.15, 2, set()),
    ("phone.m4a", 0.07, 1, set()),
    ("adts.aac", 0.1, 1, set()),
    ("browser.webm", 0.08, 1, set()),
    ("mac.caf", 0.02, 1, set()),
    ("unix.au", 0.02, 1, set()),
]


def check(found: list[tuple[float, float]], clean: Any, within: float, times: int) -> None:
    assert len(found) == 3 * times
    if times:
        assert np.abs(np.array(found) - np.tile(clean, (times, 1))).max() <= within


def test_the_inputs_that_were_reported(odd: Path, heard) -> None:
    clean, said = heard(odd / "good.wav")
    assert (len(clean), said) == (3, set())
    for name, within, times, kinds in GIVEN:
        found, said = heard(odd / name)
        assert said == kinds, name
        check(found, clean, within, times)


def at(hz: int, sound: Samples) -> Samples:
    return np.asarray(soxr.resample(sound, RATE_HZ, hz), np.float32)


def lines(x: Samples, hz: float) -> Samples:
    t = np.arange(len(x)) / RATE_HZ
    parts = [a * np.sin(2 * np.pi * hz * (k + 1) * t) for k, a in enumerate((0.1, 0.05, 0.03))]
    return np.asarray(np.sum(parts, axis=0), np.float32)


# Name, rate, subtype, what is made of the clean sound, how far a guess may lie off, what is said.
MADE_UP: list[tuple[str, int, str, Callable[[Samples], Any], float, set[str]]] = [
    ("unequal.wav", 44_100, "PCM_24", lambda x: np.stack([at(44_100, x), -0.25 * at(44_100, x)], 1),
     0.03, {"channels"}),
    ("four.flac", 48_000, "PCM_16", lambda x: at(48_000, x)[:, None] * [[0, 1e-4, 1, 0]],
     0.02, {"channels"}),
    ("offset.wav", RATE_HZ, "PCM_U8", lambda x: x * 0.9 - 0.3, 0.08, {"offset"}),
    ("lines.wav", RATE_HZ, "PCM_24", lambda x: x + lines(x, 60.03), 0.03, {"hum"}),
    ("hot.wav", RATE_HZ, "FLOAT", lambda x: x * 24, 0.15, {"clipping"}),
    ("ints.wav", RATE_HZ, "FLOAT", lambda x: x * 2**23, 0.02, {"clipping"}),
    ("quiet.wav", 96_000, "FLOAT", lambda x: at(96_000, x) * 1e-3, 0.25, {"low_level"}),
    ("ceiling.wav", 48_000, "PCM_16", lambda x: np.clip(at(48_000, x) * 4, -0.5, 0.5),
     0.35, {"clipping"}),
    ("headset.wav", 48_000, "PCM_16", lambda x: soxr.resample(at(8_000, x), 8_000, 48_000),
     0.25, {"low_rate"}),
    ("gaps.wav", RATE_HZ, "FLOAT", lambda x: np.where(np.arange(len(x)) % 5_000, x, np.nan),
     0.06, {"not_a_number"}),
    ("sony.w64", RATE_HZ, "PCM_16", lambda x: x, 0.02, set()),
]  # fmt: skip


def test_others_of_the_same_kinds(odd: Path, heard, tmp_path: Path) -> None:
    clean, _ = heard(odd / "good.wav")
    sound, _ = soundfile.read(odd / "good.wav", dtype="float32")
    for name, hz, subtype, make, within, kinds in MADE_UP:
        soundfile.write(tmp_path / name, make(sound).astype(np.float32), hz, subtype=subtype)
        found, said = heard(tmp_path / name)
        assert said == kinds, name
        check(found, clean, within, 1)


def test_verified_by_the_same_ear(odd: Path, tmp_path: Path) -> None:
    profile = Profile(tmp_path / "p")
    said: list[str] = []
    files = [str(odd / name) for name in ("good.wav", "hum_50hz.wav", "left_noise.wav")]
    found = list(verify_files(Config(encoder=ENCODER), profile, files, said.append))
    profile.close()
    assert [text.split(":")[0] for text in said] == ["hum_50hz.wav", "left_noise.wav"]
    values = np.array([one.prediction.valence.mean for one in found]).reshape(3, 3)
    assert np.ptp(values, axis=0).max() < 0.02

"""The microphone through PortAudio, ALSA and a real sound server, in a process of its own."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from streamer.types import Samples
from tests.audio.hearing import noise
from tests.virtual_microphone import VirtualMicrophone, needs_virtual_microphone

pytestmark = needs_virtual_microphone

ROOT = Path(__file__).parents[3]


@dataclass
class Listener:
    """A process that listens, started at once; `finish` gives what it said and heard."""

    microphone: VirtualMicrophone
    folder: Path

    def __post_init__(self) -> None:
        self._heard = self.folder / "heard.npy"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.audio.listen", str(self._heard)],
            env=self.microphone.environment(),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.events: list[dict[str, Any]] = []
        self.errors = ""

    def wait_until_listening(self) -> None:
        self.wait_for("first")

    def wait_for(self, event: str, text: str = "") -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == event and text in line:
                return
        raise AssertionError("the listener ended")

    def finish(self, after_s: float = 1.0) -> Samples:
        time.sleep(after_s)
        self._process.send_signal(signal.SIGINT)
        try:
            out, self.errors = self._process.communicate(timeout=20)
        finally:
            self._process.kill()
        self.events += [json.loads(line) for line in out.splitlines()]
        assert self.events[-1]["event"] == "end", self.errors
        samples: Samples = np.load(self._heard)
        return samples

    def __getitem__(self, event: str) -> list[dict[str, Any]]:
        return [found for found in self.events if found["event"] == event]

    def notice(self, text: str) -> dict[str, Any]:
        (found,) = [notice for notice in self["notice"] if text in notice["text"]]
        return found


def write_noise(folder: Path, seconds: float, rate_hz: int = 16_000, channels: int = 1) -> Path:
    """A WAV that begins and ends with a sample that is not zero."""
    samples = noise(round(seconds * rate_hz), channels)
    samples[0] = samples[-1] = 0.25
    soundfile.write(folder / "noise.wav", samples, rate_hz, subtype="PCM_16")
    return folder / "noise.wav"


def sounding(samples: Samples) -> Samples:
    """From the first to the last sample that is not zero."""
    at = np.flatnonzero(samples[:, 0])
    return samples[at[0] : at[-1] + 1]


def assert_time_is_accounted_for(listener: Listener, samples: Samples) -> None:
    """What was heard and what was lost fill the time from first to last."""
    (end,) = listener["end"]
    lost = sum(gap["samples"] for gap in listener["gap"])
    assert (len(samples) + lost) / 16_000 == pytest.approx(end["listened_s"], abs=1.0)


def test_sound_is_captured_bit_for_bit(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    recording = write_noise(tmp_path, seconds=2.0)
    listener = Listener(virtual_microphone, tmp_path)
    listener.wait_until_listening()
    virtual_microphone.feed(recording)
    samples = listener.finish()
    fed, _ = soundfile.read(recording, dtype="float32", always_2d=True)
    assert np.array_equal(sounding(samples), fed)
    assert listener["start"][0]["rate_hz"] == 16_000
    assert listener["start"][0]["channels"] == 1
    assert listener["gap"] == []
    assert listener["notice"] == []
    assert listener.errors == ""
    (end,) = listener["end"]
    assert end["longest_silence_s"] < 4.0
    assert end["closing_s"] < 4.0
    assert_time_is_accounted_for(listener, samples)


@pytest.mark.parametrize(("rate_hz", "channels"), [(44_100, 1), (48_000, 2)])
def test_other_rates_and_channels_are_heard(rate_hz: int, channels: int, tmp_path: Path) -> None:
    recording = write_noise(tmp_path, 1.0, rate_hz, channels)
    with VirtualMicrophone(rate_hz, channels) as microphone:
        listener = Listener(microphone, tmp_path)
        listener.wait_until_listening()
        microphone.feed(recording)
        samples = listener.finish()
    heard_s = len(sounding(samples)) / listener["start"][0]["rate_hz"]
    assert heard_s == pytest.approx(1.0, abs=0.01)
    assert listener["gap"] == []


def test_a_source_that_is_unplugged_is_taken_up_again(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    recording = write_noise(tmp_path, seconds=1.0)
    listener = Listener(virtual_microphone, tmp_path)
    listener.wait_until_listening()
    unplugged_s = time.monotonic()
    virtual_microphone.unplug()
    time.sleep(3.0)
    virtual_microphone.plug()
    plugged_s = time.monotonic()
    listener.wait_for("notice", "is back after")
    virtual_microphone.feed(recording)
    samples = listener.finish()
    assert listener.notice("disappeared")["time_s"] - unplugged_s < 4
    back_s = listener.notice("'default' is back after")["time_s"]
    assert back_s - plugged_s < 4
    assert [gap["reason"] for gap in listener["gap"]] == ["device_lost", "device_lost"]
    lost_s = listener["gap"][-1]["samples"] / 16_000
    assert lost_s == pytest.approx(back_s - unplugged_s, abs=1.0)
    fed, _ = soundfile.read(recording, dtype="float32", always_2d=True)
    assert np.array_equal(sounding(samples), fed)
    assert listener["end"][0]["longest_silence_s"] < 4.0
    assert_time_is_accounted_for(listener, samples)


def test_a_server_that_is_killed_and_started_again_is_taken_up_again(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    listener = Listener(virtual_microphone, tmp_path)
    listener.wait_until_listening()
    killed_s = time.monotonic()
    virtual_microphone.kill()
    time.sleep(1.5)
    virtual_microphone.start()
    listener.wait_for("notice", "is back after")
    samples = listener.finish()
    assert listener.notice("disappeared")["time_s"] - killed_s < 4
    back_s = listener.notice("is back after")["time_s"]
    lost_s = listener["gap"][-1]["samples"] / 16_000
    assert lost_s == pytest.approx(back_s - killed_s, abs=1.0)
    assert_time_is_accounted_for(listener, samples)


def test_a_source_that_stalls_is_noticed_and_taken_up_again(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    listener = Listener(virtual_microphone, tmp_path)
    listener.wait_until_listening()
    stalled_s = time.monotonic()
    virtual_microphone.stall()
    time.sleep(2.5)
    virtual_microphone.resume()
    listener.wait_for("notice", "is back after")
    samples = listener.finish()
    assert listener.notice("disappeared")["time_s"] - stalled_s < 4
    back_s = listener.notice("is back after")["time_s"]
    lost_s = listener["gap"][-1]["samples"] / 16_000
    assert lost_s == pytest.approx(back_s - stalled_s, abs=1.0)
    assert_time_is_accounted_for(listener, samples)


def test_ending_while_the_source_stalls_does_not_hang(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    listener = Listener(virtual_microphone, tmp_path)
    listener.wait_until_listening()
    virtual_microphone.stall()
    listener.finish(0.5)
    assert listener["end"][0]["closing_s"] < 4.0


def test_a_server_that_stands_still_for_a_moment_loses_nothing(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    listener = Listener(virtual_microphone, tmp_path)
    listener.wait_until_listening()
    virtual_microphone.freeze()
    time.sleep(0.6)
    virtual_microphone.thaw()
    samples = listener.finish(6.0)  # what a server lost is found some seconds later
    assert listener["gap"] == []
    assert_time_is_accounted_for(listener, samples)


@pytest.mark.parametrize("server", [True, False])
def test_no_microphone_at_the_start_is_an_error(server: bool, tmp_path: Path) -> None:
    microphone = VirtualMicrophone(plugged=False)
    try:
        if server:
            microphone.start()
        done = subprocess.run(
            [sys.executable, "-m", "tests.audio.listen", str(tmp_path / "heard.npy")],
            env=microphone.environment(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    finally:
        microphone.stop()
    assert done.returncode == 3
    error = json.loads(done.stdout)
    assert error["kind"] == "NoDevice"
    assert "--input FILE" in error["text"]
    assert done.stderr == ""

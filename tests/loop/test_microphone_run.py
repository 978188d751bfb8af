"""`streamer run` on a real virtual microphone, as it works and as it breaks."""

import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile

from streamer.testing import Spoken
from streamer.types import Samples
from tests.conftest import Streamer
from tests.support import balance, events_of, named
from tests.virtual_microphone import VirtualMicrophone, needs_virtual_microphone

pytestmark = needs_virtual_microphone


class Listener:
    """`streamer run --json` on a virtual microphone; its events as they come."""

    def __init__(self, microphone: VirtualMicrophone, profile: Path, *words: str) -> None:
        command = [sys.executable, "-m", "streamer", "run", "--json", "--profile", str(profile)]
        self._process = subprocess.Popen(
            [*command, *words],
            env=microphone.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._arriving: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.events: list[dict[str, Any]] = []

    def wait_for(self, name: str, text: str = "", timeout_s: float = 20.0) -> dict[str, Any]:
        deadline_s = time.monotonic() + timeout_s
        while True:
            line = self._arriving.get(timeout=max(0.01, deadline_s - time.monotonic()))
            self.events += events_of(line)
            if self.events[-1]["event"] == name and text in line:
                return self.events[-1]

    def stop(self) -> list[dict[str, Any]]:
        """Ctrl-C; all that it said, the accounts of which hold."""
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(20) == 0, self._process.stderr and self._process.stderr.read()
        while not self.events or self.events[-1]["event"] != "end":
            self.events += events_of(self._arriving.get(timeout=5))
        assert balance(self.events[-1]) == 0
        return self.events

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._arriving.put(line)


@pytest.fixture
def listener(virtual_microphone: VirtualMicrophone, tmp_path: Path) -> Any:
    listening = Listener(virtual_microphone, tmp_path / "profile")
    yield listening
    listening.kill()


@pytest.fixture(scope="session")
def short_file(
    spoken_session: tuple[Samples, list[Spoken]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The first three utterances, about ten seconds."""
    audio, truth = spoken_session
    path = tmp_path_factory.mktemp("speech") / "short.wav"
    soundfile.write(path, audio[: round((truth[2].offset_s + 0.9) * 16_000)], 16_000)
    return path


def hears_what_is_played(
    listener: Listener,
    microphone: VirtualMicrophone,
    streamer: Streamer,
    recording: Path,
    witness: Path,
) -> None:
    """The utterances of a recording, at the places where another recorder of the microphone has
    them, but for one in ten; no sample lost.

    Where frames of 32 ms begin decides over faint syllables: when session_48k.flac starts 0 to
    0.1 s later, in 44 steps, one onset of its 56 moves by 0.7 s in every tenth, and in every fifth
    two utterances are one.
    """
    with microphone.recorded(witness):
        microphone.feed(recording)
        time.sleep(1.0)
    events = listener.stop()
    heard = named(events, "utterance")
    played, recorded = (
        named(events_of(streamer("run", "--input", path, "--json").stdout), "utterance")
        for path in (recording, witness)
    )
    few = len(played) // 10
    assert abs(len(heard) - len(played)) <= few
    assert abs(len(heard) - len(recorded)) <= few
    late_s = heard[0]["onset_s"] - recorded[0]["onset_s"]
    places = [(one["onset_s"] - late_s, one["offset_s"] - late_s) for one in heard]
    elsewhere = [
        one
        for one in recorded
        if (one["onset_s"], one["offset_s"])
        not in [pytest.approx(place, abs=0.3) for place in places]
    ]
    assert len(elsewhere) <= few, elsewhere
    assert sum(events[-1]["dropped_samples"].values()) == 0


def test_the_microphone_hears_what_the_file_holds(
    listener: Listener,
    virtual_microphone: VirtualMicrophone,
    streamer: Streamer,
    short_file: Path,
    tmp_path: Path,
) -> None:
    source = listener.wait_for("start")["source"]
    assert (source["kind"], source["rate_hz"]) == ("microphone", 16_000)
    hears_what_is_played(
        listener, virtual_microphone, streamer, short_file, tmp_path / "witness.wav"
    )


@pytest.mark.long
def test_the_whole_recorded_session_through_the_microphone(
    listener: Listener,
    virtual_microphone: VirtualMicrophone,
    streamer: Streamer,
    shared_wav: Path,
    tmp_path: Path,
) -> None:
    recording = shared_wav / "session_48k.flac"
    listener.wait_for("start")
    hears_what_is_played(
        listener, virtual_microphone, streamer, recording, tmp_path / "witness.wav"
    )


@pytest.mark.parametrize(
    "fault", ["unplugged", pytest.param("server killed", marks=pytest.mark.long)]
)
def test_a_microphone_that_goes_away_is_taken_up_again(
    listener: Listener,
    virtual_microphone: VirtualMicrophone,
    short_file: Path,
    fault: str,
) -> None:
    name = listener.wait_for("start")["source"]["name"]
    virtual_microphone.feed(short_file)
    for _ in range(3):
        listener.wait_for("utterance")
    gone_s = time.monotonic()
    virtual_microphone.unplug() if fault == "unplugged" else virtual_microphone.kill()
    notice = listener.wait_for("notice", timeout_s=2.0)
    assert name in notice["text"]
    time.sleep(max(0.0, gone_s + 2.0 - time.monotonic()))
    virtual_microphone.plug() if fault == "unplugged" else virtual_microphone.start()
    listener.wait_for("notice", "back")
    away_s = time.monotonic() - gone_s
    virtual_microphone.feed(short_file, wait=False)
    listener.wait_for("utterance")
    events = listener.stop()
    lost = events[-1]["dropped_samples"]
    assert set(lost) == {"device_lost"}
    assert lost["device_lost"] / 16_000 == pytest.approx(away_s, abs=0.7)
    onsets = [event["onset_s"] for event in named(events, "utterance")]
    assert onsets[3] - onsets[2] > 2.0


@pytest.mark.long
def test_a_microphone_of_another_rate_and_more_channels_is_heard(
    tmp_path: Path, short_file: Path, streamer: Streamer
) -> None:
    with VirtualMicrophone(rate_hz=44_100, channels=2) as microphone:
        listening = Listener(microphone, tmp_path / "p")
        try:
            listening.wait_for("start")
            hears_what_is_played(
                listening, microphone, streamer, short_file, tmp_path / "witness.wav"
            )
        finally:
            listening.kill()


def test_without_a_microphone_the_remedy_is_told(tmp_path: Path) -> None:
    with VirtualMicrophone(plugged=False) as microphone:
        done = subprocess.run(
            [sys.executable, "-m", "streamer", "run", "--profile", str(tmp_path / "p")],
            env=microphone.environment(), capture_output=True, text=True, timeout=30,
        )  # fmt: skip
    assert done.returncode == 3
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("streamer: ")
    assert "--input" in last


def test_a_label_from_a_second_process_is_learned_while_listening(
    listener: Listener, virtual_microphone: VirtualMicrophone, short_file: Path, tmp_path: Path
) -> None:
    listener.wait_for("start")
    virtual_microphone.feed(short_file, wait=False)
    first = listener.wait_for("utterance")
    subprocess.run(
        [sys.executable, "-m", "streamer", "label", str(first["id"]), "--valence", "0.5",
         "--arousal", "0.5", "--profile", str(tmp_path / "profile")],
        env=virtual_microphone.environment(), check=True, timeout=30, capture_output=True,
    )  # fmt: skip
    learned = listener.wait_for("learned", timeout_s=1.0)
    assert learned["labels"] == 1
    listener.stop()

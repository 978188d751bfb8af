"""The device does not take for speech what it plays itself, and hears all else."""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from streamer.annotation.session import REPEAT_EVERY
from streamer.audio.clips import to_flac
from streamer.store.playback import PlaybackFile
from streamer.store.profile import Profile
from streamer.testing import synthetic_speech
from streamer.types import SAMPLE_RATE_HZ, Samples
from tests.support import balance, events_of, named
from tests.virtual_microphone import VirtualMicrophone, needs_virtual_microphone

pytestmark = needs_virtual_microphone


def speech(seconds: float = 2.0, seed: int = 0) -> Samples:
    return synthetic_speech(np.random.default_rng(seed), "happy", seconds)


class Running:
    """`streamer run` on a virtual microphone; `finish` gives what it said."""

    def __init__(self, microphone: VirtualMicrophone, folder: Path, *flags: str) -> None:
        self.folder = folder
        command = ["run", "--json", "--no-web", "--profile", str(folder), *flags]
        self._log = (folder.parent / f"{folder.name}.err").open("w+")
        self._out = (folder.parent / f"{folder.name}.out").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streamer", *command],
            env=microphone.environment(), stdout=self._out, stderr=self._log, text=True,
        )  # fmt: skip
        self.wait_for(lambda: '"start"' in self.text())

    def text(self) -> str:
        return Path(self._out.name).read_text()

    def wait_for(self, true: Any, within_s: float = 60.0) -> None:
        until_s = time.monotonic() + within_s
        while not true():
            assert self._process.poll() is None, Path(self._log.name).read_text()
            assert time.monotonic() < until_s
            time.sleep(0.05)

    def finish(self) -> list[dict[str, Any]]:
        self._process.terminate()
        try:
            self._process.wait(timeout=60)
        finally:
            self._process.kill()
        assert self._process.returncode == 0, Path(self._log.name).read_text()
        return events_of(self.text())


@contextmanager
def running(microphone: VirtualMicrophone, folder: Path, *flags: str) -> Iterator[Running]:
    started = Running(microphone, folder, *flags)
    try:
        yield started
    finally:
        started._process.kill()
        started._process.wait()


def wav(folder: Path, name: str, audio: Samples, gain_db: float = 0.0) -> Path:
    path = folder / name
    soundfile.write(path, audio * 10 ** (gain_db / 20), SAMPLE_RATE_HZ, subtype="PCM_16")
    return path


ECHOES = [(gain_db, delay_ms) for gain_db in (0, -20, -40) for delay_ms in (0, 100, 200, 300)]


@pytest.mark.parametrize(
    "echoes",
    [
        pytest.param([(0, 300), (-20, 0)], id="some"),
        pytest.param(ECHOES, id="all", marks=pytest.mark.hours),
    ],
)
def test_an_echo_of_a_question_is_no_utterance(
    virtual_microphone: VirtualMicrophone, tmp_path: Path, echoes: list[tuple[int, int]]
) -> None:
    audio = speech()
    spoken = wav(tmp_path, "spoken.wav", speech(seed=1))
    with running(virtual_microphone, tmp_path / "profile") as listener:
        player = PlaybackFile(listener.folder)
        virtual_microphone.feed(spoken)  # somebody, before
        time.sleep(1.5)
        for gain_db, delay_ms in echoes:
            clip = wav(tmp_path, f"{gain_db}-{delay_ms}.wav", audio, gain_db)
            player.begin(len(audio) / SAMPLE_RATE_HZ)
            time.sleep(delay_ms / 1000)
            virtual_microphone.feed(clip)
            time.sleep(max(0.0, 1.2 - delay_ms / 1000))
        virtual_microphone.feed(spoken)  # somebody, afterwards
        listener.wait_for(lambda: listener.text().count('"utterance"') >= 2, 10.0)
        time.sleep(1.0)
        events = listener.finish()
    assert len(named(events, "utterance")) == 2
    end = events[-1]
    assert balance(end) == 0
    # Each with its tail, and no more than a moment beside.
    played_s = end["dropped_samples"]["playback"] / SAMPLE_RATE_HZ
    assert played_s == pytest.approx(len(echoes) * (2.0 + 1.0), abs=0.3 * len(echoes))
    assert [n["kind"] for n in named(events, "notice")].count("playback") == 1


def test_without_being_told_it_would_be_one(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    clip = wav(tmp_path, "quiet.wav", speech(), -20)
    with running(virtual_microphone, tmp_path / "profile") as listener:
        virtual_microphone.feed(clip)
        listener.wait_for(lambda: '"utterance"' in listener.text(), 10.0)
        events = listener.finish()
    assert "playback" not in events[-1]["dropped_samples"]


def test_speech_over_a_playing_clip_is_lost_for_that_span_alone(
    virtual_microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    spoken = wav(tmp_path, "spoken.wav", speech(2.0, seed=1))
    with running(virtual_microphone, tmp_path / "profile") as listener:
        player = PlaybackFile(listener.folder)
        player.begin(4.0)
        virtual_microphone.feed(spoken)
        player.end()  # stopped early: what is said from the tail's end on is heard
        time.sleep(1.5)
        virtual_microphone.feed(spoken)
        listener.wait_for(lambda: '"utterance"' in listener.text(), 10.0)
        time.sleep(1.0)
        events = listener.finish()
    (heard,) = named(events, "utterance")
    assert heard["onset_s"] > 3.0
    (told,) = [n for n in named(events, "notice") if n["kind"] == "playback"]
    assert "speech too, is not heard" in told["text"]


def asked(folder: Path, questions: int) -> None:
    """A profile that asks about made-up utterances, each with audio that sounds like speech."""
    with_encoder = Profile(folder)
    try:
        session = with_encoder.database.row("SELECT max(id) FROM sessions")
        assert session is not None
        row = with_encoder.database.row("SELECT * FROM utterances LIMIT 1")
        assert row is not None
        columns = [name for name in row.keys() if name != "id"]  # noqa: SIM118  # of a Row
        values = [row[name] for name in columns]
        marks = ", ".join("?" * len(columns))
        asked = []
        for number in range(questions):
            new = with_encoder.database.write(
                f"INSERT INTO utterances ({', '.join(columns)}) VALUES ({marks})", *values
            )
            asked.append((new, -float(number), to_flac(speech(2.0, seed=number))))
        with_encoder.utterances.select("made", "for a test", asked, [], time.time())
    finally:
        with_encoder.close()


@pytest.mark.parametrize(
    "minutes", [pytest.param(0.2, id="some"), pytest.param(10, id="ten", marks=pytest.mark.hours)]
)
def test_labelling_in_a_terminal_beside_a_run_asks_nothing_about_itself(
    virtual_microphone: VirtualMicrophone, tmp_path: Path, session_file: Path, minutes: float
) -> None:
    """With a loudspeaker that the microphone picks up as loud as it plays, 100 ms later."""
    environment = {**virtual_microphone.environment(), "TERM": "dumb"}
    folder = tmp_path / "profile"
    streamer = [sys.executable, "-m", "streamer"]
    profile = ["--profile", str(folder)]
    subprocess.run(
        [*streamer, "run", "--no-web", "--input", str(session_file), "--max-seconds", "8",
         *profile], env=environment, check=True, capture_output=True,
    )  # fmt: skip
    rounds = round(minutes * 60 / 5.0)
    asked(folder, rounds + 5)
    virtual_microphone.add_loudspeaker(0.0, 100)
    with running(virtual_microphone, folder) as listener:
        master, slave = pty.openpty()
        labelling = subprocess.Popen(
            [*streamer, "label", *profile], env=environment, stdin=slave, stdout=slave,
            stderr=slave, close_fds=True,
        )  # fmt: skip
        os.close(slave)
        try:
            shown = b""
            for _ in range(rounds):
                shown = _until(master, b"9 positive: ", shown)
                time.sleep(2.5)  # the clip is heard to its end
                os.write(master, b"7")
                shown = _until(master, b"9 excited: ", shown)
                time.sleep(0.3)  # it reads keys only from a moment after it asks
                os.write(master, b"3")
                shown = _until(master, b"  emotion   ", shown)
                time.sleep(1.0)
                os.write(master, b"\r")
            _until(master, b"9 positive: ", shown)
            time.sleep(0.3)
            os.write(master, b"q")
            labelling.wait(timeout=20)
        finally:
            labelling.kill()
            os.close(master)
        time.sleep(1.5)
        events = listener.finish()
    assert named(events, "utterance") == []
    repeats = rounds // REPEAT_EVERY[0]  # at most: their answers are compared, not learned
    assert len(named(events, "learned")) >= rounds - 1 - repeats
    assert balance(events[-1]) == 0
    assert events[-1]["dropped_samples"]["playback"] > rounds * 2.0 * SAMPLE_RATE_HZ


def _until(master: int, word: bytes, shown: bytes, within_s: float = 30.0) -> bytes:
    """What the terminal showed after the word came, which is waited for."""
    until_s = time.monotonic() + within_s
    while word not in shown:
        assert time.monotonic() < until_s, shown.decode(errors="replace")
        if select.select([master], [], [], 0.5)[0]:
            shown += os.read(master, 4_096)
    return shown.partition(word)[2]

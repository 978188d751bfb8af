"""A real microphone without hardware: a private PulseAudio server whose null sink is recorded.

PortAudio reaches it through ALSA's pulse plugin, as on any Linux desktop. What is fed into the
sink comes out of the microphone bit for bit, in real time.

    with VirtualMicrophone(rate_hz=16_000, channels=1) as microphone:
        listening = subprocess.Popen(["streamer", "run", "--json"], env=microphone.environment())
        microphone.feed(Path("speech.wav"))

Needs PulseAudio, its utilities and ALSA's plugins, but no session bus, no systemd and no root;
`missing()` says what is not there. Every instance has a directory and a server of its own, so
several may run at once, and the user's own sound server is left alone.
"""

import ctypes.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

import pytest

SINK = "virtual"
LOUDSPEAKER = "loudspeaker"
WAV_HEADER_BYTES = 44
PACKAGES = "libportaudio2 libasound2-plugins pulseaudio pulseaudio-utils"


class VirtualMicrophone:
    """rate_hz, channels: the format of the microphone, as the server sees it.

    The faults a microphone can have, each until its opposite is called:
    `unplug`/`plug` (the source is gone, the server stays), `stall`/`resume` (the source is there
    and delivers nothing), `freeze`/`thaw` (the server stands still and catches up),
    `kill`/`start` (the server is gone).
    """

    def __init__(self, rate_hz: int = 16_000, channels: int = 1, *, plugged: bool = True) -> None:
        # Not pytest's tmp_path: the path of a socket may have no more than 107 characters.
        self.directory = Path(tempfile.mkdtemp(prefix="streamer-mic-"))
        self._plugged = plugged
        self._sink = [
            "module-null-sink",
            f"sink_name={SINK}",
            "format=s16le",
            f"rate={rate_hz}",
            f"channels={channels}",
            "norewinds=1",
        ]
        self._server: subprocess.Popen[bytes] | None = None
        self._feeding: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "VirtualMicrophone":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def environment(self) -> dict[str, str]:
        """os.environ and what makes PortAudio, ALSA and PulseAudio find this server."""
        return {
            **os.environ,
            "HOME": str(self.directory),
            "PULSE_SERVER": f"unix:{self.directory / 'native'}",
            "PULSE_CLIENTCONFIG": str(self.directory / "client.conf"),
            "PULSE_RUNTIME_PATH": str(self.directory),
            "PULSE_STATE_PATH": str(self.directory),
            "XDG_RUNTIME_DIR": str(self.directory),
        }

    def start(self) -> None:
        """Starts the server, plugged in unless told otherwise; returns once it answers."""
        (self.directory / "native").unlink(missing_ok=True)
        (self.directory / "client.conf").write_text(
            f"autospawn = no\nenable-shm = no\ncookie-file = {self.directory / 'cookie'}\n"
        )
        script = self.directory / "server.pa"
        script.write_text(
            "load-module module-native-protocol-unix auth-anonymous=1 "
            f"socket={self.directory / 'native'}\n"
        )
        options = (
            "-n --daemonize=no --use-pid-file=no --exit-idle-time=-1 --disable-shm=yes "
            "--realtime=no --high-priority=no"
        )
        with (self.directory / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                ["pulseaudio", *options.split(), "-F", str(script)],
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline_s = time.monotonic() + 10
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > deadline_s:
                self.stop()
                raise RuntimeError("pulseaudio did not start")
            time.sleep(0.02)
        if self._plugged:
            self.plug()

    def feed(self, recording: Path, *, wait: bool = True) -> None:
        """Plays a WAV or FLAC file into the microphone; returns at its end, or at once."""
        feeding = subprocess.Popen(
            ["paplay", f"--device={SINK}", str(recording)], env=self.environment()
        )
        self._feeding.append(feeding)
        if wait:
            feeding.wait()

    def add_loudspeaker(self, gain_db: float = 0.0, delay_ms: int = 0) -> None:
        """What programs play, by default, is picked up by the microphone: so loud, so late."""
        self._control(
            "load-module", "module-null-sink", f"sink_name={LOUDSPEAKER}", "format=s16le",
            "rate=48000", "channels=1",
        )  # fmt: skip
        self._control("set-default-sink", LOUDSPEAKER)
        self._control(
            "load-module", "module-loopback", f"source={LOUDSPEAKER}.monitor", f"sink={SINK}",
            f"latency_msec={max(delay_ms, 1)}", "source_dont_move=true", "sink_dont_move=true",
        )  # fmt: skip
        self._control("set-sink-volume", LOUDSPEAKER, f"{gain_db:+.1f}dB")

    def play(self, recording: Path, *, wait: bool = True) -> None:
        """Plays a file on the loudspeaker, as a program does."""
        playing = subprocess.Popen(["paplay", str(recording)], env=self.environment())
        self._feeding.append(playing)
        if wait:
            playing.wait()

    @contextmanager
    def recorded(self, recording: Path) -> Iterator[None]:
        """What the microphone gives meanwhile, in a WAV file of 16 kHz: a witness.

        On a machine that stands still now and then, it is not what was fed: where the player
        comes late, the server fills in silence.
        """
        form = "--rate=16000 --channels=1 --format=s16le --file-format=wav"
        witness = subprocess.Popen(
            ["parecord", f"--device={SINK}.monitor", *form.split(), str(recording)],
            env=self.environment(),
        )
        deadline_s = time.monotonic() + 10
        while not (recording.exists() and recording.stat().st_size > WAV_HEADER_BYTES):
            assert time.monotonic() < deadline_s, "parecord did not start"
            time.sleep(0.02)
        try:
            yield
        finally:
            witness.send_signal(signal.SIGINT)
            witness.wait()

    def unplug(self) -> None:
        self._plugged = False
        self._control("unload-module", "module-null-sink")

    def plug(self) -> None:
        self._plugged = True
        self._control("load-module", *self._sink)
        self._control("set-default-source", f"{SINK}.monitor")

    def stall(self) -> None:
        self._control("suspend-sink", SINK, "1")

    def resume(self) -> None:
        self._control("suspend-sink", SINK, "0")

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """The server dies at once, as by SIGKILL."""
        self._signal(signal.SIGKILL)
        if self._server is not None:
            self._server.wait()

    def stop(self) -> None:
        """Ends the server and all that is being fed, and removes the directory."""
        for process in [*self._feeding, self._server]:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        self._feeding = []
        shutil.rmtree(self.directory, ignore_errors=True)

    def _answers(self) -> bool:
        if not (self.directory / "native").exists():
            return False
        answer = subprocess.run(
            ["pactl", "info"], env=self.environment(), capture_output=True, timeout=5, check=False
        )
        return answer.returncode == 0

    def _control(self, *arguments: str) -> None:
        subprocess.run(
            ["pactl", *arguments],
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            timeout=10,
            check=True,
        )

    def _signal(self, number: signal.Signals) -> None:
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(number)


def missing() -> str | None:
    """What a virtual microphone lacks here, and how to get it; None where it can run."""
    lacking = [
        tool for tool in ("pulseaudio", "pactl", "paplay", "parecord") if shutil.which(tool) is None
    ]
    if ctypes.util.find_library("portaudio") is None:
        lacking.append("the PortAudio library")
    if lacking:
        return f"no {', '.join(lacking)}: apt install {PACKAGES}"
    return None


needs_virtual_microphone = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture
def virtual_microphone() -> Iterator[VirtualMicrophone]:
    """One at 16 kHz, mono; the test is skipped where the sound server is not installed."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    with VirtualMicrophone() as microphone:
        yield microphone

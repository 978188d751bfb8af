"""Whether PortAudio starts on this machine, tried in a child process first.

PortAudio and the libraries below it end the process that initializes them where ALSA's
configuration is missing (an assertion fails, SIGABRT), and may wait for ever where an audio server
does. A child process that ends, or hangs, costs nothing but an error message.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any, Final

from streamer.audio.microphone.captured_stderr import telling_lines
from streamer.audio.microphone.portaudio_child import READY
from streamer.errors import AudioError

CHILD: Final = Path(__file__).with_name("portaudio_child.py")
PATIENCE_S: Final = 10.0
OTHER_INPUT: Final = "or use a recording: --input FILE"
_MOST_LINES: Final = 3
_CONFIGURED_BY: Final = ("ALSA_CONFIG_PATH", "ALSA_CONFIG_DIR")
_NO_CONFIGURATION: Final = re.compile(r"Cannot access file (\S+)")
_BROKEN_FILE: Final = re.compile(r"(\S+) may be old or corrupted")


class Probe:
    """Starts a child process that initializes PortAudio; `check` waits for it.

    Only where ALSA is, on Linux: elsewhere, and where no child can be started, nothing is probed.

    environment: of the child, this process's where it is None. patience_s: how long `check` waits.
    """

    def __init__(
        self, environment: dict[str, str] | None = None, patience_s: float = PATIENCE_S
    ) -> None:
        self._environment = dict(os.environ) if environment is None else environment
        self._patience_s = patience_s
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115  # a pipe could fill up
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        if sys.platform != "linux" or not sys.executable:
            return
        try:
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-S", str(CHILD)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._messages,
                env=self._environment,
            )
        except OSError:  # no process, memory or file is left for it
            return

    def check(self) -> None:
        """Raises AudioError where initializing PortAudio ends the process, hangs, or fails."""
        with self._lock:
            child, self._child = self._child, None
            if child is None:
                return
            try:
                self._judge(child)
            except AudioError:
                begin.cache_clear()  # the next attempt may find it mended
                raise

    def _judge(self, child: subprocess.Popen[bytes]) -> None:
        try:
            told, _ = child.communicate(timeout=self._patience_s)
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            raise AudioError(
                f"the audio system has not answered for {self._patience_s:.0f} s; "
                f"restart it (PulseAudio, PipeWire or JACK), {OTHER_INPUT}"
            ) from None
        lines = self._lines()
        ready, *outcome = told.splitlines() or [b""]
        if ready.decode(errors="replace") != READY:
            return  # the child itself could not start, which tells nothing of PortAudio
        if child.returncode or not outcome:
            self._fail(f"PortAudio ends the process that starts it, {_ended(child)}", lines)
        result: dict[str, Any] = json.loads(outcome[0])
        if result.get("error"):
            self._fail(f"PortAudio cannot start: {result['text']}", lines)

    def _fail(self, what: str, lines: list[str]) -> None:
        said = f" ({'; '.join(lines[-_MOST_LINES:])})" if lines else ""
        raise AudioError(f"{what}{said}: {remedy(lines, self._environment)}, {OTHER_INPUT}")

    def _lines(self) -> list[str]:
        with self._messages as messages:
            messages.seek(0)
            return telling_lines(messages.read().decode(errors="replace"))


@cache
def begin() -> Probe:
    """The probe of this process, started at the first call: the earlier, the less it is waited for.

    What was once found to start is not probed again in this process; what was not, is.
    """
    return Probe()


def remedy(lines: list[str], environment: dict[str, str]) -> str:
    """What to do about the messages of ALSA and PortAudio."""
    text = "\n".join(lines)
    if missing := _NO_CONFIGURATION.search(text):
        chosen = next(
            (v for v in ("ALSA_CONFIG_PATH", "ALSA_CONFIG_DIR") if environment.get(v)), ""
        )
        if chosen:
            return f"{chosen} names {missing[1]}, which does not exist: unset it, or correct it"
        return "ALSA's configuration is not installed: sudo apt install --reinstall libasound2-data"
    if broken := _BROKEN_FILE.search(text):
        return f"repair {broken[1]}, or move it away"
    return "see what `streamer doctor` says, restart the sound server"


def _ended(child: subprocess.Popen[bytes]) -> str:
    if child.returncode < 0:
        return f"by signal {signal.Signals(-child.returncode).name}"
    return f"with code {child.returncode}"

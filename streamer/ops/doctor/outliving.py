"""Examinations in processes of their own, so that the doctor outlives what it looks at.

PortAudio aborts where ALSA is not configured, and onnxruntime on a processor without the
instructions that it was built for: either would end the doctor before it can tell.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, Literal

from streamer.config import Config
from streamer.errors import AudioError, EncoderError, StreamerError
from streamer.ops.doctor import encoders, sound
from streamer.ops.doctor.finding import Finding, fail
from streamer.system import module_command

Part = Literal["sound", "encoders"]

# The settings that the parts read.
_SETTINGS: Final = {"device", "channel", "encoder", "models", "threads"}
_LONGEST_S: Final = 120.0
_EXAMINED: Final[Mapping[Part, Callable[[Config], Iterator[Finding]]]] = MappingProxyType(
    {
        "sound": lambda config: sound.examine(config.device, config.channel),
        "encoders": encoders.examine,
    }
)
_FAILED: Final[Mapping[Part, tuple[str, type[StreamerError], str]]] = MappingProxyType(
    {
        "sound": ("PortAudio", AudioError, "restart the sound server, or use recordings: --input"),
        "encoders": (
            "onnxruntime",
            EncoderError,
            "python -m pip install --force-reinstall onnxruntime",
        ),
    }
)


def examined_apart(part: Part, config: Config, longest_s: float = _LONGEST_S) -> Iterator[Finding]:
    """The findings of one part as they come; if its process ends or hangs, that is the last one."""
    with tempfile.TemporaryFile() as messages:
        child = subprocess.Popen(
            module_command("streamer.ops.doctor.outliving", part),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=messages,
            text=True,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        late = threading.Timer(longest_s, child.kill)
        late.start()
        try:
            with child.stdin as settings:
                json.dump(config.model_dump(include=_SETTINGS), settings, default=str)
            for line in child.stdout:
                yield Finding(**json.loads(line))
            child.wait()
        finally:
            hung = not late.is_alive()
            late.cancel()
            child.kill()
            child.wait()
            child.stdout.close()
        if child.returncode:
            messages.seek(0)
            yield _failure(part, child.returncode, hung, messages.read().decode(errors="replace"))


def _failure(part: Part, code: int, hung: bool, messages: str) -> Finding:
    check, kind, remedy = _FAILED[part]
    lines = messages.strip().splitlines()
    said = f" ({lines[-1].strip()})" if lines else ""
    if hung:
        how = "does not answer"
    elif code < 0:
        how = f"ends the process that loads it, by signal {signal.Signals(-code).name}"
    else:
        how = f"ends the process that loads it, with code {code}"
    return fail(check, kind(f"{check} {how}{said}"), remedy)


def main() -> None:
    """The child: settings on standard input, one finding a line on standard output."""
    from dataclasses import asdict

    config = Config.load(None, **json.load(sys.stdin))
    part: Part = "sound" if sys.argv[1] == "sound" else "encoders"
    for finding in _EXAMINED[part](config):
        print(json.dumps(asdict(finding)), flush=True)
    os._exit(0)  # PortAudio's handler at exit may wait for a server for ever


if __name__ == "__main__":
    main()

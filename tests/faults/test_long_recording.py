"""Ten hours in one file, with less memory than they take."""

import json
import resource
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from streamer.testing import synthetic_session
from streamer.types import SAMPLE_RATE_HZ
from tests.support import balance

HOURS = 10
# As 32 bit floats they would take 2.3 GB.
MOST_BYTES = 1_000_000_000


def long_recording(path: Path, hours: float) -> int:
    """A WAV of silence, some minutes of speech at its start, middle and end; how many samples.

    The silence takes no room on the disk.
    """
    audio, _ = synthetic_session(np.random.default_rng(3), 12)
    speech = (audio * 32767).astype("<i2").tobytes()
    size = round(hours * 3600 * SAMPLE_RATE_HZ) * 2
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", size + 36, b"WAVE", b"fmt ", 16, 1, 1,
                       SAMPLE_RATE_HZ, 2 * SAMPLE_RATE_HZ, 2, 16, b"data", size)  # fmt: skip
    with path.open("wb") as file:
        file.write(head)
        for at in (0, size // 4 * 2, size - len(speech)):
            file.seek(len(head) + at)
            file.write(speech)
    return size // 2


@pytest.mark.hours
def test_it_is_heard_whole_with_little_memory(
    tmp_path: Path, streamer_environment: dict[str, str]
) -> None:
    samples = long_recording(tmp_path / "day.wav", HOURS)
    done = subprocess.run(
        [sys.executable, "-m", "streamer", "run", "--json", "--input", tmp_path / "day.wav"],
        env=streamer_environment,
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES)),
    )
    assert done.returncode == 0, done.stderr[-1000:]
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert balance(events[-1]) == 0
    assert events[-1]["captured_samples"] == samples
    assert sum(event["event"] == "utterance" for event in events) >= 36

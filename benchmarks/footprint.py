"""What the loop takes while it runs: memory and processor, idle and busy; disk per utterance.

    python -m benchmarks.footprint [--seconds 30] [--out FILE.json]

At the pace of a microphone, pinned to one core where the system can. Idle: a quiet room. Busy:
people who speak in turns. Linux only. `scripts/footprint.sh` measures the installation.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.loop import RESULTS, STREAMER, machine, pin, run
from streamer.testing import synthetic_session
from streamer.types import SAMPLE_RATE_HZ, Samples

UTTERANCES = 120
START_S = 6.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=30.0, help="to watch each run")
    parser.add_argument("--out", type=Path, default=RESULTS / "footprint.json")
    options = parser.parse_args()
    pin()
    rng = np.random.default_rng(0)
    speech, _ = synthetic_session(rng, UTTERANCES)
    quiet = (10 ** (-60 / 20) * rng.standard_normal(len(speech))).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures: dict[str, Any] = {
            "command": f"python -m benchmarks.footprint --seconds {options.seconds:g}",
            "machine": machine(),
            "idle": watched(quiet, folder / "idle", options.seconds),
            "busy": watched(speech, folder / "busy", options.seconds),
            "disk": {
                privacy: disk(speech, folder / privacy, privacy)
                for privacy in ("clips", "embeddings")
            },
        }
    text = json.dumps(figures, indent=2)
    options.out.write_text(text + "\n")
    print(text)


def watched(sound: Samples, folder: Path, seconds: float) -> dict[str, float]:
    """Peak memory, and the share of a core once the loop has begun.

    That is what `seconds` more of sound take in processor time, so a machine that does other work
    beside tells the same.
    """
    recording = written(sound, folder)
    cpu_s, heard_s, utterances = [], [], 0
    for length_s in (START_S, START_S + seconds):
        words = [
            "--realtime",
            "--no-web",
            "--input",
            str(recording),
            "--max-seconds",
            f"{length_s}",
        ]
        events, _, used_s, _ = run(words, folder / f"profile{length_s}")
        cpu_s.append(used_s)
        heard_s.append(events[-1]["audio_s"])
        utterances = events[-1]["utterances"]
    return {
        "peak_resident_mb": peak_mb(words, folder / "memory"),
        "core_share": (cpu_s[1] - cpu_s[0]) / (heard_s[1] - heard_s[0]),
        "utterances": utterances,
    }


def peak_mb(words: list[str], profile: Path) -> float:
    """As /proc tells it while it runs; what is told after its end is this process's too."""
    whole = [*STREAMER, "run", "--json", "--profile", str(profile), *words]
    process = subprocess.Popen(whole, stdout=subprocess.DEVNULL)
    peak_kb = 0
    while process.poll() is None:
        with suppress(OSError, AttributeError):
            told = Path(f"/proc/{process.pid}/status").read_text()
            peak_kb = int(re.search(r"VmHWM:\s+(\d+)", told).group(1))
        time.sleep(0.1)
    return peak_kb / 1e3


def disk(sound: Samples, folder: Path, privacy: str) -> dict[str, float]:
    """What a second hearing of the same adds: the first also makes the tables."""
    recording = written(sound, folder)
    os.environ["STREAMER_PRIVACY"] = privacy
    sizes, counts = [], []
    for _ in range(2):
        events, *_ = run(["--no-web", "--input", str(recording)], folder / "profile")
        counts.append(events[-1]["utterances"])
        sizes.append(sum(file.stat().st_size for file in (folder / "profile").iterdir()))
    return {
        "utterances": counts[1],
        "mb_per_1000_utterances": (sizes[1] - sizes[0]) / counts[1] / 1e3,
    }


def written(sound: Samples, folder: Path) -> Path:
    folder.mkdir()
    soundfile.write(folder / "sound.wav", sound, SAMPLE_RATE_HZ)
    return folder / "sound.wav"


if __name__ == "__main__":
    main()

"""The whole loop, measured: speed on a file, cost of silence, memory, start-up.

    python -m benchmarks.loop [--minutes 20] [--input FILE] [--out FILE.json]

Everything runs as a user runs it, in processes of its own, pinned to one core where the system
can. Speech is synthetic and made here, so the figures can be had anywhere; quote the medians.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from streamer import __version__
from streamer.testing import synthetic_session

ROUNDS = 5
RESULTS = Path(__file__).parent / "results"
STREAMER = [sys.executable, "-m", "streamer"]


def machine() -> dict[str, Any]:
    name = platform.processor() or platform.machine()
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
        name = found.group(1) if found else name
    except OSError:
        pass
    return {
        "cpu": name,
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
        "streamer": __version__,
    }


def pin() -> None:
    """This process, and those that it starts, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def run(words: list[str], folder: Path) -> tuple[list[dict[str, Any]], float, float, int]:
    """Events, wall seconds, CPU seconds and peak resident bytes of one `streamer run --json`."""
    begun_s = time.perf_counter()
    process = subprocess.Popen(
        [*STREAMER, "run", "--json", "--profile", str(folder), *words], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, code, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begun_s
    if code:
        raise SystemExit(f"streamer run {' '.join(words)} failed")
    events = [json.loads(line) for line in output.splitlines()]
    return events, wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def speed(recording: Path, folder: Path) -> dict[str, Any]:
    rows = []
    for number in range(ROUNDS):
        events, wall_s, cpu_s, peak = run(["--input", str(recording)], folder / f"speed{number}")
        end = events[-1]
        latencies = [e["latency_ms"] for e in events if e["event"] == "utterance"]
        rows.append((end["audio_s"], 1 / end["realtime_factor"], wall_s, cpu_s, peak, latencies))
    return {
        "audio_s": rows[0][0],
        "times_real_time_loop": statistics.median(row[1] for row in rows),
        "times_real_time_whole_process": statistics.median(row[0] / row[2] for row in rows),
        "cpu_s": statistics.median(row[3] for row in rows),
        "peak_resident_mb": max(row[4] for row in rows) / 1e6,
        "latency_ms_median": statistics.median(ms for row in rows for ms in row[5]),
        "latency_ms_p99": float(np.quantile([ms for row in rows for ms in row[5]], 0.99)),
    }


def memory(recording: Path, folder: Path, minutes: float) -> dict[str, Any]:
    """Peak memory over a short and a long recording: it must not grow with the length."""
    audio, rate_hz = soundfile.read(recording, dtype="float32")
    repeats = max(2, round(minutes * 60 * rate_hz / len(audio)))
    long = folder / "long.wav"
    with soundfile.SoundFile(long, "w", rate_hz, 1, "PCM_16") as file:
        for _ in range(repeats):
            file.write(audio)
    short_peak = run(["--input", str(recording)], folder / "short")[3]
    events, _, _, long_peak = run(["--input", str(long)], folder / "long")
    return {
        "short_s": len(audio) / rate_hz,
        "long_s": events[-1]["audio_s"],
        "short_peak_mb": short_peak / 1e6,
        "long_peak_mb": long_peak / 1e6,
    }


def silence(folder: Path) -> dict[str, Any]:
    """CPU share of a core while nobody speaks, at the pace of a microphone."""
    recording = folder / "silence.wav"
    noise = np.random.default_rng(0).standard_normal(16_000 * 30) * 10 ** (-60 / 20)
    soundfile.write(recording, noise, 16_000)
    words = ["--input", str(recording), "--realtime", "--max-seconds"]
    _, _, short_s, _ = run([*words, "5"], folder / "quiet")
    _, _, long_s, _ = run([*words, "30"], folder / "quiet")
    return {"core_share": (long_s - short_s) / 25.0}


def start_up(recording: Path, folder: Path) -> dict[str, Any]:
    helps, listens = [], []
    for _ in range(ROUNDS):
        begun_s = time.perf_counter()
        subprocess.run([*STREAMER, "--help"], stdout=subprocess.DEVNULL, check=True)
        helps.append(time.perf_counter() - begun_s)
        begun_s = time.perf_counter()
        words = ["run", "--json", "--input", str(recording), "--profile", str(folder / "start")]
        with subprocess.Popen([*STREAMER, *words], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            listens.append(time.perf_counter() - begun_s)
            process.kill()
    return {
        "help_s": statistics.median(helps),
        "listening_s": statistics.median(listens),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=20.0, help="length of the long recording")
    parser.add_argument("--input", type=Path, help="measure the speed on this recording instead")
    parser.add_argument("--out", type=Path, default=RESULTS / "loop.json")
    options = parser.parse_args()
    pin()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recording = options.input
        if recording is None:
            recording = folder / "session.wav"
            audio, _ = synthetic_session(np.random.default_rng(0), 48, 48_000)
            soundfile.write(recording, audio, 48_000)
        figures = {"machine": machine()}
        figures["speed"] = speed(recording, folder)
        figures["start_up"] = start_up(recording, folder)
        figures["silence"] = silence(folder)
        figures["memory"] = memory(recording, folder, options.minutes)
    text = json.dumps(figures, indent=2)
    options.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()

"""How long it takes until Streamer is imported, shows its help, and listens; and with what memory.

    python -m benchmarks.startup [--tree FOLDER ...] [--times 9] [--out FILE.json]

Each tree is a checkout to measure, by default this one; several take turns within one run, so
that they meet the same machine. Medians, in seconds; memory in MB, one second after `start`.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import soundfile

from benchmarks.loop import machine

HERE = Path(__file__).resolve().parent.parent
RATE_HZ = 16_000


def ends_after(words: list[str], tree: Path) -> float:
    """Seconds until a Python with these words ends."""
    begun_s = time.perf_counter()
    subprocess.run(
        [sys.executable, *words], env={**os.environ, "PYTHONPATH": str(tree)}, check=True,
        stdout=subprocess.DEVNULL, cwd=tempfile.gettempdir(),
    )  # fmt: skip
    return time.perf_counter() - begun_s


def listens_after(tree: Path, recording: Path, profile: Path) -> tuple[float, float]:
    """Seconds until `run` tells its start; megabytes that it has a second later."""
    begun_s = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", "run", "--json", "--no-web", "--realtime",
         "--profile", str(profile), "--input", str(recording)],
        env={**os.environ, "PYTHONPATH": str(tree)}, cwd=tempfile.gettempdir(),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        assert '"start"' in process.stdout.readline()
        taken_s = time.perf_counter() - begun_s
        time.sleep(1.0)
        return taken_s, psutil.Process(process.pid).memory_info().rss / 1e6
    finally:
        process.kill()
        process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree", type=Path, action="append")
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    trees = [tree.resolve() for tree in chosen.tree or [HERE]]
    found: dict[Path, dict[str, list[float]]] = {tree: {} for tree in trees}
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as place:
        recording = Path(place) / "quiet.wav"
        noise = 0.001 * np.random.default_rng(0).normal(size=60 * RATE_HZ)
        soundfile.write(recording, noise, RATE_HZ)
        for turn in range(chosen.times):
            for tree, measured in found.items():
                listening_s, memory_mb = listens_after(
                    tree, recording, Path(place) / f"{tree.name}{turn}"
                )
                for name, value in {
                    "python_s": ends_after(["-c", "pass"], tree),
                    "import_s": ends_after(["-c", "import streamer"], tree),
                    "help_s": ends_after(["-m", "streamer", "--help"], tree),
                    "listening_s": listening_s,
                    "memory_mb": memory_mb,
                }.items():
                    measured.setdefault(name, []).append(value)
    medians = {
        tree.name: {name: round(statistics.median(values), 3) for name, values in measured.items()}
        for tree, measured in found.items()
    }
    text = json.dumps({"machine": machine(), "trees": medians}, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

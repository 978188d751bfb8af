"""How fast `streamer table` is: one process, two processes, two Dask workers, in one run.

    python -m benchmarks.table SPEECH [--clips 600] [--rounds 3] [--opensmile PYTHON] [--out FILE]

SPEECH: packed corpora (`clips.csv` with one Ogg Opus file a corpus). A seeded sample of clips of
all corpora is exported as WAV files, at 16 kHz and mono. Each round makes the whole table in each
way, in turn, and compares its rows with those of one process. Shown is the wall time of the whole
command, and what is left of it without that of an empty one of its kind (processes that start, load
the encoder and end), the medians over rounds.

PYTHON: the interpreter of an environment with `opensmile`, which is no dependency; its eGeMAPSv02
functionals of the same files by one process are for scale.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.loop import RESULTS, machine
from streamer.training.data.speech import RATE_HZ, read_clips, read_rows

WAYS = {
    "one process": ["--jobs", "1"],
    "two processes": ["--jobs", "2"],
    "two Dask workers": ["--jobs", "2", "--cluster", "local"],
}
_SMILE = """
import sys, time, opensmile
smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
files = sys.stdin.read().split("\\n")
smile.process_file(files[0])
begun = time.monotonic()
for file in files:
    smile.process_file(file)
print(time.monotonic() - begun)
"""


def export(speech: Path, folder: Path, count: int) -> float:
    """Write so many clips of all corpora, drawn by a fixed seed; their seconds."""
    rows = read_rows(speech)
    drawn = set(np.random.default_rng(0).choice(len(rows), count, replace=False).tolist())
    chosen = {(rows[i].corpus, rows[i].name) for i in drawn}
    seconds = 0.0
    for clip, audio in read_clips(speech):
        if (clip.corpus, clip.name) in chosen:
            name = f"{clip.corpus}-{clip.name.replace('/', '_')}.wav"
            soundfile.write(folder / name, audio, RATE_HZ)
            seconds += len(audio) / RATE_HZ
    return seconds


def make(folder: Path, flags: list[str], out: Path, home: Path) -> float:
    """Seconds of one command."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "streamer", "table", folder, "--out", out, *flags],
        env={**os.environ, "STREAMER_HOME": str(home), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode not in (0, 3):  # 3: some clip holds nothing
        raise RuntimeError(done.stderr)
    return time.monotonic() - begun


def opensmile(python: str, folder: Path) -> float:
    files = "\n".join(map(str, sorted(folder.glob("*.wav"))))
    done = subprocess.run(
        [python, "-c", _SMILE], input=files, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def measure(speech: Path, count: int, rounds: int, python: str | None) -> dict[str, Any]:
    found: dict[str, Any] = {"clips": count, "rounds": rounds, "load_before": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        folder, few = home / "speech", home / "few"
        folder.mkdir()
        few.mkdir()
        found["audio_s"] = export(speech, folder, count)
        for path in sorted(folder.glob("*.wav"))[:2]:  # as many as there are processes
            (few / path.name).write_bytes(path.read_bytes())
        seconds: dict[str, list[float]] = {name: [] for name in WAYS}
        starts: dict[str, list[float]] = {name: [] for name in WAYS}
        smile: list[float] = []
        for _ in range(rounds):
            tables = []
            for name, flags in WAYS.items():
                starts[name].append(make(few, flags, home / "few.jsonl", home))
                out = home / "rows.jsonl"
                seconds[name].append(make(folder, flags, out, home))
                tables.append(out.read_bytes())
                print(json.dumps({name: seconds[name][-1], "start": starts[name][-1]}), flush=True)
            found["same_rows"] = found.get("same_rows", True) and len(set(tables)) == 1
            found["utterances"] = tables[0].count(b"\n")
            if python:
                smile.append(opensmile(python, folder))
        for name in WAYS:
            whole = float(np.median(seconds[name]))
            rest = float(np.median(np.subtract(seconds[name], starts[name])))
            found[name] = {
                "seconds": round(whole, 2),
                "utterances_a_second": round(found["utterances"] / whole, 1),
                "without_start": round(found["utterances"] / rest, 1),
                "times_one_process": round(
                    float(np.median(np.divide(seconds["one process"], seconds[name]))), 2
                ),
                "times_without_start": round(
                    float(
                        np.median(
                            np.subtract(seconds["one process"], starts["one process"])
                            / np.subtract(seconds[name], starts[name])
                        )
                    ),
                    2,
                ),
            }
        found["files_a_second_one_process"] = round(count / float(np.median(np.subtract(
            seconds["one process"], starts["one process"]))), 1)  # fmt: skip
        if smile:
            found["opensmile_files_a_second"] = round(count / float(np.median(smile)), 1)
    found["load_after"] = os.getloadavg()[0]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("speech", type=Path)
    parser.add_argument("--clips", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--opensmile", metavar="PYTHON")
    parser.add_argument("--out", type=Path, default=RESULTS / "table.json")
    options = parser.parse_args()
    found = {"machine": machine()} | measure(
        options.speech, options.clips, options.rounds, options.opensmile
    )
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

"""Bytes that mean no good, for as long as one likes, guided by what they reach.

    python -m benchmarks.fuzz [--minutes 2] [--target NAME]

Needs atheris (`pip install atheris`). Every target of `tests/fuzz/targets.py` is fed in a process
of its own; anything but a StreamerError is a crash, kept in tests/fuzz/crashes/TARGET as a file
that the tests try for ever after.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.loop import RESULTS, machine

CRASHES = Path(__file__).parent.parent / "tests" / "fuzz" / "crashes"
LONGEST = 8192


def feed(name: str, minutes: float) -> None:
    """In a process of its own: never returns."""
    import atheris

    with atheris.instrument_imports(include=["streamer"]):
        from tests.fuzz import targets

    crashes = CRASHES / name
    crashes.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(targets.seeds(name)):
            (corpus / str(number)).write_bytes(seed)

        def one(content: bytes) -> None:
            with tempfile.TemporaryDirectory(dir=place) as folder:
                targets.try_one(name, content, Path(folder))

        words = [f"-max_total_time={round(minutes * 60)}", f"-max_len={LONGEST}", "-timeout=30"]
        words += [f"-artifact_prefix={crashes}/", "-print_final_stats=1", "-rss_limit_mb=4096"]
        atheris.Setup([sys.argv[0], *words, str(corpus)], one)
        atheris.Fuzz()


def run(name: str, minutes: float) -> dict[str, Any]:
    known = set((CRASHES / name).glob("*"))
    command = [sys.executable, "-m", "benchmarks.fuzz", "--feed", name, "--minutes", str(minutes)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    found = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    covered = re.findall(r"cov: (\d+)", done.stderr)
    new = sorted(path.name for path in set((CRASHES / name).glob("*")) - known)
    if done.returncode and not new:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    if new:
        print(done.stderr[-3000:], file=sys.stderr)
    return {
        "inputs": int(found[1]) if found else None,
        "coverage": int(covered[-1]) if covered else None,
        "crashes": new,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=2.0, help="for each target")
    parser.add_argument("--target", action="append")
    parser.add_argument("--feed", help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, default=RESULTS / "fuzz.json")
    options = parser.parse_args()
    if options.feed:
        feed(options.feed, options.minutes)
    from tests.fuzz.targets import TARGETS

    figures: dict[str, Any] = {"machine": machine(), "minutes_each": options.minutes, "targets": {}}
    for name in options.target or TARGETS:
        figures["targets"][name] = run(name, options.minutes)
        print(name, figures["targets"][name], flush=True)
        options.out.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()

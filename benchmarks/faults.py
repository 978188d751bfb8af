"""Faults in numbers: power cuts, bits that flip, a storm of labels on a session that listens.

    python -m benchmarks.faults [--cuts 10] [--flips 300] [--labels 10000]

The tests in tests/faults try each kind a few times; this tries many. Stops at the first loss.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.loop import RESULTS, STREAMER, machine
from streamer.encoders.onnx import OnnxEncoder
from streamer.encoders.registry import find_encoder
from streamer.errors import EncoderError
from streamer.store.profile import Profile
from streamer.testing import synthetic_session
from tests.faults.test_power_cut import cut_everywhere
from tests.kill_process import check_state
from tests.support import balance, events_of, named


def power_cuts(rounds: int) -> int:
    tried = 0
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            tried += cut_everywhere(Path(name), np.random.default_rng(number))[0]
    return tried


def bit_flips(count: int) -> int:
    rng, shipped = np.random.default_rng(0), find_encoder()
    with tempfile.TemporaryDirectory() as name:
        row = replace(shipped, folder=Path(name))
        shutil.copy(shipped.path, row.path)
        sound = row.path.read_bytes()
        for at in rng.integers(0, len(sound), count).tolist():
            flipped = bytearray(sound)
            flipped[at] ^= 1 << int(rng.integers(8))
            row.path.write_bytes(flipped)
            try:
                OnnxEncoder(row)
            except EncoderError:
                continue
            raise SystemExit(f"a flipped bit in byte {at} was not noticed")
    return count


def label_storm(count: int) -> dict[str, Any]:
    """While a session plays at its pace, so many people label its first utterances at once."""
    with tempfile.TemporaryDirectory() as name:
        recording, folder = Path(name) / "session.wav", Path(name) / "profile"
        audio, _ = synthetic_session(np.random.default_rng(3), 40)
        soundfile.write(recording, audio, 16_000)
        words = ["run", "--json", "--realtime", "--buffer", "2", "--input", str(recording)]
        process = subprocess.Popen(
            [*STREAMER, *words, "--profile", str(folder)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        output = ""
        while '"selection"' not in (line := process.stdout.readline()):
            output += line
        output += line
        labels = Path(name) / "labels.csv"
        rows = "\n".join(f"{n % 2 + 1},{np.sin(n):.3f},{np.cos(n):.3f},p{n}" for n in range(count))
        labels.write_text("utterance,valence,arousal,annotator\n" + rows + "\n")
        begun_s = time.monotonic()
        subprocess.run(
            [*STREAMER, "label", "--import", str(labels), "--profile", str(folder)], check=True
        )
        stored_s = time.monotonic() - begun_s
        output += process.stdout.read()
        if process.wait():
            raise SystemExit("the listening session failed")
        events = events_of(output)
        profile = Profile(folder)
        given = profile.labels.count()
        profile.close()
        heard = [event["id"] for event in named(events, "utterance")]
        check_state(folder, heard, list(range(1, count + 1)))
        end = events[-1]
        if balance(end) or end["dropped_samples"] or given != count:
            raise SystemExit(f"lost: {end}, {given} labels of {count}")
        return {
            "labels": count,
            "stored_in_s": round(stored_s, 1),
            "learned_while_listening": len(named(events, "learned")),
            "utterances": len(heard),
            "dropped_samples": end["dropped_samples"],
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--cuts", type=int, default=10, help="rounds of about a hundred")
    parser.add_argument("--flips", type=int, default=300)
    parser.add_argument("--labels", type=int, default=10_000)
    options = parser.parse_args()
    figures = {
        "machine": machine(),
        "power_cuts": power_cuts(options.cuts),
        "bit_flips_noticed": bit_flips(options.flips),
        "label_storm": label_storm(options.labels),
    }
    (RESULTS / "faults.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

"""Does labelling one half of a recorded session improve the predictions on the other half?

    python -m benchmarks.half_labelled RECORDING TRUTH.csv

TRUTH.csv has onset_s, offset_s and emotion of each utterance. The recording is heard in a new
profile; then the utterances of its first half are labelled with the affective norms of their
emotions, as a person would; then it is heard again. CCC of the second half, before and after.
The shipped prior was fitted on labels of this recording's corpus too. What labels do alone shows
with STREAMER_MODELS=FOLDER STREAMER_ENCODER=NAME, a copy of the encoder whose row names no prior.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loop import RESULTS, STREAMER, machine
from streamer.learners.affective_norms import affective_norm
from streamer.learners.metrics import concordance_cc

NAMES = ("valence", "arousal")
SAME_NORM = {"calm": "neutral"}


def hear(recording: Path, profile: Path) -> list[dict[str, Any]]:
    words = ["run", "--json", "--again", "--input", str(recording), "--profile", str(profile)]
    done = subprocess.run([*STREAMER, *words], stdout=subprocess.PIPE, check=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return [event for event in events if event["event"] == "utterance"]


def norm_of(event: dict[str, Any], truth: list[dict[str, str]]) -> tuple[float, float, float]:
    middle_s = (event["onset_s"] + event["offset_s"]) / 2
    nearest = min(
        truth, key=lambda row: abs(float(row["onset_s"]) + float(row["offset_s"]) - 2 * middle_s)
    )
    norm = affective_norm(SAME_NORM.get(nearest["emotion"], nearest["emotion"]))
    if norm is None:
        raise SystemExit(f"no affective norm of {nearest['emotion']!r}")
    return norm


def scores(events: list[dict[str, Any]], truth: list[dict[str, str]]) -> dict[str, float | None]:
    later = events[len(events) // 2 :]
    norms = np.array([norm_of(event, truth) for event in later])
    means = np.array([[event[name]["mean"] for name in NAMES] for event in later])
    return {name: concordance_cc(means[:, k], norms[:, k]) for k, name in enumerate(NAMES)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("recording", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--out", type=Path, default=RESULTS / "half_labelled.json")
    options = parser.parse_args()
    with options.truth.open(newline="") as file:
        truth = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as name:
        profile, answers = Path(name) / "profile", Path(name) / "answers.csv"
        events = hear(options.recording, profile)
        before = scores(events, truth)
        labelled = events[: len(events) // 2]
        with answers.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["utterance", "valence", "arousal", "dominance"])
            for event in labelled:
                writer.writerow([event["id"], *norm_of(event, truth)])
        words = ["label", "--import", str(answers), "--profile", str(profile)]
        subprocess.run([*STREAMER, *words], check=True, stderr=sys.stdout)
        after = scores(hear(options.recording, profile), truth)
    figures = {
        "machine": machine(),
        "recording": options.recording.name,
        "labels": len(labelled),
        "ccc_before": before,
        "ccc_after": after,
    }
    options.out.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

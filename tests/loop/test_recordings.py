"""The loop on real recordings, where ../shared/data has them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from streamer.learners.affective_norms import affective_norm
from streamer.learners.metrics import concordance_cc
from tests.conftest import Streamer
from tests.support import balance, events_of, named


def test_every_recording_is_accounted_for(shared_wav: Path, streamer: Streamer) -> None:
    import soundfile

    done = streamer("run", "--input", shared_wav, "--json")
    assert done.returncode == 0, done.stderr
    events = events_of(done.stdout)
    recordings = [p for p in shared_wav.iterdir() if p.suffix in (".wav", ".flac")]
    rates = {soundfile.info(path).samplerate for path in recordings}
    assert {8_000, 48_000} <= rates
    end = events[-1]
    assert end["captured_samples"] == sum(soundfile.info(path).frames for path in recordings)
    assert end["dropped_samples"] == {}
    assert balance(end) == 0
    assert {event["source"] for event in named(events, "utterance")} <= {p.name for p in recordings}


@pytest.mark.parametrize("name", ["fsdd_2_lucas_3.wav", "ravdess_03-01-02-01-01-01-14.wav"])
def test_a_single_recording_is_accounted_for(
    shared_wav: Path, streamer: Streamer, name: str
) -> None:
    import soundfile

    end = events_of(streamer("run", "--input", shared_wav / name, "--json").stdout)[-1]
    assert end["captured_samples"] == soundfile.info(shared_wav / name).frames
    assert end["dropped_samples"] == {}
    assert balance(end) == 0


@pytest.mark.long
def test_labels_of_one_half_improve_arousal_on_the_other(
    shared_wav: Path, streamer: Streamer, tmp_path: Path
) -> None:
    recording = shared_wav / "session_48k.flac"
    with (shared_wav / "session_48k.csv").open(newline="") as file:
        truth = list(csv.DictReader(file))
    middle_s = (float(truth[27]["offset_s"]) + float(truth[28]["onset_s"])) / 2

    def arousal_of(event: dict) -> float:
        middle = (event["onset_s"] + event["offset_s"]) / 2
        row = min(truth, key=lambda r: abs(float(r["onset_s"]) + float(r["offset_s"]) - 2 * middle))
        norm = affective_norm("neutral" if row["emotion"] == "calm" else row["emotion"])
        assert norm is not None
        return norm[1]

    def hear() -> tuple[list[dict], float]:
        events = named(
            events_of(streamer("run", "--again", "--input", recording, "--json").stdout),
            "utterance",
        )
        later = [event for event in events if event["onset_s"] > middle_s]
        means = np.array([event["arousal"]["mean"] for event in later])
        score = concordance_cc(means, np.array([arousal_of(event) for event in later]))
        assert score is not None
        return events, score

    events, before = hear()
    lines = ["utterance,valence,arousal"]
    for event in events:
        if event["onset_s"] < middle_s:
            lines.append(f"{event['id']},0,{arousal_of(event)}")
    answers = tmp_path / "half.csv"
    answers.write_text("\n".join(lines))
    assert streamer("label", "--import", answers).returncode == 0
    _, after = hear()
    assert json.loads(streamer("status", "--json").stdout)["labels"]["learned"] == len(lines) - 1
    assert after > before, f"arousal CCC {before:.2f} before, {after:.2f} after"

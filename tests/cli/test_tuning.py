"""`streamer tune` and `run --keep-for-tuning` as a user meets them."""

import csv
import json
import os

import numpy as np
import pytest
import soundfile

from streamer.testing import synthetic_session
from tests.training.synthetic_clips import voice

TEN_MINUTES = 31  # files of 20 s


@pytest.fixture
def answered(streamer, tmp_path):
    """A profile that kept the audio of 24 answered utterances, and only of those."""
    pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")
    pytest.importorskip("onnx", reason="the extra 'train' (onnx) is not installed")
    audio, _ = synthetic_session(np.random.default_rng(5), 24)
    soundfile.write(tmp_path / "session.wav", audio, 16_000)
    run = streamer("run", "--input", "session.wav", "--keep", "1", "--keep-for-tuning", "--no-web")
    assert run.returncode == 0, run.stderr
    rows = [json.loads(line) for line in streamer("queue", "--json").stdout.splitlines()]
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["utterance", "valence", "arousal", "emotion"])
        for number in sorted(row["utterance"] for row in rows):
            high = number % 2 == 0
            writer.writerow([number, 0.4 if high else -0.4, 0.5 if high else -0.3,
                             "joy" if high else "sad"])  # fmt: skip
    done = streamer("label", "--import", "labels.csv")
    assert done.returncode == 0, done.stderr
    return len(rows)


@pytest.fixture
def recordings(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for k in range(TEN_MINUTES):
        soundfile.write(folder / f"{k}.wav", voice(20.0, k, 100.0 + 5 * k), 16_000)
    return folder


def test_answered_clips_are_kept_judged_and_refused_or_written(streamer, answered, recordings):
    assert answered >= 20
    short = streamer("tune", "--dry-run")
    assert short.returncode == 2
    assert "minutes of speech are kept, a tuning needs 10" in short.stderr
    dry = streamer("tune", "--speech", recordings, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert f"{answered} of them answered, of which 0 are learned from" in dry.stderr
    done = streamer("tune", "--speech", recordings, "--steps", "2", "--labels", "--json",
                    timeout=900)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    listed = streamer("models", "list").stdout
    assert ("tuned" in listed) == found["keeps"]
    if found["keeps"]:
        assert streamer("models", "verify").returncode == 0
        assert "streamer reembed --encoder tuned" in done.stderr
    else:
        assert "not kept, and deleted: not better on what was held out" in done.stderr


def test_without_the_extra_it_says_what_to_install(streamer, streamer_environment, session_file,
                                                   tmp_path):  # fmt: skip
    streamer("run", "--input", session_file, "--max-seconds", "5", "--no-web")
    hidden = tmp_path / "hidden" / "torch"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')\n"
    )
    paths = os.pathsep.join(filter(None, [str(hidden.parent), os.environ.get("PYTHONPATH", "")]))
    done = streamer("tune", env={**streamer_environment, "PYTHONPATH": paths})
    assert done.returncode == 2, done.stderr
    assert done.stderr.count("\n") == 1
    assert "torch is not installed" in done.stderr
    assert "pip install -e '.[train]'" in done.stderr


def test_what_cannot_be_meant_together_is_refused(streamer, session_file):
    done = streamer("run", "--input", session_file, "--keep-for-tuning",
                    "--privacy", "embeddings", "--no-web")  # fmt: skip
    assert done.returncode == 2
    assert "give one of them" in done.stderr
    nothing = streamer("tune")
    assert nothing.returncode in (2, 5)

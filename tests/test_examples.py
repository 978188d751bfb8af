"""The examples run as their first lines say, and do what they show."""

import csv
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile

from streamer.store.profile import Profile

EXAMPLES = Path(__file__).parents[1] / "examples"

Run = Callable[..., str]


@pytest.fixture
def example(streamer_environment: dict[str, str], tmp_path: Path) -> Run:
    """Runs one as a user does, in an empty folder; what it prints."""

    def call(name: str, *words: object, answers: str = "") -> str:
        done = subprocess.run(
            [sys.executable, EXAMPLES / name, *map(str, words)],
            cwd=tmp_path, env=streamer_environment, input=answers, capture_output=True, text=True,
            timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def test_a_folder_becomes_a_table(example: Run, session_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    audio, rate_hz = soundfile.read(session_file)
    for name in ("a.wav", "b.flac"):
        soundfile.write(folder / name, audio[: 20 * rate_hz], rate_hz)
    example("folder_to_predictions.py", folder, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["source"] for row in rows} == {"a.wav", "b.flac"}
    for row in rows:
        assert float(row["onset_s"]) < float(row["offset_s"])
        for name in ("valence", "arousal", "dominance"):
            low, mean, high = (float(row[f"{name}_{edge}"]) for edge in ("low", "mean", "high"))
            assert -1.0 <= low <= mean <= high <= 1.0
    assert not (tmp_path / "profiles").exists()


def test_the_loop_in_ten_lines_asks_and_learns(
    example: Run, session_file: Path, tmp_path: Path
) -> None:
    said = example("microphone_loop.py", session_file, answers="0.5 -0.25\n" * 40)
    assert "valence +" in said
    asked = said.count("valence arousal: ")
    assert asked >= 5
    profile = Profile(tmp_path / "profiles" / "example")
    labels = [entry.label for entry in profile.labels.effective()]
    assert len(labels) == asked
    assert {(label.valence, label.arousal) for label in labels} == {(0.5, -0.25)}
    assert profile.labels.effective()[-1].features is not None
    profile.close()


def test_the_loop_is_ten_lines_long() -> None:
    text = (EXAMPLES / "microphone_loop.py").read_text().partition("\nwith ")[2]
    assert len(("with " + text).strip().splitlines()) <= 10


def test_a_strategy_of_ones_own_is_checked_and_asks(example: Run, session_file: Path) -> None:
    said = example("own_strategy.py", session_file).splitlines()
    assert len(said) >= 2
    assert all(line.startswith("uneven asks about [") for line in said)
    assert all(line.endswith("unequal doubt of valence and arousal") for line in said)


def test_an_encoder_of_ones_own_is_made_added_and_used(
    example: Run, session_file: Path, tmp_path: Path
) -> None:
    said = example("own_encoder.py", session_file)
    assert "bands: 80 values, the first [" in said
    assert (tmp_path / "models" / "bands.onnx").is_file()


def test_rivers_learners_are_compared(example: Run) -> None:
    lines = example("river_learner.py").splitlines()
    agreement = {line.partition(": ")[0]: float(line.split()[-4]) for line in lines}
    assert len(agreement) == 4
    assert agreement["bayesian"] > 0.3
    assert len(set(agreement.values())) > 1


def test_the_list_names_every_example() -> None:
    listed = (EXAMPLES / "README.md").read_text()
    for path in EXAMPLES.glob("*.py"):
        assert f"]({path.name})" in listed, path.name

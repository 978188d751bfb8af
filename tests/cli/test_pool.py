"""`streamer pool` as a user meets it: add, ask, answer, learn, status, and around again."""

import csv
import json

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from streamer.cli import app
from streamer.testing import synthetic_session

pytest.importorskip("pyarrow", reason="pyarrow (extra cluster) is not installed")


@pytest.fixture
def call(tmp_path, monkeypatch):
    """The command line in this process, in an empty folder; what it said on standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path / "profiles"))

    def run(*words, code=0):
        done = CliRunner().invoke(app, ["pool", *map(str, words)])
        found = getattr(done.exception, "exit_code", done.exit_code)
        assert found == code, (done.output, done.exception)
        return done.stdout, done.stderr if code == 0 else f"{done.stderr}{done.exception}"

    return run


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    for k in range(3):
        audio, _ = synthetic_session(np.random.default_rng(k), 2)
        soundfile.write(folder / f"{k}.wav", audio, 16_000)
    return folder


def test_add_ask_answer_learn_and_again(call, recordings, tmp_path):
    _, said = call("add", recordings, "--jobs", 1)
    assert said.splitlines()[-1] == "6 utterances of 3 new recordings added: pool"
    _, said = call("add", recordings, "--jobs", 1)
    assert said.splitlines()[-1] == "0 utterances of 0 new recordings added; 3 were known: pool"

    _, said = call("ask", 4, "--strategy", "binary-confidence", "--explore", 0)
    assert said.splitlines()[0].startswith("4 questions, of 6 scored: at random: too few")
    assert said.splitlines()[1] == (
        "4 questions: to_label.csv; answer there, then: streamer pool learn to_label.csv"
    )
    with (tmp_path / "to_label.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert all((tmp_path / row["clip"]).is_file() for row in rows)
    assert len(json.loads((tmp_path / "to_label.json").read_text())) == 4

    for place, row in enumerate(rows[:3]):
        row |= {"valence": 2 + place, "arousal": 4 - place}
    with (tmp_path / "to_label.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    _, said = call("learn", "to_label.csv", code=2)
    assert "give their scale, such as --scale" in said
    _, said = call("learn", "to_label.csv", "--scale", "1:5", "--annotator", "ann")
    assert said.splitlines()[-1] == "3 labels stored; learned, 3 labels in all"

    out, _ = call("status", "--json")
    row = json.loads(out)
    counts = ("recordings", "utterances", "asked", "open", "answered")
    assert [row[name] for name in counts] == [3, 6, 4, 1, 3]
    assert row["dimensions"]["valence"]["curve"][-1]["labels"] == 3
    out, _ = call("status")
    assert "asked 4: 3 answered, 1 open" in out
    assert "arousal: 3 labels, predicted before learned" in out

    _, said = call("status", "--png", "curve.png", code=2)
    assert "no curve yet: learn 5 answers" in said

    call("ask", "--open", "--out", "open.csv")
    with (tmp_path / "open.csv").open(newline="") as file:
        assert [one["utterance"] for one in csv.DictReader(file)] == [rows[3]["utterance"]]
    call("ask", 9, "--out", "rest.csv")
    with (tmp_path / "rest.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 2
    with (tmp_path / "rest.csv").open(newline="") as file:
        more = [{**one, "valence": 0.5, "arousal": 0.1} for one in csv.DictReader(file)]
    with (tmp_path / "rest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, more[0].keys())
        writer.writeheader()
        writer.writerows(more)
    call("learn", "rest.csv")
    call("status", "--png", "curve.png")
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    _, said = call("ask", 9, "--out", "none.csv")
    assert said.splitlines()[-1].startswith("nothing to ask")
    assert not (tmp_path / "none.csv").exists()


def test_without_audio_on_the_disk_there_are_no_clips(call, recordings, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_PRIVACY", "embeddings")
    call("add", recordings / "0.wav", "--jobs", 1)
    call("ask", 1)
    assert not (tmp_path / "to_label_clips").exists()
    assert (tmp_path / "to_label.csv").exists()


def test_an_unreadable_recording_is_named_and_the_rest_is_there(call, recordings, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    _, said = call("add", recordings / "0.wav", "broken.wav", "--jobs", 1, code=3)
    assert "not read: " in said
    assert "1 of 2 recordings was not read to the end; the pool holds the rest" in said
    out, _ = call("status", "--json")
    assert json.loads(out)["recordings"] == 1


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["ask", 5], 5, "there is no pool in pool: make one with `streamer pool add`"),
        (["ask"], 2, "give how many to ask, as in `streamer pool ask 20`, or --open"),
        (["status", "--pool", "no"], 5, "there is no pool in no"),
        (["learn", "x.csv"], 5, "there is no profile in"),
    ],
)
def test_what_is_not_there_is_one_line(call, words, code, says):
    _, said = call(*words, code=code)
    assert says in said


def test_without_pyarrow_it_says_what_to_install(call, recordings, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    _, said = call("add", recordings, code=2)
    assert "pip install 'streamer[cluster]'" in said

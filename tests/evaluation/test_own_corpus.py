"""`streamer evaluate FOLDER --labels FILE.csv`, from the flags to the page."""

import csv
import sys

import numpy as np
import pytest
import soundfile

from streamer.__main__ import main
from streamer.encoders.onnx import OnnxEncoder

EMOTIONS = ("joy", "anger")
SMALL = ["--first", "4", "--buffer", "4", "--seeds", "2", "--jobs", "1", "--length", "12"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three speakers with ten clips each of a low and of a high sound, and one that is no sound."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = ["Path,Who,Feeling"]
    for k in range(60):
        rng = np.random.default_rng(k)
        emotion, speaker = EMOTIONS[k % 2], f"s{k % 3}"
        times = np.arange(2_400) / 16_000
        pitch = (120.0, 350.0)[k % 2] * (1.0 + 0.1 * (k % 3)) * rng.uniform(0.97, 1.03)
        sound = 0.2 * np.sign(np.sin(2 * np.pi * pitch * times)) + 0.01 * rng.normal(size=2_400)
        soundfile.write(folder / f"{k:02}.wav", sound, 16_000)
        rows.append(f"{k:02}.wav,{speaker},{emotion}")
    (folder / "bad.wav").write_bytes(b"RIFF")
    rows.append("bad.wav,s0,joy")
    (folder / "labels.csv").write_text("\n".join(rows))
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def evaluate(corpus, home, tmp_path, monkeypatch, capsys):
    """Runs the verb in this process: exit code, output, errors, number of clips encoded."""
    monkeypatch.setenv("STREAMER_HOME", str(home))
    monkeypatch.chdir(tmp_path)

    def call(*words):
        encoded = []
        encode = OnnxEncoder.encode
        columns = ["--speaker-column", "who", "--emotion-column", "feeling"]
        labels = ["--labels", str(corpus / "labels.csv")]
        words = ["evaluate", str(corpus), *labels, *columns, *SMALL, *words]
        with monkeypatch.context() as patch:
            patch.setattr(
                OnnxEncoder, "encode", lambda self, audio: encoded.append(1) or encode(self, audio)
            )
            patch.setattr(sys, "argv", ["streamer", *words])
            with pytest.raises(SystemExit) as end:
                main()
        out = capsys.readouterr()
        return end.value.code, out.out, out.err, len(encoded)

    return call


def test_emotions_are_evaluated_as_emotions(evaluate, home, tmp_path):
    code, out, err, encoded = evaluate("--out", str(tmp_path / "a"))
    assert code == 3, err
    assert encoded == 60
    assert "not read: bad.wav: unreadable: " in err
    assert "1 recording of " in err.splitlines()[-1]
    assert f"60 computed, 0 from the cache {home / '.cache' / 'embeddings'}" in err
    assert "Emotion, unweighted average recall (UAR): margin" in out
    assert "Emotions, 5 clips of each enrolled by the speaker" in out
    assert "Arousal" not in out
    with (tmp_path / "a" / "confusion.csv").open() as file:
        counts = {(r["label"], r["recognized"]): int(r["clips"]) for r in csv.DictReader(file)}
    assert sum(counts.values()) == 60
    assert counts["happy", "happy"] > 25
    assert counts["angry", "angry"] > 25
    with (tmp_path / "a" / "enrolment.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["enrolled"], row["speakers"]) for row in rows] == [("1", "3"), ("3", "3"),
                                                                    ("5", "3")]  # fmt: skip
    assert all(float(row["uar"]) > 0.9 > float(row["chance"]) == 0.5 for row in rows)
    page = (tmp_path / "a" / "curves.html").read_text()
    assert "confusion matrix" in page
    assert "enrolled and verified" in page


def test_a_second_call_elsewhere_encodes_nothing_and_norms_give_dimensions(evaluate, tmp_path):
    evaluate("--out", str(tmp_path / "a"))
    code, out, err, encoded = evaluate("--out", str(tmp_path / "b"), "--through-norms")
    assert (code, encoded) == (3, 0)
    assert "0 computed, 60 from the cache" in err
    assert "Arousal, concordance (CCC): binary-confidence" in out
    page = (tmp_path / "b" / "curves.html").read_text()
    assert "An utterance without ratings has the affective norm of its emotion." in page


def test_flags_of_a_table_need_one(evaluate, corpus, monkeypatch, capsys):
    words = ["streamer", "evaluate", str(corpus), "--speaker-column", "who"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "give --labels" in capsys.readouterr().err

"""`streamer source` and `run --source` as a user meets them."""

import csv
import json

import pytest


@pytest.fixture
def colleague(streamer, session_file, tmp_path):
    """The export of a profile whose utterances are all labelled."""
    streamer("run", "--input", session_file, "--keep", "1", "--profile", "colleague", "--no-web")
    queue = streamer("queue", "--json", "--profile", "colleague")
    numbers = [json.loads(line)["utterance"] for line in queue.stdout.splitlines()]
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["utterance", "valence", "arousal", "dominance", "emotion"])
        for k, number in enumerate(sorted(numbers)):
            high = k % 2 == 0
            writer.writerow([number, 0.5 if high else -0.5, 0.6 if high else -0.4, 0.1,
                             "joy" if high else "sad"])  # fmt: skip
    streamer("label", "--import", "labels.csv", "--profile", "colleague")
    done = streamer("export", "theirs", "--profile", "colleague")
    assert done.returncode == 0, done.stderr
    return tmp_path / "theirs"


def predictions(done) -> list[dict]:
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return [
        {name: e[name] for name in ("valence", "arousal", "dominance")}
        for e in events
        if e["event"] == "utterance"
    ]


def test_a_source_is_added_used_and_removed(streamer, session_file, colleague, tmp_path):
    heard = ("run", "--input", session_file, "--json", "--strategy", "lc-ctial")
    without = predictions(streamer(*heard, "--profile", "plain"))

    added = streamer("source", "add", colleague, "--name", "theirs")
    assert added.returncode == 0, added.stderr
    assert "source theirs: 12 clips, happy, sad" in added.stderr
    listed = json.loads(streamer("source", "list", "--json").stdout)
    assert (listed["name"], listed["clips"], listed["active"]) == ("theirs", 12, False)

    run = streamer(*heard, "--source", "theirs")
    assert run.returncode == 0, run.stderr
    assert "starts from source theirs: 12 labelled clips" in run.stdout + run.stderr
    assert predictions(run) != without
    selections = [e for e in map(json.loads, run.stdout.splitlines()) if e["event"] == "selection"]
    assert "at random" not in selections[0]["reason"]  # classes are known before any answer
    status = json.loads(streamer("status", "--json").stdout)
    assert status["source"]["name"] == "theirs"
    assert "source theirs: in use" in streamer("status").stdout

    gone = streamer("source", "remove", "theirs")
    assert gone.returncode == 0, gone.stderr
    assert streamer("source", "list", "--json").stdout == ""
    assert json.loads(streamer("status", "--json").stdout)["source"] is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "--source", "nobody", "--input"), "no source 'nobody'"),
        (("source", "add"), "is no table"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(streamer, words, says, session_file):
    done = streamer(*words, session_file)
    assert done.returncode in (2, 5), done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr

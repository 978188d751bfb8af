"""The command line as a user meets it: real processes, real files, one-line errors."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from streamer import __version__
from streamer.store.profile import Profile
from streamer.testing import Spoken
from streamer.types import Samples
from tests.conftest import Streamer
from tests.support import balance, events_of, named, without_latency


def test_events_follow_the_contract(
    streamer: Streamer, session_file: Path, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    done = streamer("run", "--input", session_file, "--json", "--buffer", 5)
    assert done.returncode == 0, done.stderr
    events = events_of(done.stdout)
    start, end = events[0], events[-1]
    assert start["event"] == "start"
    assert start["version"] == __version__
    assert start["profile"] == "default"
    assert {"name", "sha256", "embedding_size"} <= set(start["encoder"])
    assert start["source"] == {
        "kind": "file", "name": str(session_file), "rate_hz": 16_000, "channels": 1,
    }  # fmt: skip
    heard = named(events, "utterance")
    assert len(heard) == len(spoken_session[1])
    assert [event["id"] for event in heard] == list(range(1, len(heard) + 1))
    for event in heard:
        for name in ("valence", "arousal", "dominance"):
            estimate = event[name]
            assert -1 <= estimate["low"] <= estimate["mean"] <= estimate["high"] <= 1
        assert event["verdict"]["own"] is False
        assert {"anger", "fear", "happiness", "neutral", "sadness"} <= set(
            event["verdict"]["distances"]
        )
        assert event["latency_ms"] > 0
        assert {"snr_db", "clipped"} <= set(event["quality"])
    split = named(events, "selection")
    assert sorted(n for s in split for n in s["asked"] + s["released"]) == list(range(1, 13))
    assert end["event"] == "end"
    assert balance(end) == 0
    assert end["utterances"] == 12
    assert end["asked"] == sum(len(s["asked"]) for s in split)
    assert end["audio_s"] == pytest.approx(end["captured_samples"] / 16_000)


def test_the_same_input_gives_the_same_events(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    runs = [
        streamer("run", "--input", session_file, "--json", "--profile", f"{tmp_path}/{name}/p")
        for name in ("a", "b")
    ]
    first, second = (without_latency(events_of(done.stdout)) for done in runs)
    assert first == second


def test_labels_of_a_second_run_are_learned_and_kept(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    streamer("run", "--input", session_file, "--json")
    again = ("run", "--input", session_file, "--json", "--again")
    before = named(events_of(streamer(*again).stdout), "utterance")
    queue = events_of(streamer("queue", "--json").stdout)
    assert len(queue) == 12
    scores = [row["score"] for row in queue]
    assert scores == sorted(scores, reverse=True)
    lines = ["utterance,valence,arousal,emotion,annotator"]
    lines += [f"{row['utterance']},-0.7,0.8,anger,ann" for row in queue[:6]]
    answers = tmp_path / "answers.csv"
    answers.write_text("\n".join(lines))
    imported = streamer("label", "--import", answers)
    assert imported.returncode == 0
    assert "6 labels stored; learned, 6 labels in all" in imported.stderr
    after = named(events_of(streamer(*again).stdout), "utterance")
    means = [sum(e["arousal"]["mean"] for e in events) / 12 for events in (before, after)]
    assert means[1] > means[0]
    assert all("anger" in event["verdict"]["distances"] for event in after)
    named_by_others = [e for e in after if e["verdict"]["emotion"] not in ("anger", None)]
    assert not any(e["verdict"]["own"] for e in named_by_others)
    status = json.loads(streamer("status", "--json").stdout)
    assert status["labels"] == {"given": 6, "learned": 6}
    assert status["open_queries"] == 12
    undone = streamer("label", "--undo", 6)
    assert "6 labels taken back" in undone.stderr
    assert json.loads(streamer("status", "--json").stdout)["labels"]["given"] == 0
    assert streamer("emotions", "--json").stdout == ""


def test_a_recording_is_heard_once(streamer: Streamer, session_file: Path, tmp_path: Path) -> None:
    first = events_of(streamer("run", "--input", session_file, "--json").stdout)
    copy = tmp_path / "copy.wav"
    copy.write_bytes(session_file.read_bytes())
    second = events_of(streamer("run", "--input", copy, "--json").stdout)
    (said,) = [e for e in named(second, "notice") if e["kind"] == "already_heard"]
    assert said["text"].startswith("copy.wav was processed before as session.wav")
    assert second[-1]["captured_samples"] == second[-1]["utterances"] == 0
    assert balance(second[-1]) == 0
    again = events_of(streamer("run", "--input", copy, "--json", "--again").stdout)
    assert again[-1]["utterances"] == first[-1]["utterances"]
    streamer("forget", "--before", "2999-01-01")
    third = events_of(streamer("run", "--input", session_file, "--json").stdout)
    assert third[-1]["utterances"] == first[-1]["utterances"]


def test_standard_input_is_heard_like_the_file(streamer: Streamer, session_file: Path) -> None:
    from_file = named(
        events_of(streamer("run", "--input", session_file, "--json").stdout), "utterance"
    )
    with session_file.open("rb") as file:
        done = streamer("run", "--input", "-", "--json", "--profile", "other", stdin=file)
    assert done.returncode == 0, done.stderr
    piped = named(events_of(done.stdout), "utterance")
    times = [[(e["onset_s"], e["offset_s"]) for e in events] for events in (from_file, piped)]
    assert times[0] == times[1]


def test_time_limit_is_kept_to_the_sample(streamer: Streamer, session_file: Path) -> None:
    done = streamer("run", "--input", session_file, "--json", "--max-seconds", 10.25)
    end = events_of(done.stdout)[-1]
    assert end["captured_samples"] == 164_000
    assert balance(end) == 0


def test_on_a_pipe_people_get_a_line_an_utterance(streamer: Streamer, session_file: Path) -> None:
    lines = streamer("run", "--input", session_file).stdout.splitlines()
    assert sum(line.startswith("#") for line in lines) == 12
    assert "12 utterances" in lines[-2]
    assert lines[-1].startswith("samples: ")


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (["run", "--input", "nowhere.wav"], 3, "nowhere.wav"),
        (["run", "--input", "session.txt"], 3, "session.txt"),
        (["run", "--nonsense"], 2, "--nonsense"),
        (["run", "--buffer", "0"], 2, "buffer"),
        (["run", "--keep", "1.5"], 2, "keep"),
        (["run", "--strategy", "guess"], 2, "binary-confidence"),
        (["run", "--dimension", "dread"], 2, "valence"),
        (["run", "--encoder", "none", "--input", "silence.wav"], 4, "none"),
        (["run", "--profile", "a:b"], 2, "a:b"),
        (["run", "--config", "none.toml"], 2, "none.toml"),
        (["status", "--profile", "~no.such.person/"], 2, "nobody of that name"),
        (["report", "--out", "x" * 300 + ".html"], 2, "too long"),
        (["run", "--web", "--host", "0.0.0.0"], 2, "--allow-remote"),
        (["label", "--web", "--host", "0.0.0.0", "--allow-remote"], 2, "--tls-cert"),
        (["label", "5", "--web"], 2, "--web"),
        (["label", "5", "--valence", "0", "--arousal", "0"], 5, "utterance 5"),
        (["label", "5", "--valence", "nan", "--arousal", "0"], 2, "nan"),
        (["label", "--import", "none.csv"], 2, "none.csv"),
        (["label", "--undo", "0"], 2, "0"),
        (["label", "5", "--valence", "0"], 2, "together"),
        (["label", "99999999999999999999", "--emotion", "joy"], 5, "99999999999999999999 in"),
        (["enroll", "joy", "--utterances", "99999999999999999999"], 5, "so large a number"),
        (["forget", "--all", "--profile", "nowhere"], 5, "nowhere"),
        (["run", "--input", ""], 2, "--input"),
        (["run", "--device", "²"], 3, "--input"),
        (["label"], 2, "--import"),
        (["enroll", "anger"], 2, "--utterances"),
        (["enroll", "anger", "--utterances", "1,x"], 2, "1,x"),
        (["enroll", "anger", "--utterances", "7"], 5, "7"),
        (["enroll", "anger", "nowhere.wav"], 3, "nowhere.wav"),
        (["enroll", " ", "nowhere.wav"], 2, "name"),
        (["verify", "silence.wav"], 3, "no speech"),
        (["models", "eat"], 2, "eat"),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    streamer: Streamer, tmp_path: Path, words: list[str], exit_code: int, told: str
) -> None:
    import numpy as np
    import soundfile

    (tmp_path / "session.txt").write_text("no sound")
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000), 16_000)
    done = streamer(*words, stdin=subprocess.DEVNULL)
    assert done.returncode == exit_code, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_traceback_comes_with_v_only(streamer: Streamer) -> None:
    assert "Traceback" in streamer("run", "--input", "nowhere.wav", "-v").stderr


def test_every_verb_explains_itself(streamer: Streamer) -> None:
    overview = streamer("--help").stdout
    verbs = ("run", "demo", "devices", "queue", "label", "enroll", "verify", "emotions", "status")
    for verb in (*verbs, "models"):
        assert f"  {verb} " in overview
        assert len(streamer(verb, "--help").stdout.splitlines()) > 5


def test_the_models_verify(streamer: Streamer) -> None:
    done = streamer("models", "verify")
    assert done.returncode == 0
    assert "verified" in done.stdout


def test_a_closed_pipe_ends_quietly(
    session_file: Path, streamer_environment: dict[str, str], tmp_path: Path
) -> None:
    command = f"{sys.executable} -m streamer run --input {session_file} --json | head -n 2"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True, text=True, env=streamer_environment, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""


def test_the_demo_plays_the_whole_loop(streamer: Streamer) -> None:
    done = streamer("demo", "--json")
    assert done.returncode == 0, done.stderr
    events = events_of(done.stdout)
    assert len(named(events, "utterance")) == 24
    assert len(named(events, "learned")) == 12
    assert balance(events[-1]) == 0
    for dimension in ("valence", "arousal"):
        assert re.search(rf"{dimension} +[+-]\d\.\d\d before +[+-]\d\.\d\d after", done.stderr)


def test_a_pipe_given_as_a_file_is_refused_with_the_way_to_hear_it(
    streamer: Streamer, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    done = streamer("run", "--input", "pipe")
    assert done.returncode == 3
    assert "--input - < pipe" in done.stderr


def test_an_emotion_name_with_brackets_is_text_in_a_terminal(
    streamer: Streamer, session_file: Path, streamer_environment: dict[str, str], tmp_path: Path
) -> None:
    streamer("run", "--input", session_file)
    streamer("label", 1, "--emotion", "[/joy]")
    command = f"{sys.executable} -m streamer run --again --input {session_file}"
    done = subprocess.run(
        ["script", "--quiet", "--return", "--command", command, "/dev/null"],
        capture_output=True, text=True, env=streamer_environment, cwd=tmp_path, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "[/joy]" in done.stdout
    assert "captured" in done.stdout


def test_audio_takes_no_more_room_than_it_may_at_any_end(
    streamer: Streamer, streamer_environment: dict[str, str], session_file: Path, tmp_path: Path
) -> None:
    limited = {**streamer_environment, "STREAMER_AUDIO_MB": "0.1"}
    for mode in ("clips", "everything"):
        words = (
            "run",
            "--input",
            session_file,
            "--privacy",
            mode,
            "--profile",
            f"{tmp_path}/{mode}/",
        )
        done = streamer(*words, env=limited)
        assert "more than audio_mb of audio" in done.stdout
        profile = Profile(tmp_path / mode)
        assert 0 < profile.audio.size()[1] <= 100_000
        profile.close()


def test_a_folder_s_files_are_named_as_they_come(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("a.wav", "b.wav"):
        (tmp_path / "folder" / name).write_bytes(session_file.read_bytes())
    lines = streamer("run", "--again", "--input", "folder").stdout.splitlines()
    assert [line for line in lines if line.startswith("in ")] == ["in a.wav:", "in b.wav:"]


def test_a_terminal_without_unicode_gets_plain_lines(
    session_file: Path, streamer_environment: dict[str, str], tmp_path: Path
) -> None:
    command = f"{sys.executable} -m streamer run --input {session_file}"
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(
        ["script", "--quiet", "--return", "--command", command, "/dev/null"],
        capture_output=True, text=True, cwd=tmp_path, timeout=60,
        env={**streamer_environment, **ascii_only},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "12 utterances" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("forget", "--all", "--profile", ""), "--profile is empty"),
        (
            ("run", "--input", "a.wav", "--device", "headset"),
            "--input and --device exclude each other",
        ),
        (("run", "--input", "a.wav", "--log", "."), "cannot be written"),
        (("queue", "--nonsense"), "queue --help"),
        (("label", "1", "--emotion", "joy", "--annotator", " "), "--annotator is empty"),
        (("run", "--input", "a.wav", "--strategy", ""), "--strategy is empty"),
        (("run", "--input", "a.wav", "--no-web", "--port", "9"), "require --web"),
        (("label", "--host", "0.0.0.0"), "require --web"),
        (("import", "nowhere.age"), "nowhere.age does not exist"),
    ],
)
def test_what_cannot_be_meant_is_refused(streamer, words, said):
    done = streamer(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_unknown_setting_is_told_with_those_that_there_are(streamer, tmp_path):
    (tmp_path / "own.toml").write_text("bufer = 3\n")
    done = streamer("status", "--config", tmp_path / "own.toml")
    assert done.returncode == 2
    assert "unknown setting bufer = 3: choose from" in done.stderr
    assert "buffer" in done.stderr


@pytest.mark.parametrize(
    "words",
    [("status",), ("queue",), ("emotions",), ("report", "--out", "page.html"), ("label", "--undo")],
)
def test_to_look_at_a_profile_that_is_not_there_makes_none(
    streamer: Streamer, tmp_path: Path, words: tuple[str, ...]
) -> None:
    done = streamer(*words, "--profile", "nobody")
    assert done.returncode == 0
    assert "there is no profile in" in done.stderr
    assert "nobody" in done.stderr
    assert not list(tmp_path.glob("profiles/*"))


def test_there_is_nothing_to_carry_over_from_a_profile_that_is_not_there(
    streamer: Streamer, tmp_path: Path
) -> None:
    done = streamer("reembed", "--encoder", "acoustic", "--profile", "nobody")
    assert done.returncode == 5
    assert "there is no profile in" in done.stderr
    assert not list(tmp_path.glob("profiles/*"))

"""Names of any bytes: opened, kept as text, found again, and escaped wherever they are printed."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from rich.console import Console

from streamer.annotation import labels as labelling
from streamer.config import Config
from streamer.errors import UsageError
from streamer.profiles.archive.reading import import_profile
from streamer.profiles.archive.writing import export_profile
from streamer.store.profile import Profile
from streamer.terminal.annotate import label_by_keys
from streamer.text import (
    annotator_name,
    emotion_name,
    json_line,
    path_of,
    path_text,
    printable,
)
from tests.conftest import Streamer
from tests.profiles.archive.making import SETTINGS
from tests.support import bound_profile, events_of, label_of, store_utterance

LATIN1 = os.fsdecode("café.wav".encode("latin-1"))
EVIL = "\x1b[31mred\x07\nnext\x9b0m\u202e.wav"
SHOWN = "\\x1b[31mred\\x07\\nnext\\x9b0m\\u202e.wav"
OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]")


@given(st.text(st.characters()))
def test_what_is_printable_holds_nothing_that_a_terminal_obeys(text: str) -> None:
    shown = printable(text)
    assert not OBEYED.search(shown)
    assert "\n" not in shown
    shown.encode()
    assert printable(shown) == shown


@given(st.text(st.characters()))
def test_json_on_a_screen_is_the_same_json(text: str) -> None:
    assume(not re.search("[\ud800-\udbff][\udc00-\udfff]", text))  # JSON reads two as one
    line = json_line({"name": text, text: 1})
    assert not OBEYED.search(line)
    assert "\n" not in line
    line.encode()
    assert json.loads(line) == {"name": text, text: 1}


@pytest.mark.parametrize("name", [b"caf\xe9.wav", "café.wav".encode(), b"\xff\xfe\x80", b"a\\xe9"])
def test_a_path_is_text_inside_and_found_again(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    path.touch()
    text = path_text(path)
    text.encode()
    assert path_of(text) == path


@pytest.mark.parametrize("name", ["a\u0308rger", "\u00e4rger", "  \u00c4RGER ", "A\u0308rger\t"])
def test_one_word_is_one_emotion(name: str) -> None:
    assert emotion_name(name) == "\u00e4rger"


def test_an_annotator_is_nfc_and_trimmed_whichever_way_the_name_comes(tmp_path: Path) -> None:
    assert annotator_name(" Zoe\u0308 K ") == "Zo\u00eb K"
    assert Config(home=tmp_path, annotator=" me ").annotator == "me"
    profile = bound_profile(tmp_path / "profile")
    number = store_utterance(profile)
    labelling.give(profile, [label_of(number, " Zoe\u0308 ", valence=0.5, arousal=0.5)])
    assert profile.labels.annotators() == ["Zo\u00eb"]
    profile.annotation_events.add("skip", label_of(number, " Zoe\u0308 "), 1.0)
    assert profile.annotation_events.newest("Zo\u00eb") is not None
    assert "1 label taken back" in labelling.take_back(profile, 1, "Zoe\u0308 ")
    profile.close()


@pytest.mark.parametrize("name", ["", "  ", "a\x1b[0m", "x" * 65, "\u200f"])
def test_a_name_that_cannot_be_kept_is_refused(name: str) -> None:
    for kept in (emotion_name, annotator_name):
        with pytest.raises(UsageError, match="printable"):
            kept(name)


def printed(done: subprocess.CompletedProcess[str]) -> str:
    text = done.stdout + done.stderr
    assert not OBEYED.search(text)
    return text


@pytest.fixture
def named(tmp_path: Path, session_file: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in (LATIN1, EVIL):
        shutil.copy(session_file, folder / name)
    return folder


@pytest.mark.parametrize(("name", "shown"), [(LATIN1, "caf\\xe9.wav"), (EVIL, SHOWN)])
def test_a_recording_of_any_name_is_heard_and_shown_escaped(
    streamer: Streamer, named: Path, name: str, shown: str, tmp_path: Path
) -> None:
    recording = named / name
    log = tmp_path / "log"
    plain = streamer("run", "--no-web", "--input", recording, "--log", log)
    assert plain.returncode == 0, plain.stderr
    assert f"listening to file {named}/{shown} (" in printed(plain)
    assert shown in log.read_text()
    assert not OBEYED.search(log.read_text())
    events = streamer("run", "--json", "--again", "--input", named)
    assert {e.get("source") for e in events_of(events.stdout) if e["event"] == "utterance"} == {
        "caf\\xe9.wav", EVIL,
    }  # fmt: skip
    printed(events)
    assert f"{shown} 0:" in printed(streamer("queue"))
    assert streamer("enroll", "joy", recording).returncode == 0
    assert f"{shown} 0:" in printed(streamer("verify", recording))
    gone = streamer("run", "--no-web", "--input", f"{recording}.none")
    assert gone.returncode == 3
    assert printed(gone).count("\n") == 1
    assert f"{shown}.none does not exist" in gone.stderr


def test_the_recording_of_an_utterance_is_found_again(
    streamer: Streamer, streamer_environment: dict[str, str], named: Path
) -> None:
    words = ("run", "--no-web", "--again", "--privacy", "embeddings", "--input")
    streamer(*words, named)
    streamer(*words, named / LATIN1)
    profile = Profile(Path(streamer_environment["STREAMER_HOME"]) / "default")
    found = {profile.recording_of(number) for number in profile.utterances.numbers()}
    assert found == {named / LATIN1, named / EVIL}
    profile.close()


def test_a_profile_in_a_folder_of_any_name(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    folder = tmp_path / f"\x1b[31m{LATIN1}"
    streamer("run", "--no-web", "--input", session_file, "--max-seconds", 8, "--profile", folder)
    assert (folder / "profile.db").is_file()
    shown = "\\x1b[31mcaf\\xe9.wav"
    for verb in ("status", "doctor", "queue"):
        assert "streamer:" not in printed(streamer(verb, "--profile", folder))
    assert f"profile {shown}, encoder" in printed(streamer("status", "--profile", folder))
    for words in (
        ("export", tmp_path / "exported"),
        ("report", "--out", tmp_path / "r.html"),
        ("reembed", "--encoder", "acoustic", "--yes"),
    ):
        done = streamer(*words, "--profile", folder)
        assert done.returncode == 0, printed(done)
    assert list(folder.glob("profile-*.db"))  # the copy from before it was embedded anew
    unit = streamer("service", "install", "--profile", folder)
    assert unit.returncode == 1
    assert "unexpected" not in printed(unit)


def test_names_out_of_an_archive_are_shown_escaped_too(
    streamer: Streamer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = bound_profile(tmp_path / "theirs")
    number = store_utterance(profile)
    profile.database.write("UPDATE utterances SET source = ?", EVIL)
    profile.database.write("UPDATE sessions SET source = ?", f"/home/{EVIL}")
    profile.utterances.select("made", "for a test", [(number, -0.1, None)], [], 200.0)
    profile.database.write(
        "INSERT INTO enrollments (emotion, source, vector, enrolled_at) VALUES (?, ?, ?, 1.0)",
        "a\u0308rger", EVIL, b"\0" * 16,
    )  # fmt: skip
    export_profile(profile, tmp_path / "exported", SETTINGS)
    profile.close()
    ours = Profile(tmp_path / "ours")
    import_profile(ours, tmp_path / "exported", None)
    assert ours.emotions.names() == ["\u00e4rger"]
    console = Console(file=(tmp_path / "screen").open("w"), force_terminal=True, width=200)
    monkeypatch.setattr("streamer.terminal.annotate.Console", lambda **options: console)
    label_by_keys(ours, "me", key=lambda: "q", play=lambda clip: "playing")
    assert SHOWN in (tmp_path / "screen").read_text()
    ours.close()
    assert f"{SHOWN} 0:01.0" in printed(streamer("queue", "--profile", tmp_path / "ours"))


def test_an_annotator_has_one_turn_by_whichever_spelling(tmp_path: Path) -> None:
    from pydantic import ValidationError

    from streamer.web.api.answers import Answer, Passed, Person

    assert Person(annotator=" Zoe\u0308 ").annotator == "Zo\u00eb"
    assert Passed(kind="skip", utterance=1, annotator="me ").annotator == "me"
    assert Answer(utterance=1, annotator="me ", emotion=" JOY").label(None).emotion == "joy"
    with pytest.raises((UsageError, ValidationError)):
        Person(annotator="\x1b")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0 or shutil.which("setpriv") is None,
    reason="needs root and setpriv, to become a user that nobody knows",
)
def test_a_user_without_a_home_folder_needs_streamer_home_alone(
    session_file: Path, streamer_environment: dict[str, str], tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    rights = "+dac_override,+dac_read_search"  # to read where this program and the test lie
    unknown = [
        "setpriv", "--reuid=54321", "--regid=54321", "--clear-groups",
        f"--inh-caps={rights}", f"--ambient-caps={rights}", sys.executable, "-m", "streamer",
    ]  # fmt: skip
    kept = {k: v for k, v in streamer_environment.items() if k not in ("HOME", "STREAMER_MODELS")}

    def call(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*unknown, *map(str, words)], cwd=tmp_path, env={**kept, **environment},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    run = call("run", "--no-web", "--input", session_file, "--max-seconds", 8)
    assert run.returncode == 0, run.stderr
    assert (Path(kept["STREAMER_HOME"]) / "default" / "profile.db").is_file()
    for words in (("status",), ("models", "list"), ("report", "--out", tmp_path / "r.html")):
        assert call(*words).returncode == 0
    assert call("doctor", "--bundle", tmp_path / "b.zip").returncode in {0, 3}
    refused = call("service", "install")
    assert "no home folder" in refused.stderr
    refused = call("status", STREAMER_HOME="")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "this user has no home folder: give one in STREAMER_HOME" in refused.stderr

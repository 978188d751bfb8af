"""Encoders by the command line: listed, verified, added, and their licences said."""

import importlib.util
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from streamer.encoders.registry import find_encoder, read_manifest
from tests.conftest import Streamer
from tests.support import events_of, named


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """The user's models folder, still to be made."""
    return tmp_path / "own"


@pytest.fixture
def call(streamer: Streamer, streamer_environment: dict[str, str], own: Path) -> Streamer:
    """`streamer`, with that folder."""
    environment = {**streamer_environment, "STREAMER_MODELS": str(own)}
    return lambda *words, **options: streamer(*words, env=environment, **options)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Some ONNX file: a copy of the shipped one, under a name of its own."""
    return Path(shutil.copy(find_encoder().path, tmp_path / "some.onnx"))


def test_an_encoder_is_added_listed_verified_and_heard_with(
    call: Streamer, model: Path, own: Path, session_file: Path
) -> None:
    done = call("models", "add", model, "--licence", "MIT", "--commercial-use", "--json")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert (row["name"], row["licence"], row["commercial_use"]) == ("some", "MIT", True)
    assert row["padding_invariant"]
    assert row["latency_ms"] > 0
    assert "added some" in done.stderr
    listed = events_of(call("models", "list", "--json").stdout)
    shipped = [row.name for row in read_manifest()]
    assert [r["name"] for r in listed] == ["some", *shipped, "acoustic"]
    assert [r["name"] for r in listed if r["default"]] == [find_encoder().name]
    assert call("models", "verify").returncode == 0
    heard = call("run", "--input", session_file, "--encoder", "some", "--json", "--max-seconds", 6)
    assert events_of(heard.stdout)[0]["encoder"]["name"] == "some"
    (own / "some.onnx").write_bytes(b"damaged")
    damaged = call("models", "verify")
    assert damaged.returncode == 4
    assert "altered or damaged" in damaged.stderr


def test_the_scale_can_be_measured_on_recordings(
    call: Streamer, model: Path, session_file: Path, tmp_path: Path
) -> None:
    assert call("models", "add", model, "--speech", session_file).returncode == 0
    missing = call("models", "add", model, "--name", "b", "--speech", tmp_path / "none.wav")
    assert missing.returncode == 3


def test_a_list_says_what_a_licence_forbids(call: Streamer, model: Path) -> None:
    call("models", "add", model)
    call("models", "add", model, "--name", "free", "--licence", "MIT", "--commercial-use")
    lines = {line.split()[0]: line for line in call("models").stdout.splitlines() if "MB" in line}
    assert "licence not stated, no commercial use" in lines["some"]
    assert "licence MIT" in lines["free"]
    assert "no commercial use" not in lines["free"]


def licence_notices(done: subprocess.CompletedProcess[str]) -> list[str]:
    notices = named(events_of(done.stdout), "notice")
    return [notice["text"] for notice in notices if "licence" in notice["text"]]


def test_a_licence_that_forbids_commercial_use_is_said_once_to_a_profile(
    call: Streamer, model: Path, session_file: Path
) -> None:
    call("models", "add", model, "--licence", "CC BY-NC 4.0")
    words = ("run", "--input", session_file, "--json", "--encoder", "some", "--max-seconds", 3)
    told = [licence_notices(call(*words)) for _ in range(2)]
    assert [len(notices) for notices in told] == [1, 0]
    assert "CC BY-NC 4.0" in told[0][0]
    assert "no commercial use" in told[0][0]
    assert len(licence_notices(call(*words, "--profile", "other"))) == 1


def test_a_licence_that_allows_it_is_not_mentioned(call: Streamer, session_file: Path) -> None:
    words = ("run", "--input", session_file, "--json", "--encoder", "acoustic", "--max-seconds", 3)
    assert not licence_notices(call(*words))


@pytest.mark.parametrize(
    ("words", "exit_code", "told"),
    [
        (["add", "nowhere.onnx"], 4, "nowhere.onnx"),
        (["add", "text.onnx"], 4, "cannot load"),
        (["add", "text.onnx", "--name", "a/b"], 2, "a/b"),
        (["add", "text.onnx", "--name", "acoustic"], 2, "--name"),
        (["add"], 2, "FILE"),
        (["eat"], 2, "eat"),
    ],
)
def test_an_error_is_one_line(
    call: Streamer, tmp_path: Path, words: list[str], exit_code: int, told: str
) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    done = call("models", *words)
    assert done.returncode == exit_code, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert told.lower() in done.stderr.lower()


def test_without_the_extra_it_says_how_to_get_it(call: Streamer) -> None:
    if all(importlib.util.find_spec(name) for name in ("torch", "onnx", "transformers")):
        pytest.skip("the extra 'train' is installed")
    done = call("models", "export", "wav2vec2-base")
    assert done.returncode == 4
    assert "pip install -e '.[train]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("given", ["12", "1-", "a-b", "1-2-3"])
def test_layers_are_a_first_and_a_last_block(call: Streamer, given: str) -> None:
    done = call("models", "export", "wav2vec2-base", "--layers", given)
    assert done.returncode == 2
    assert f"--layers {given}: give the first block and the last, such as 1-12" in done.stderr

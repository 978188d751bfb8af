"""What this program starts looks for no module in the current folder."""

import subprocess
import sys
from pathlib import Path

import pytest

import streamer
from streamer.config import Config
from streamer.encoders.measured_apart import Limits, measured_apart
from streamer.errors import EncoderError
from streamer.ops.doctor.outliving import examined_apart
from streamer.system import module_command, streamer_command

HOSTILE = "import pathlib; pathlib.Path(__file__ + '.was-executed').touch(); raise SystemExit(66)\n"
SOURCES = Path(streamer.__file__).parent


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """A current folder with files named like modules that every child imports."""
    for name in (
        "typer",
        "numpy",
        "json",
        "multiprocessing",
        "tempfile",
        "pydantic",
        "onnxruntime",
    ):
        (tmp_path / f"{name}.py").write_text(HOSTILE)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list(tmp_path.glob("*.was-executed"))


def test_the_files_would_be_executed_without_it(tmp_path):
    (tmp_path / "typer.py").write_text(HOSTILE)
    words = [sys.executable, "-m", "streamer", "--help"]
    assert subprocess.run(words, cwd=tmp_path, capture_output=True).returncode == 66


def test_the_command_of_a_service(hostile):
    done = subprocess.run(streamer_command("--version"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_model_is_measured(hostile):
    (hostile / "text.onnx").write_text("no model")
    with pytest.raises(EncoderError, match="cannot load"):
        measured_apart(hostile / "text.onnx", None, None, [], 0, Limits())


def test_the_doctor_examines(hostile):
    findings = list(examined_apart("encoders", Config(encoder="nothing", models=hostile)))
    assert findings
    assert all("66" not in found.said for found in findings)


def test_worker_processes(hostile):
    # As an installed script: itself without the current folder among its places, and without -P.
    words = [sys.executable, str(Path(__file__).with_name("pool.py"))]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "(0, 6)"), done.stderr


def test_a_checkout_that_is_not_installed_is_found(tmp_path):
    words = module_command("streamer", "--version")
    done = subprocess.run(
        [words[0], "-I", *words[2:]], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


def test_nothing_else_starts_an_interpreter():
    allowed = {"system.py", "audio/microphone/probe.py"}  # that one with -I
    found = {
        str(path.relative_to(SOURCES)) for path in SOURCES.rglob("*.py")
        if "sys.executable" in path.read_text("utf-8")
    }  # fmt: skip
    assert found == allowed
    assert '"-I", "-S"' in (SOURCES / "audio/microphone/probe.py").read_text("utf-8")

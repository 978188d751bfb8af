"""The doctor outlives the libraries that it looks at."""

import os
from pathlib import Path

import pytest

from streamer.config import Config
from streamer.ops.doctor.outliving import examined_apart
from tests.conftest import Streamer
from tests.support import events_of


def shadowed(folder: Path, program: str) -> str:
    """A PYTHONPATH on which onnxruntime is this program."""
    folder.mkdir()
    (folder / "onnxruntime.py").write_text(program)
    return os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])


def test_a_library_that_aborts_is_a_finding(
    streamer: Streamer, streamer_environment: dict[str, str], tmp_path: Path
) -> None:
    program = "import os, sys; print('no AVX', file=sys.stderr, flush=True); os.abort()"
    path = shadowed(tmp_path / "broken", program)
    told = streamer("doctor", "--json", env={**streamer_environment, "PYTHONPATH": path})
    rows = {row["check"]: row for row in events_of(told.stdout)}
    assert rows["onnxruntime"]["state"] == "fail"
    assert rows["onnxruntime"]["exit_code"] == 4
    assert "SIGABRT (no AVX)" in rows["onnxruntime"]["said"]
    assert "reinstall" in rows["onnxruntime"]["remedy"]
    assert rows["clock"]["state"] == "ok"
    assert told.returncode in {3, 4}  # a machine of tests may have no microphone either


def test_a_library_that_hangs_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shadowed(tmp_path / "hanging", "import time; time.sleep(600)")
    monkeypatch.setenv("PYTHONPATH", path)
    config = Config(home=tmp_path, models=tmp_path / "models")
    (found,) = examined_apart("encoders", config, longest_s=5.0)
    assert (found.state, found.check, found.exit_code) == ("fail", "onnxruntime", 4)
    assert "does not answer" in found.said

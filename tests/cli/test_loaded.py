"""What the loop loads: nothing that another verb needs."""

import subprocess
import sys

TELL = """
import atexit, sys
atexit.register(lambda: print(*{name.split(".")[0] for name in sys.modules}, file=sys.stderr))
from streamer.__main__ import main
main()
"""
# Each belongs to one verb or one encoder, and takes seconds to load on a small board.
OF_OTHER_VERBS = {
    "pandas", "sklearn", "scipy", "matplotlib", "torch", "onnx", "transformers", "river", "joblib",
    "librosa", "numba", "llvmlite", "starlette", "uvicorn", "jinja2", "anyio", "paho",
}  # fmt: skip


def loaded_by_run(streamer_environment, *words: object) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", TELL, "run", *map(str, words)],
        capture_output=True, text=True, env=streamer_environment, check=True,
    )  # fmt: skip
    return set(done.stderr.splitlines()[-1].split())


def test_the_loop_loads_nothing_that_it_does_not_need(streamer_environment, session_file):
    loaded = loaded_by_run(streamer_environment, "--json", "--no-web", "--input", session_file)
    assert not loaded & OF_OTHER_VERBS
    assert {"streamer", "numpy", "onnxruntime", "soundfile", "sqlite3"} <= loaded


def test_the_acoustic_encoder_loads_librosa_and_what_it_stands_on(
    streamer_environment, session_file
):
    words = ("--json", "--encoder", "acoustic", "--max-seconds", 5, "--input", session_file)
    loaded = loaded_by_run(streamer_environment, *words)
    assert {"librosa", "numba", "scipy"} <= loaded
    assert not loaded & {"pandas", "sklearn", "matplotlib", "torch", "river", "starlette"}


def test_pages_load_librosa_beside_the_loop(streamer_environment, session_file):
    """The first picture of a clip is not the one that waits for it."""
    words = ("--json", "--web", "--port", 0, "--max-seconds", 5, "--input", session_file)
    assert {"librosa", "numba", "starlette"} <= loaded_by_run(streamer_environment, *words)

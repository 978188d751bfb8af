"""librosa's functions are compiled by one process, once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Compiling writes a line in place of what numba writes; two processes do it at the same time.
COMPILE = """
import sys, time
from pathlib import Path
from streamer.encoders.acoustic import compilation

def compile_slowly():
    folder = Path(compilation.os.environ["NUMBA_CACHE_DIR"]) / "core"
    folder.mkdir(exist_ok=True)
    with (folder / "compiled").open("a") as file:
        time.sleep(0.3)
        file.write("once\\n")
    if sys.argv[1:] == ["die"]:
        compilation.os._exit(9)

compilation._import_all = compile_slowly
compilation.compile_once()
print(compilation.os.environ["NUMBA_CACHE_DIR"])
"""


def start(above: Path | str, *words: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(above)}
    return subprocess.Popen(
        [sys.executable, "-c", COMPILE, *words], env=environment, text=True, stdout=subprocess.PIPE
    )


def test_only_one_of_several_processes_compiles(tmp_path: Path) -> None:
    outputs = {process.communicate()[0] for process in [start(tmp_path), start(tmp_path)]}
    folder = Path(outputs.pop().strip())
    assert not outputs
    assert folder.parent == tmp_path
    assert (folder / "core" / "compiled").read_text() == "once\n"
    # A process that was started by one of these takes the same folder.
    assert start(folder).communicate()[0].strip() == str(folder)


def test_what_a_killed_process_left_is_compiled_anew(tmp_path: Path) -> None:
    assert start(tmp_path, "die").wait() == 9
    folder = Path(start(tmp_path).communicate()[0].strip())
    assert (folder / "core" / "compiled").read_text() == "once\n"


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs /proc, which takes no folder")
def test_where_nothing_may_be_written_a_process_compiles_for_itself() -> None:
    process = start("/proc/streamer")
    folder = Path(process.communicate()[0].strip())
    assert process.returncode == 0
    assert folder.is_dir()
    folder.rmdir()

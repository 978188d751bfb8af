"""librosa's functions are compiled once on a machine, by one process.

numba compiles them when librosa is imported, some ten seconds of processor time, and keeps the
result in pairs of files. Two processes that compile at once can leave a pair that does not belong
together, and every process that loads it ends with a segmentation fault
(https://github.com/numba/numba/issues/10128). So the files have a folder of Streamer's own, and a
lock is held until a mark tells that all of them are there.
"""

import os
import shutil
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from tempfile import mkdtemp

from filelock import FileLock
from platformdirs import user_cache_path

from streamer.system import make_private_folder

_COMPLETE = "complete"


@cache
def compile_once() -> None:
    """Have librosa's functions compiled. Call it before a function of librosa is imported.

    `NUMBA_CACHE_DIR` names the folder above this program's own, by default the user's cache folder.
    Where that may not be written, the functions are compiled for this process alone.

    Raises
    ------
    ImportError, RuntimeError
        librosa cannot be loaded, or nowhere is a folder for its compiled functions.
    """
    try:
        folder = _folder()
        make_private_folder(folder)
        lock = FileLock(folder.with_name(f"{folder.name}.lock"), mode=0o600)
        lock.acquire()
    except OSError:
        os.environ["NUMBA_CACHE_DIR"] = mkdtemp(prefix="streamer-numba-")
        return
    with lock:
        os.environ["NUMBA_CACHE_DIR"] = str(folder)
        if (folder / _COMPLETE).exists():
            return
        for path in folder.iterdir():  # of a process that ended while it compiled
            shutil.rmtree(path)
        _import_all()
        (folder / _COMPLETE).touch()


def _folder() -> Path:
    """One for each processor and each version of what compiles and of what is compiled."""
    from llvmlite.binding import get_host_cpu_name

    versions = "-".join(version(name) for name in ("numba", "librosa"))
    name = f"librosa-{versions}-{get_host_cpu_name()}"
    above = Path(os.environ.get("NUMBA_CACHE_DIR") or user_cache_path("streamer"))
    if not above.is_absolute():  # a user without a home
        raise OSError(f"{above} is not an absolute path")
    return above if above.name == name else above / name  # a process that this one started


def _import_all() -> None:
    """Import every module of librosa that Streamer uses: numba compiles on import."""
    for part in ("core", "effects", "feature", "filters", "onset", "util"):
        module = import_module(f"librosa.{part}")
        for name in module.__all__:
            getattr(module, name)

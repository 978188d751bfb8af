"""librosa's compiled functions are compiled by one process at a time.

numba keeps what it compiled in files beside librosa. Two processes that compile at once can leave
files that do not belong together; every process that loads them later ends with a segmentation
fault.
"""

import getpass
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock


@contextmanager
def compiling() -> Iterator[None]:
    """Hold the lock while librosa is imported and its functions are called for the first time."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user whom the system does not know
        user = "unknown"
    with FileLock(Path(tempfile.gettempdir()) / f"streamer-librosa-{user}.lock", mode=0o600):
        yield

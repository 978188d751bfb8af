"""librosa's functions are compiled anew in every process that uses them.

numba keeps what it compiled in files, for later processes. With numba 0.68 and librosa 0.11, a
process that loads them may end with a segmentation fault. So each process has a folder of its own
for them, which is deleted when it ends.
"""

import os
import tempfile
from functools import cache


@cache
def compile_here() -> None:
    """Give numba a folder of this process's own. Call it before librosa is imported."""
    folder = tempfile.TemporaryDirectory(prefix="streamer-numba-")
    _kept.append(folder)
    os.environ["NUMBA_CACHE_DIR"] = folder.name


_kept: list[tempfile.TemporaryDirectory[str]] = []

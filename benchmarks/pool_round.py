"""One round of questions to a pool, measured: a process of its own, for `benchmarks.pool`.

    python -m benchmarks.pool_round POOL PROFILE STRATEGY|nothing QUESTIONS

Nothing but the product is imported, so that the peak of the memory is that of `streamer pool ask`.
"""

import json
import os
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from streamer.annotation.pool.asking import choose
from streamer.config import Config
from streamer.loop.pool.pool import Pool
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile

BYTES_PER_MB: Final = 1e6


def measure(folder: Path, profile_folder: Path, strategy: str, questions: int) -> dict[str, Any]:
    """Choosing alone: what is asked is stored in a time that no pool changes."""
    asks = strategy != "nothing"
    config = Config.load(
        home=profile_folder.parent, strategy=strategy if asks else "random", explore=0.0
    )
    pool = Pool(folder)
    with closing(Profile(profile_folder)) as profile:
        profile_model = ProfileModel(profile)
        before, begun_s, cpu_s = read_bytes(), time.perf_counter(), time.process_time()
        scored = 0
        if asks:
            scored = choose(config, profile_model, pool, questions).choice.scored
        return {
            "scored": scored,
            "seconds": time.perf_counter() - begun_s,
            "cpu_s": time.process_time() - cpu_s,
            "read_mb": (read_bytes() - before) / BYTES_PER_MB,
            "peak_mb": peak_bytes() / BYTES_PER_MB,
            "disk_mb": pool.size_bytes() / BYTES_PER_MB,
        }


def read_bytes() -> int:
    """What this process has read, from the disk or from the system's cache."""
    text = Path("/proc/self/io").read_text()
    return int(text.split("rchar:")[1].split()[0])


def peak_bytes() -> int:
    """The most memory of this process; `ru_maxrss` would begin with that of its parent."""
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))

"""What a system tells about its heat, and about the memory of this process. Linux, mostly."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

ZONES: Final = Path("/sys/class/thermal")
STATM: Final = Path("/proc/self/statm")
# What a broken sensor says lies outside.
_PLAUSIBLE_C: Final = (-40.0, 150.0)


def temperature_c(zones: Path = ZONES) -> float | None:
    """The hottest thermal zone in degrees Celsius; None where none can be read."""
    found = []
    for file in zones.glob("thermal_zone*/temp"):
        with suppress(OSError, ValueError):
            found.append(int(file.read_text()) / 1000.0)
    return max((c for c in found if _PLAUSIBLE_C[0] < c < _PLAUSIBLE_C[1]), default=None)


def resident_bytes() -> int | None:
    """The memory that this process holds now; None where the system does not tell."""
    try:
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None


def peak_resident_bytes() -> int | None:
    """The most that this process ever held; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    # Linux counts kilobytes, macOS bytes.
    unit = 1 if os.uname().sysname == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

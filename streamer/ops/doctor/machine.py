"""Checks of the machine: versions, processor, memory, temperature, power."""

import platform
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from streamer import __version__
from streamer.encoders.temperature import temperature_c
from streamer.ops.doctor.finding import Finding, ok, warn
from streamer.text import many

PROC: Final = Path("/proc")
# The Raspberry Pi's firmware: what limits it now, and from bit 16 on, what did since it started.
THROTTLED: Final = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
UNDER_VOLTAGE: Final = 1 << 0 | 1 << 16
# The loop takes about 140 MB.
LEAST_MEMORY_MB: Final = 250
# A Raspberry Pi slows down from 80 degrees on, laptops at 95 to 100.
HOT_C: Final = 80.0
# Instruction sets for fast matrix products, as in /proc/cpuinfo; the first is the minimum.
_USED: Final = {
    "x86": ("avx2", "fma", "avx512f", "avx_vnni", "avx512_vnni"),
    "arm": ("asimd", "asimddp", "i8mm", "bf16", "sve"),
}


def versions() -> Finding:
    said = (
        f"streamer {__version__}, Python {platform.python_version()}, "
        f"{platform.system()} {platform.release()}, {platform.machine()}"
    )
    return ok("versions", said)


def processor(threads: int, proc: Path = PROC, machine: str = platform.machine()) -> Finding:
    """threads: onnxruntime's, from the settings."""
    cores = _usable_cores()
    try:
        cpuinfo = (proc / "cpuinfo").read_text(errors="replace")
    except OSError:
        cpuinfo = ""
    name = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    listed = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    has = set(listed.group(1).split()) if listed else set()
    useful = _USED["arm" if machine.lower().startswith(("arm", "aarch")) else "x86"]
    features = ", ".join(f for f in useful if f in has)
    said = f"{name.group(1) if name else machine}, {many(cores, 'core')}"
    said += f", {features}" if features else ""
    if threads > cores:
        return warn(
            "processor", f"{said}; threads = {threads}", f"set threads = {cores} in the settings"
        )
    if has and useful[0] not in has:
        return warn("processor", f"{said}; without {useful[0]} the encoder is several times slower")
    return ok("processor", said)


def memory() -> Finding:
    found = psutil.virtual_memory()
    free_mb, all_mb = found.available // 2**20, found.total // 2**20
    said = f"{free_mb:,} of {all_mb:,} MB available"
    if free_mb < LEAST_MEMORY_MB:
        return warn("memory", said, "close other programs; the loop takes about 140 MB")
    return ok("memory", said)


def heat() -> Finding:
    celsius = temperature_c()
    if celsius is None:
        return ok("heat", "no sensor readable")
    if celsius >= HOT_C:
        return warn(
            "heat",
            f"{celsius:.0f} °C, where boards slow down",
            "cool it: free its vents or add a fan",
        )
    return ok("heat", f"{celsius:.0f} °C")


def power(throttled: Path = THROTTLED) -> Finding:
    """Whether the voltage of a Raspberry Pi is too low, or was since it started."""
    bits: int | None = None
    with suppress(OSError, ValueError):
        bits = int(throttled.read_text(), 16)
    if bits is None:
        return ok("power", "not reported by this system")
    if bits & UNDER_VOLTAGE:
        return warn(
            "power",
            f"the voltage is or was too low (get_throttled 0x{bits:x}): microphones drop out",
            "use the board's own power supply and a short cable",
        )
    return ok("power", f"enough (get_throttled 0x{bits:x})")


def _usable_cores() -> int:
    process = psutil.Process()
    if hasattr(process, "cpu_affinity"):  # not on macOS
        return len(process.cpu_affinity())
    return psutil.cpu_count() or 1

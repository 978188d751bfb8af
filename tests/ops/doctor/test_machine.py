"""The machine, as files of Linux describe it; and this one."""

from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from streamer.encoders.temperature import temperature_c
from streamer.ops.doctor import machine

PI_4 = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 4 Model B Rev 1.4
"""


class Sensor(NamedTuple):
    current: float


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def test_a_raspberry_pi_is_known_by_name_and_features(tmp_path):
    found = machine.processor(1, write(tmp_path, cpuinfo=PI_4), "aarch64")
    assert found.state == "ok"
    assert "Raspberry Pi 4 Model B" in found.said
    assert "asimd" in found.said
    assert "asimddp" not in found.said


def test_more_threads_than_cores_are_warned_about_with_the_number_to_set(tmp_path):
    found = machine.processor(64, write(tmp_path, cpuinfo=PI_4), "aarch64")
    assert found.state == "warn"
    assert "set threads = " in found.remedy


def test_a_processor_without_what_makes_matrices_fast_is_warned_about(tmp_path):
    old = "model name\t: Old\nflags\t\t: fpu sse sse2 ssse3\n"
    found = machine.processor(1, write(tmp_path, cpuinfo=old), "x86_64")
    assert (found.state, "avx2" in found.said) == ("warn", True)


@pytest.mark.parametrize(("free_kb", "state"), [(120_000, "warn"), (900_000, "ok")])
def test_little_memory_is_warned_about(tmp_path, monkeypatch, free_kb, state):
    text = f"MemTotal: 1000000 kB\nMemFree: 1 kB\nMemAvailable: {free_kb} kB\nCached: 0 kB\n"
    write(tmp_path, meminfo=text + "Buffers: 0 kB\nShmem: 0 kB\nActive: 0 kB\nInactive: 0 kB\n")
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    found = machine.memory()
    assert found.state == state
    assert f"{free_kb // 1024} of 976 MB" in found.said


def test_a_system_that_reports_nothing_is_no_fault(tmp_path, monkeypatch):
    monkeypatch.setattr(psutil, "sensors_temperatures", dict, raising=False)
    for found in (
        machine.heat(), machine.power(tmp_path / "none"), machine.processor(1, tmp_path)
    ):  # fmt: skip
        assert found.state == "ok"


def test_the_hottest_sensor_counts_and_a_broken_one_does_not(monkeypatch):
    """This machine may have no sensor, so their readings are made up."""
    readings = {
        "cpu_thermal": [Sensor(41.5), Sensor(83.2)],
        "broken": [Sensor(-273.0), Sensor(6000.0)],
    }
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: readings, raising=False)
    assert temperature_c() == pytest.approx(83.2)
    assert machine.heat().state == "warn"
    readings["cpu_thermal"].pop()
    assert machine.heat().state == "ok"


@pytest.mark.parametrize(("bits", "state"), [("0x0", "ok"), ("0x50000", "warn"), ("0x1", "warn")])
def test_too_low_a_voltage_is_told_now_and_afterwards(tmp_path, bits, state):
    assert machine.power(write(tmp_path, throttled=bits) / "throttled").state == state

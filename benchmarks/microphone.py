"""The microphone loop, measured on a virtual microphone: start-up, and the cost of silence.

    python -m benchmarks.microphone [--seconds 20]

Needs what the microphone's tests need (PulseAudio and PortAudio; the message says what to install).
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.loop import RESULTS, ROUNDS, machine
from tests.virtual_microphone import VirtualMicrophone, missing


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=20.0, help="of silence, each round")
    options = parser.parse_args()
    if reason := missing():
        raise SystemExit(reason)
    listening, share, resident = [], [], []
    with VirtualMicrophone() as microphone, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "streamer", "run", "--json", "--profile", f"{folder}/p"]
        for _ in range(ROUNDS):
            begun_s = time.perf_counter()
            process = subprocess.Popen(
                command, env=microphone.environment(), stdout=subprocess.PIPE
            )
            assert process.stdout is not None
            process.stdout.readline()
            listening.append(time.perf_counter() - begun_s)
            time.sleep(2.0)
            used_s, from_s = cpu_s(process.pid), time.perf_counter()
            time.sleep(options.seconds)
            share.append((cpu_s(process.pid) - used_s) / (time.perf_counter() - from_s))
            resident.append(resident_mb(process.pid))
            process.send_signal(signal.SIGINT)
            process.communicate()
    figures = {
        "machine": machine(),
        "rounds": ROUNDS,
        "listening_s": statistics.median(listening),
        "silence_core_share": statistics.median(share),
        "resident_mb": max(resident),
    }
    (RESULTS / "microphone.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

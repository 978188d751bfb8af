"""A day of sound through the whole loop, labels arriving, as fast as it goes: what grows?

    python -m benchmarks.soak [--hours 24] [--most-minutes 600] [--speech 0.1]

`streamer run` hears its standard input, as a user pipes sound into it; another process, this one,
answers every second question. Memory, handles, threads and the profile are measured every few
seconds. It passes where memory grows by less than 5 MB after the warm-up, handles and threads do
not change, the profile grows in proportion to what is stored, latency is no longer at the end than
at the start, and no sample is unaccounted for. Needs Linux, and matplotlib for the picture.
"""

import argparse
import json
import os
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loop import RESULTS, STREAMER, machine
from streamer.store.profile import Profile
from streamer.testing import MANNERS, SPEAKERS, synthetic_speech
from streamer.types import SAMPLE_RATE_HZ, Label

MOST_GROWTH_MB = 5.0
WARM_UP = 0.15
EVERY_S = 2.0
SILENCE_S = 10.0


@dataclass(frozen=True)
class Moment:
    """wall_s: since the start; heard_h: hours of sound given so far; profile_mb: with its log."""

    wall_s: float
    heard_h: float
    rss_mb: float
    handles: int
    threads: int
    utterances: int
    profile_mb: float


@dataclass
class Soak:
    moments: list[Moment] = field(default_factory=list)
    latencies_ms: list[float] = field(default_factory=list)
    end: dict[str, Any] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    labels: int = 0
    learned: int = 0
    given_samples: int = 0
    profile_bytes: int = 0
    payload_bytes: int = 0
    stored: int = 0


def sounds(rng: np.random.Generator, count: int = 120) -> dict[str, list[bytes]]:
    """Pieces to put a day together from: speech with its pauses, quiet rooms, noises."""

    def raw(audio: np.ndarray) -> bytes:
        room = audio + rng.normal(0, 10 ** (-60 / 20), len(audio))
        return (room.clip(-1, 1) * 32767).astype("<i2").tobytes()

    speech, pause = [], np.zeros(int(0.9 * SAMPLE_RATE_HZ))
    for _ in range(count):
        emotion, speaker = str(rng.choice(list(MANNERS))), SPEAKERS[rng.integers(len(SPEAKERS))]
        said = synthetic_speech(rng, emotion, rng.uniform(1.0, 4.0), speaker)
        speech.append(raw(np.concatenate([said, pause])))
    size = int(SILENCE_S * SAMPLE_RATE_HZ)
    quiet = [raw(np.zeros(size)) for _ in range(10)]
    noises = [raw(rng.normal(0, 10 ** (rng.uniform(-45, -25) / 20), size)) for _ in range(10)]
    for _ in range(5):
        knocks = np.zeros(size)
        at = rng.integers(0, size - 800, 12)
        for start in at:
            knocks[start : start + 800] += rng.normal(0, 0.3, 800) * np.exp(-np.arange(800) / 150)
        noises.append(raw(knocks))
    return {"speech": speech, "quiet": quiet, "noise": noises}


def day(rng: np.random.Generator, hours: float, speech: float) -> Any:
    """Pieces of sound, so many hours of them: part `speech` of it speech, a tenth noise."""
    pool = sounds(rng)
    left = round(hours * 3600 * SAMPLE_RATE_HZ) * 2
    seconds = statistics.mean(len(piece) for piece in pool["speech"]) / 2 / SAMPLE_RATE_HZ
    # A piece of speech is shorter than one of quiet, so more of them are drawn.
    odds = np.array([speech / seconds, (0.9 - speech) / SILENCE_S, 0.1 / SILENCE_S])
    while left > 0:
        kind = str(rng.choice(["speech", "quiet", "noise"], p=odds / odds.sum()))
        piece = pool[kind][rng.integers(len(pool[kind]))][:left]
        left -= len(piece)
        yield piece


def run(folder: Path, options: argparse.Namespace) -> Soak:
    soak = Soak()
    command = [*STREAMER, "run", "--json", "--input", "-", "--profile", str(folder)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    stopping = threading.Event()

    def feed() -> None:
        assert process.stdin is not None
        for piece in day(np.random.default_rng(0), options.hours, options.speech):
            if stopping.is_set():
                break
            process.stdin.write(piece)
            soak.given_samples += len(piece) // 2
        process.stdin.close()

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        _watch(process, folder, soak, options.most_minutes * 60, stopping)
    finally:
        stopping.set()
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        feeder.join()
    return soak


def _watch(
    process: "subprocess.Popen[bytes]",
    folder: Path,
    soak: Soak,
    most_s: float,
    stopping: threading.Event,
) -> None:
    assert process.stdout is not None
    begun_s = measured_s = time.monotonic()
    profile: Profile | None = None
    utterances, held, asked = 0, b"", []
    while True:
        if select.select([process.stdout], [], [], 0.2)[0]:
            read = os.read(process.stdout.fileno(), 1 << 20)
            if not read:
                break
            *lines, held = (held + read).split(b"\n")
            for event in map(json.loads, lines):
                match event["event"]:
                    case "utterance":
                        utterances += 1
                        soak.latencies_ms.append(event["latency_ms"])
                    case "selection":
                        asked += event["asked"][::2]
                    case "learned":
                        soak.learned += 1
                    case "notice":
                        soak.notices.append(event["text"])
                    case "end":
                        soak.end = event
        if asked:
            profile = profile or Profile(folder)
            rng = np.random.default_rng(asked[0])
            labels = [Label(n, *rng.uniform(-1, 1, 2), None, None, "me") for n in asked]
            soak.labels += len(profile.labels.add(labels, time.time()))
            asked = []
        now_s = time.monotonic()
        if now_s - measured_s >= EVERY_S and (folder / "profile.db").exists():
            measured_s = now_s
            soak.moments.append(_moment(process.pid, folder, now_s - begun_s, soak, utterances))
        if now_s - begun_s > most_s:
            stopping.set()
    process.wait(60)
    if profile is not None:
        profile.close()


def _moment(pid: int, folder: Path, wall_s: float, soak: Soak, utterances: int) -> Moment:
    status = dict(
        line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    size = sum(path.stat().st_size for path in folder.glob("profile.db*"))
    return Moment(
        wall_s=round(wall_s, 1),
        heard_h=round(soak.given_samples / SAMPLE_RATE_HZ / 3600, 4),
        rss_mb=round(int(status["VmRSS"].split()[0]) / 1024, 2),
        handles=len(list(Path(f"/proc/{pid}/fd").iterdir())),
        threads=int(status["Threads"]),
        utterances=utterances,
        profile_mb=round(size / 1e6, 3),
    )


def judge(soak: Soak) -> dict[str, Any]:
    """The figures, and of each claim whether it held."""
    warm = soak.moments[int(WARM_UP * len(soak.moments)) :]
    part = max(1, len(warm) // 5)
    first, last = warm[:part], warm[-part:]
    growth = statistics.median(m.rss_mb for m in last) - statistics.median(m.rss_mb for m in first)
    third = len(soak.latencies_ms) // 3
    early, late = soak.latencies_ms[:third], soak.latencies_ms[-third:]
    end = soak.end
    parts = end["speech_samples"] + end["silence_samples"] + sum(end["dropped_samples"].values())
    p99 = [float(np.percentile(values, 99)) for values in (early, late)]
    claims = {
        "at least 10 minutes": soak.moments[-1].wall_s >= 600,
        "memory grew by less than 5 MB": growth < MOST_GROWTH_MB,
        "handles flat": max(m.handles for m in last) <= max(m.handles for m in first),
        "threads flat": max(m.threads for m in last) <= max(m.threads for m in first),
        "profile as computed": soak.payload_bytes
        <= soak.profile_bytes
        < 1.25 * soak.payload_bytes + 1e6,
        "latency flat": p99[1] < 1.5 * p99[0],
        "every sample accounted for": end["captured_samples"] == parts == soak.given_samples,
        "every label stored": soak.stored == soak.labels,
    }
    return {
        "machine": machine(),
        "hours_of_sound": round(soak.given_samples / SAMPLE_RATE_HZ / 3600, 2),
        "wall_minutes": round(soak.moments[-1].wall_s / 60, 1),
        "utterances": end["utterances"],
        "labels": soak.labels,
        "learned_before_the_end": soak.learned,
        "rss_mb": {"after warm-up": first[0].rss_mb, "end": last[-1].rss_mb},
        "rss_growth_mb": round(growth, 2),
        "handles": [warm[0].handles, warm[-1].handles],
        "threads": [warm[0].threads, warm[-1].threads],
        "profile_mb": round(soak.profile_bytes / 1e6, 2),
        "payload_mb": round(soak.payload_bytes / 1e6, 2),
        "latency_ms": {
            "first third": [round(float(np.percentile(early, q)), 1) for q in (50, 99)],
            "last third": [round(float(np.percentile(late, q)), 1) for q in (50, 99)],
        },
        "end": end,
        "notices": soak.notices[:10],
        "claims": claims,
    }


def weigh(soak: Soak, folder: Path) -> None:
    """The profile's bytes, and those of all that its rows hold, which it must be at least."""
    profile = Profile(folder)
    total = 0
    names = profile.database.rows(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    for (table,) in names:
        columns = [r["name"] for r in profile.database.rows(f"PRAGMA table_info({table})")]
        lengths = " + ".join(f"coalesce(length({column}), 0)" for column in columns)
        row = profile.database.row(f"SELECT coalesce(sum({lengths}), 0) FROM {table}")
        total += int(row[0]) if row else 0
    soak.stored = profile.labels.newest()
    profile.close()
    soak.payload_bytes = total
    soak.profile_bytes = (folder / "profile.db").stat().st_size


def draw(soak: Soak, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(4, 1, figsize=(8, 9), sharex=True)
    hours = [m.heard_h for m in soak.moments]
    for axis, name, unit in zip(
        axes, ("rss_mb", "profile_mb", "handles"), ("MB resident", "MB profile", ""), strict=False
    ):
        axis.plot(hours, [getattr(m, name) for m in soak.moments], label=name)
        axis.set_ylabel(unit or "number")
        axis.set_ylim(bottom=0)
    axes[2].plot(hours, [m.threads for m in soak.moments], label="threads")
    axes[2].legend()
    spread = np.linspace(0, hours[-1], len(soak.latencies_ms))
    axes[3].plot(spread, soak.latencies_ms, ".", markersize=2)
    axes[3].set_ylabel("latency, ms")
    axes[3].set_yscale("log")
    axes[3].set_xlabel("hours of sound")
    figure.suptitle(f"{hours[-1]:.1f} hours of sound through streamer run")
    figure.tight_layout()
    figure.savefig(path, dpi=90)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--most-minutes", type=float, default=600.0)
    parser.add_argument("--speech", type=float, default=0.1)
    parser.add_argument("--out", type=Path, default=RESULTS / "soak.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "profile"
        soak = run(folder, options)
        weigh(soak, folder)
        figures = judge(soak)
    figures["curve"] = [asdict(m) for m in soak.moments[:: max(1, len(soak.moments) // 200)]]
    options.out.write_text(json.dumps(figures, indent=1) + "\n")
    draw(soak, options.out.with_suffix(".png"))
    print(json.dumps({k: v for k, v in figures.items() if k != "curve"}, indent=1))
    sys.exit(not all(figures["claims"].values()))


if __name__ == "__main__":
    main()

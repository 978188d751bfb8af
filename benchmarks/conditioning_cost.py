"""What the ear's checks and repairs cost, as a part of the loop's time, in one run.

    python -m benchmarks.conditioning_cost [RECORDING] [--rounds 5]

A recording (without one: synthetic speech at 48 kHz) goes through the whole loop, several times in
one process. Timers around the methods of each stage take their share of the loop's time. It is
processor time of the thread, so that other programs do not count; a pair of readings costs 0.5 us,
and is counted to the stage.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile

import streamer
from streamer.audio.channels import ChannelMixer
from streamer.audio.clipping import ClippingMeter
from streamer.audio.conditioning.conditioner import Conditioner
from streamer.audio.conditioning.level import LevelFollower
from streamer.audio.resampling import Resampler
from streamer.audio.sound_check import SoundCheck
from streamer.encoders.onnx import OnnxEncoder
from streamer.events import Ended
from streamer.testing import synthetic_session

STAGES: dict[str, list[tuple[type, str]]] = {
    "conditioning: offset, hum, rumble": [(Conditioner, "push"), (Conditioner, "finish")],
    "conditioning: level": [(LevelFollower, "observe")],
    "checks: silence, level, bandwidth": [(SoundCheck, "hear"), (SoundCheck, "judge")],
    "checks: clipping": [(ClippingMeter, "push"), (ClippingMeter, "part")],
    "channels": [(ChannelMixer, "push")],
    "resampling": [(Resampler, "push")],
    "encoder": [(OnnxEncoder, "encode")],
}


def timed(spent_s: dict[str, float], stage: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def call(*arguments: Any, **named: Any) -> Any:
        began_s = time.thread_time()
        try:
            return method(*arguments, **named)
        finally:
            spent_s[stage] += time.thread_time() - began_s

    return call


def once(recording: Path, spent_s: dict[str, float]) -> tuple[float, Ended]:
    """Seconds of the loop, its opening left out, and its end."""
    spent_s.clear()
    with tempfile.TemporaryDirectory() as folder:
        events = iter(streamer.Loop(source=str(recording), profile=folder))
        next(events)
        began_s = time.thread_time()
        *_, end = events
        assert isinstance(end, Ended)
        return time.thread_time() - began_s, end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("recording", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    spent_s: dict[str, float] = defaultdict(float)
    for stage, methods in STAGES.items():
        for owner, name in methods:
            setattr(owner, name, timed(spent_s, stage, getattr(owner, name)))
    with tempfile.TemporaryDirectory() as folder:
        recording = arguments.recording
        if recording is None:
            recording = Path(folder) / "session.wav"
            audio, _ = synthetic_session(np.random.default_rng(0), 48, 48_000)
            soundfile.write(recording, audio, 48_000)
        shares: dict[str, list[float]] = {stage: [] for stage in STAGES}
        speeds = []
        for _ in range(arguments.rounds):
            loop_s, end = once(recording, spent_s)
            speeds.append(end.audio_s / loop_s)
            for stage in STAGES:
                shares[stage].append(spent_s[stage] / loop_s)
    parts = end.speech_samples + end.silence_samples + sum(end.dropped_samples.values())
    print(
        f"{end.utterances} utterances in {end.audio_s:.1f} s, {median(speeds):.0f} times real time"
    )
    print(f"captured {end.captured_samples:,}, accounted for {parts:,}")
    for stage, share in shares.items():
        print(f"{median(share):7.2%}  {stage}")
    ear = [name for name in STAGES if name.startswith(("conditioning", "checks"))]
    total = [sum(values) for values in zip(*(shares[name] for name in ear), strict=True)]
    print(f"{median(total):7.2%}  conditioning and checks together")


if __name__ == "__main__":
    main()

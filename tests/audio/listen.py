"""Listens to a microphone and writes down what it yields; run as a process of its own.

PortAudio reads its environment once and may hang when a sound server breaks, so the tests keep it
out of theirs. Usage: listen.py SAMPLES.npy [DEVICE], until SIGINT. Standard output: one JSON object
a line, the times from `time.monotonic` (one clock for all processes of a machine).
"""

import json
import signal
import sys
import threading
import time

import numpy as np

from streamer.audio.sources.open import open_source
from streamer.errors import StreamerError
from streamer.types import Chunk, Gap, Samples


def listen(path: str, device: str | None) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGINT, lambda number, frame: stop.set())
    began_s = time.monotonic()
    source = open_source(None, device=device)
    opened_s = time.monotonic()
    say(event="start", name=source.name, rate_hz=source.rate_hz, channels=source.channels)
    heard: list[Samples] = []
    longest_silence_s = 0.0
    first_s = yielded_s = time.monotonic()
    for item in source:
        now_s = time.monotonic()
        longest_silence_s = max(longest_silence_s, now_s - yielded_s)
        yielded_s = now_s
        if isinstance(item, Chunk):
            if len(item.samples) and not heard:
                first_s = now_s - len(item.samples) / source.rate_hz
                say(event="first", after_s=now_s - began_s, opening_s=opened_s - began_s)
            if len(item.samples):
                heard.append(item.samples)
        elif isinstance(item, Gap):
            say(event="gap", samples=item.samples, reason=item.reason, at=sum(map(len, heard)))
        else:
            say(event="notice", text=item.text)
        if stop.is_set():
            break
    closing_s = time.monotonic()
    source.close()
    samples = np.concatenate(heard)
    np.save(path, samples)
    say(
        event="end",
        samples=len(samples),
        listened_s=closing_s - first_s,
        closing_s=time.monotonic() - closing_s,
        cpu_s=time.process_time(),
        longest_silence_s=longest_silence_s,
    )


def say(**fields: object) -> None:
    print(json.dumps({"time_s": time.monotonic(), **fields}), flush=True)


if __name__ == "__main__":
    try:
        listen(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    except StreamerError as error:
        say(event="error", kind=type(error).__name__, text=str(error))
        sys.exit(error.exit_code)

"""Stop a listening process at random moments, many times, and check that it lost nothing.

    python -m benchmarks.kill_loop [--times 100] [--signal KILL|INT]

After every stop: each utterance that it had told of and each label that the store had acknowledged
is there, the database is whole, and the learned state equals a replay of the rows, bit for bit.
"""

import argparse
import json
import signal
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.loop import RESULTS, machine
from streamer.testing import synthetic_session
from tests.killing import check_state, hear_label_and_kill


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--signal", choices=["KILL", "INT"], default="KILL")
    options = parser.parse_args()
    how = signal.Signals[f"SIG{options.signal}"]
    rng = np.random.default_rng(0)
    utterances: list[int] = []
    labels: list[int] = []
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        recording, folder = Path(name) / "session.wav", Path(name) / "profile"
        audio, _ = synthetic_session(np.random.default_rng(3), 24)
        soundfile.write(recording, audio, 16_000)
        for number in range(1, options.times + 1):
            told, given = hear_label_and_kill(folder, recording, rng, how, 4.0)
            utterances += told
            labels += given
            check_state(folder, utterances, labels)
            if number % 10 == 0:
                print(f"{number}: {len(utterances)} utterances, {len(labels)} labels, none lost")
    figures = {
        "machine": machine(),
        "signal": how.name,
        "times": options.times,
        "utterances_told_of": len(utterances),
        "labels_acknowledged": len(labels),
        "seconds": round(time.monotonic() - begun_s, 1),
    }
    path = RESULTS / f"kill_loop_{options.signal.lower()}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()

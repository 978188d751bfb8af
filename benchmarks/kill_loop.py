"""Stop a listening process at random moments, many times, and check that it lost nothing.

    python -m benchmarks.kill_loop [--times 100] [--signal KILL|INT]

After every stop: each utterance that it had told of and each label that the store had acknowledged
is there, the database is whole, and the learned state equals a replay of the rows, bit for bit.
At the end the rows are told to a profile that was never killed, whose state must be the same.
"""

import argparse
import json
import os
import signal
import tempfile
import time
from pathlib import Path

# As the command line does, before numpy is loaded: only so are sums the same to the last bit.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import soundfile

from benchmarks.loop import RESULTS, machine
from streamer.loop.profile_model import ProfileModel
from streamer.profiles.archive.reading import import_profile
from streamer.profiles.archive.writing import export_profile
from streamer.store.profile import Profile
from streamer.testing import synthetic_session
from tests.kill_process import check_state, hear_label_and_kill
from tests.support import same_arrays

# Stops of one profile: every one is followed by a replay of all of its rows.
A_PROFILE = 25


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--signal", choices=["KILL", "INT"], default="KILL")
    options = parser.parse_args()
    how = signal.Signals[f"SIG{options.signal}"]
    rng = np.random.default_rng(0)
    begun_s = time.monotonic()
    told = given = done = 0
    with tempfile.TemporaryDirectory() as name:
        recording = Path(name) / "session.wav"
        audio, _ = synthetic_session(np.random.default_rng(3), 24)
        soundfile.write(recording, audio, 16_000)
        while done < options.times:
            times = min(A_PROFILE, options.times - done)
            done += times
            utterances, labels = one_profile(Path(name) / str(done), recording, rng, how, times)
            told += utterances
            given += labels
            print(f"{done}: {told} utterances, {given} labels, none lost", flush=True)
    figures = {
        "machine": machine(),
        "signal": how.name,
        "times": options.times,
        "utterances_told_of": told,
        "labels_acknowledged": given,
        "seconds": round(time.monotonic() - begun_s, 1),
    }
    path = RESULTS / f"kill_loop_{options.signal.lower()}.json"
    path.write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures, indent=2))


def one_profile(
    place: Path, recording: Path, rng: np.random.Generator, how: signal.Signals, times: int
) -> tuple[int, int]:
    """Stop it so many times; how many utterances it told of, and labels it acknowledged."""
    utterances: list[int] = []
    labels: list[int] = []
    for _ in range(times):
        told, given = hear_label_and_kill(place / "profile", recording, rng, how, 4.0)
        utterances += told
        labels += given
        check_state(place / "profile", utterances, labels)
    check_against_unkilled(place / "profile", place / "exported", place / "unkilled")
    return len(utterances), len(labels)


def check_against_unkilled(folder: Path, exported: Path, unkilled: Path) -> None:
    """The same rows, told to one process without a break, give the same state to the last bit."""
    killed, whole = Profile(folder), Profile(unkilled)
    if killed.is_empty():  # it was never let come so far
        return
    profile_model = ProfileModel(killed)
    profile_model.catch_up()
    profile_model.save()
    export_profile(killed, exported, {})
    import_profile(whole, exported, None)
    for state in ("usual", "learner"):
        mine, other = killed.load_state(state), whole.load_state(state)
        if mine is None or other is None or not same_arrays(mine[0], other[0]):
            raise SystemExit(f"the state {state!r} is not that of a run that was never killed")
    killed.close()
    whole.close()


if __name__ == "__main__":
    main()

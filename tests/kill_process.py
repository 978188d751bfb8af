"""Kill a listening process under load, and check that nothing acknowledged was lost."""

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from streamer.learners.normalization import SMALLEST_DEVIATION, RunningNormalization
from streamer.learners.voice_drift import VoiceDriftDetector
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from streamer.types import Label
from tests.support import events_of


def hear_label_and_kill(
    folder: Path,
    recording: Path,
    rng: np.random.Generator,
    how: signal.Signals = signal.SIGKILL,
    longest_s: float = 2.5,
) -> tuple[list[int], list[int]]:
    """Run on a recording, answer at random while it runs, then send `how` at a random moment.

    One in five is sent while the process starts, the others after its first event, so that a slow
    machine is stopped under load too. Returns the utterances that it had told of, and the labels
    that the store had acknowledged.
    """
    command = [sys.executable, "-m", "streamer", "run", "--json", "--buffer", "4"]
    command += ["--again", "--input", str(recording), "--profile", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=False)
    waits = rng.random() < 0.8
    until_s = time.monotonic() + rng.uniform(0.2, longest_s)
    profile = Profile(folder)
    output, labels = b"", []
    assert process.stdout is not None
    while (time.monotonic() < until_s or (waits and not output)) and process.poll() is None:
        if select.select([process.stdout], [], [], 0.02)[0]:
            if waits and not output:
                until_s = time.monotonic() + rng.uniform(0.0, longest_s)
            output += os.read(process.stdout.fileno(), 65_536)
        queries = profile.queries.open()
        if queries:
            chosen = queries[rng.integers(len(queries))].utterance.id
            label = Label(chosen, rng.uniform(-1, 1), rng.uniform(-1, 1), None, "anger", "me")
            labels += profile.labels.add([label], time.time())
        if labels and rng.random() < 0.1:
            profile.labels.undo(1, time.time())
    process.send_signal(how)
    output += process.stdout.read()
    process.wait(30)
    profile.close()
    whole = output[: output.rfind(b"\n") + 1].decode()
    return [e["id"] for e in events_of(whole) if e["event"] == "utterance"], labels


def check_state(folder: Path, utterances: list[int], labels: list[int]) -> None:
    """Everything acknowledged is there, and the state is what replaying the rows gives."""
    profile = Profile(folder)
    log = {entry.seq for entry in profile.labels.log()}
    assert set(labels) <= log
    for number in utterances:
        profile.utterances.get(number)
    if not profile.is_empty():
        _check_usual(profile)
        _check_learner(profile)
    assert profile.database.rows("PRAGMA integrity_check")[0][0] == "ok"
    assert not profile.database.rows("PRAGMA foreign_key_check")
    profile.close()


def _check_usual(profile: Profile) -> None:
    prior, kept = profile.prior(), profile.load_state("usual")
    replayed = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
    voice = VoiceDriftDetector()
    rows = profile.database.rows("SELECT embedding FROM utterances ORDER BY id")
    for place, row in enumerate(rows, 1):
        embedding = np.frombuffer(row["embedding"], "<f4").astype(np.float64)
        before = replayed.weight
        replayed.update(embedding)
        apart = (embedding - prior.embedding_mean) / np.maximum(
            prior.embedding_deviation, SMALLEST_DEVIATION
        )
        voice.hear(place, apart, replayed.weight - before)
    if kept is None:
        assert replayed.count == 0
        return
    for name, array in replayed.to_arrays().items():
        assert np.array_equal(kept[0][f"embedding/{name}"], array)
    for name, array in voice.to_arrays().items():
        assert np.array_equal(kept[0][f"voice/{name}"], array)


def _check_learner(profile: Profile) -> None:
    profile_model = ProfileModel(profile)
    profile_model.catch_up()
    replayed = ProfileModel(profile)
    replayed.start_over()
    replayed.catch_up()
    assert replayed.model.labels == profile_model.model.labels == profile.labels.count()
    for name, array in profile_model.model.learner.to_arrays().items():
        assert np.array_equal(replayed.model.learner.to_arrays()[name], array)

"""Small helpers: reading what the command line prints, and filling a profile by hand."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from streamer.learners.prior import Prior
from streamer.store.profile import Profile
from streamer.types import (
    DIMENSIONS,
    Estimate,
    Label,
    Prediction,
    Quality,
    Samples,
    Utterance,
    Verdict,
)

# A program: take over the profile in argv[1], say so, hold it until a line or the end comes.
HOLDER = """
import sys
from pathlib import Path
from streamer.store.profile import Profile

profile = Profile(Path(sys.argv[1]))
print(profile.take_over("streamer run", listens=True), flush=True)
sys.stdin.readline()
profile.close()
"""


def events_of(output: str) -> list[dict[str, Any]]:
    """The objects of JSON lines; fails where a line is anything else."""
    return [json.loads(line) for line in output.splitlines()]


def named(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name]


def without_latency(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What has to be the same when the same is heard again."""
    varying = ("latency_ms", "realtime_factor")
    return [{k: v for k, v in event.items() if k not in varying} for event in events]


def balance(end: dict[str, Any]) -> int:
    """captured - speech - silence - dropped of an end event: 0 when none is missing."""
    parts = end["speech_samples"] + end["silence_samples"] + sum(end["dropped_samples"].values())
    return int(end["captured_samples"] - parts)


def made_prior(rng: np.random.Generator, size: int = 6, emotion_size: int = 4) -> Prior:
    """What an encoder might know of voices: random, but a prior that says something."""
    return Prior(
        embedding_mean=rng.normal(size=size),
        embedding_deviation=rng.uniform(0.5, 2.0, size),
        emotion_mean=rng.normal(size=emotion_size) / 10,
        weights=rng.normal(size=(size, len(DIMENSIONS))) / 5,
        intercept=rng.uniform(-0.2, 0.2, len(DIMENSIONS)),
        noise=rng.uniform(0.2, 0.5, len(DIMENSIONS)),
    )


def bound_profile(folder: Path, prior: Prior | None = None) -> Profile:
    """An open profile that belongs to an encoder; made when it is not there."""
    profile = Profile(folder)
    if profile.is_empty():
        profile.bind("made", "ab" * 32, prior or made_prior(np.random.default_rng(5)))
    return profile


def store_utterance(
    profile: Profile, embedding: Samples | None = None, emotion: Samples | None = None
) -> int:
    """One utterance without sound, as a session would store it; its id."""
    if not profile.database.rows("SELECT 1 FROM sessions"):
        profile.sessions.begin("file", "made.wav", 0.0)
    heard = Utterance("made.wav", 1.0, 2.5, np.zeros(0, np.float32), Quality(-20.0, 30.0, False))
    estimate = Estimate(0.1, -0.4, 0.6)
    return profile.utterances.add(
        session=1,
        utterance=heard,
        embedding=np.ones(6, np.float32) if embedding is None else embedding,
        emotion=np.ones(4, np.float32) / 2 if emotion is None else emotion,
        prediction=Prediction(estimate, estimate, estimate),
        verdict=Verdict(None, None, {}),
        informativeness=-0.25,
        heard_at=100.0,
    )


def label_of(utterance: int, annotator: str = "me", **answers: Any) -> Label:
    """A label that answers only what is named: valence, arousal, dominance, emotion."""
    given = {"valence": None, "arousal": None, "dominance": None, "emotion": None} | answers
    return Label(utterance=utterance, annotator=annotator, **given)


def same_arrays(some: Mapping[str, Any], others: Mapping[str, Any]) -> bool:
    """The same names, shapes and bits, in the same order."""
    return list(some) == list(others) and all(
        np.shape(some[name]) == np.shape(others[name])
        and np.asarray(some[name]).tobytes() == np.asarray(others[name]).tobytes()
        for name in some
    )

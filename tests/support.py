"""Small helpers: reading what the command line prints, and filling a profile by hand."""

import json
from collections.abc import Mapping
from dataclasses import replace
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


def made_voices(
    rng: np.random.Generator, size: int = 6, emotion_size: int = 4, emotions: int = 5
) -> Prior:
    """As `made_prior`, with every part that a fitted one has."""
    directions = np.linalg.qr(rng.normal(size=(size, 2)))[0]
    prototypes = rng.normal(size=(emotions, emotion_size))
    return replace(
        made_prior(rng, size, emotion_size),
        weights=np.zeros((size, len(DIMENSIONS))),
        intercept=np.zeros(len(DIMENSIONS)),
        class_weights=rng.normal(size=(size, emotions)),
        class_intercept=rng.normal(size=emotions),
        class_affect=rng.uniform(-1, 1, (emotions, len(DIMENSIONS))),
        offset_variance=rng.uniform(0.2, 0.6, len(DIMENSIONS)),
        weight_variance=rng.uniform(2.0, 8.0, len(DIMENSIONS)),
        damped_directions=directions,
        damping=np.array([0.7, 0.3]),
        prototypes=prototypes / np.linalg.norm(prototypes, axis=1, keepdims=True),
        prototype_names=np.array(["anger", "fear", "joy", "neutral", "sadness"][:emotions]),
        prototype_thresholds=rng.uniform(0.5, 0.8, emotions),
        prototype_weight=np.array([2.0]),
    )


def bound_profile(folder: Path, prior: Prior | None = None) -> Profile:
    """An open profile that belongs to an encoder; made when it is not there."""
    profile = Profile(folder)
    if profile.is_empty():
        profile.bind("made", "ab" * 32, prior or made_prior(np.random.default_rng(5)))
    return profile


GOOD = Quality(-20.0, 30.0, False)


def store_utterance(
    profile: Profile,
    embedding: Samples | None = None,
    emotion: Samples | None = None,
    quality: Quality = GOOD,
) -> int:
    """One utterance without sound, as a session would store it; its id."""
    if not profile.database.rows("SELECT 1 FROM sessions"):
        profile.sessions.begin("file", "made.wav", 0.0)
    utterance = Utterance("made.wav", 1.0, 2.5, np.zeros(0, np.float32), quality)
    estimate = Estimate(0.1, -0.4, 0.6)
    return profile.utterances.add(
        session=1,
        utterance=utterance,
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

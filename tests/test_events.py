"""Events as JSON: the contract's keys, in its order, with plain values only."""

import json

import pytest

from streamer.events import (
    Drifted,
    Ended,
    Heard,
    Learned,
    Noticed,
    Selected,
    Started,
    Unlearned,
    to_json,
)
from streamer.types import Estimate, Prediction, Quality, Verdict

ESTIMATE = Estimate(-0.31, -0.74, 0.12)
HEARD = Heard(
    id=17,
    source="a.wav",
    onset_s=12.416,
    offset_s=14.08,
    prediction=Prediction(ESTIMATE, Estimate(0.5, 0.0, 1.0), Estimate(0.0, -1.0, 1.0)),
    verdict=Verdict("anger", 0.21, {"anger": 0.21, "neutral": 0.48}),
    informativeness=-0.08,
    quality=Quality(-20.0, 21.4, False),
    latency_ms=9.7,
)
STARTED = Started(
    version="0.1.0",
    profile="default",
    encoder={"name": "small", "sha256": "ab", "embedding_size": 256},
    source={"kind": "file", "name": "a.wav", "rate_hz": 48_000, "channels": 1},
)
ENDED = Ended(
    captured_samples=10,
    speech_samples=4,
    silence_samples=5,
    dropped_samples={"overflow": 1},
    utterances=1,
    asked=1,
    released=0,
    audio_s=0.1,
    realtime_factor=0.02,
)
# What the contract lists, in its order; additions are welcome beside it.
CONTRACT = [
    (STARTED, "start", "version profile encoder source"),
    (
        HEARD,
        "utterance",
        "id source onset_s offset_s valence arousal dominance verdict informativeness quality "
        "latency_ms",
    ),
    (
        Selected(2, "random", "at random", [17, 12], [11]),
        "selection",
        "buffer strategy asked released",
    ),
    (Learned(12, "me", 31), "learned", "utterance annotator labels"),
    (Unlearned(30), "unlearned", "labels"),
    (
        Drifted("labels", "valence", 120, 150, 0.2, 0.6, "labels changed"),
        "drift",
        "cause signal since found before after text",
    ),
    (Noticed("the microphone is back"), "notice", "text"),
    (
        ENDED,
        "end",
        "captured_samples speech_samples silence_samples dropped_samples utterances asked "
        "released audio_s realtime_factor",
    ),
]


@pytest.mark.parametrize(("event", "name", "keys"), CONTRACT, ids=[name for _, name, _ in CONTRACT])
def test_has_the_contracts_keys_in_its_order(event, name, keys):
    plain = to_json(event)
    assert next(iter(plain)) == "event"
    assert plain["event"] == name
    assert [key for key in plain if key in keys.split()] == keys.split()
    again = json.loads(json.dumps(plain, allow_nan=False))
    assert list(again) == list(plain)


def test_an_utterance_reads_as_in_the_contract():
    plain = json.loads(json.dumps(to_json(HEARD)))
    assert plain == {
        "event": "utterance",
        "id": 17,
        "source": "a.wav",
        "onset_s": 12.416,
        "offset_s": 14.08,
        "valence": {"mean": -0.31, "low": -0.74, "high": 0.12},
        "arousal": {"mean": 0.5, "low": 0.0, "high": 1.0},
        "dominance": {"mean": 0.0, "low": -1.0, "high": 1.0},
        "verdict": {
            "emotion": "anger",
            "distance": 0.21,
            "distances": {"anger": 0.21, "neutral": 0.48},
            "own": True,
        },
        "informativeness": -0.08,
        "quality": {
            "level_dbfs": -20.0,
            "snr_db": 21.4,
            "clipped": False,
            "trust": 1.0,
            "gain_db": 0.0,
        },
        "latency_ms": 9.7,
    }


def test_what_is_not_known_is_null():
    unknown = Heard(
        **{
            name: getattr(HEARD, name)
            for name in ("id", "source", "onset_s", "offset_s", "prediction", "quality")
        },
        verdict=Verdict(None, None, {}),
        informativeness=None,
        latency_ms=1.0,
    )
    plain = to_json(unknown)
    assert plain["informativeness"] is None
    assert plain["verdict"] == {"emotion": None, "distance": None, "distances": {}, "own": True}


def test_selection_and_end_read_as_in_the_contract():
    selected = to_json(Selected(2, "random", "at random", [17, 12], [11]))
    assert selected["asked"] == [17, 12]
    assert selected["released"] == [11]
    assert to_json(ENDED)["dropped_samples"] == {"overflow": 1}


def test_an_event_is_not_changed_by_being_written():
    to_json(HEARD)
    assert HEARD.prediction.valence == ESTIMATE
    with pytest.raises(AttributeError):
        HEARD.id = 18

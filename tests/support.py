"""Small helpers for reading what the command line prints."""

import json
from typing import Any


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
    """captured - speech - silence - dropped of an end event: 0 when every sample is accounted for."""
    parts = end["speech_samples"] + end["silence_samples"] + sum(end["dropped_samples"].values())
    return int(end["captured_samples"] - parts)

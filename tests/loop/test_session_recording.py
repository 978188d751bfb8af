"""Two actors, 56 utterances with pauses over noise, with their true bounds."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from streamer.audio.endpointer import Endpointer
from streamer.audio.vad import SileroVoiceActivity
from streamer.types import SAMPLE_RATE_HZ, Samples, Span

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "data" / "wav"
ONSET_S = 0.25
OFFSET_S = 0.5

pytestmark = pytest.mark.skipif(
    not (RECORDINGS / "session_48k.flac").exists(),
    reason="no ../shared/data/wav/session_48k.flac beside the project",
)


@pytest.fixture(scope="module")
def truth() -> list[tuple[float, float]]:
    with (RECORDINGS / "session_48k.csv").open(newline="") as file:
        return [(float(row["onset_s"]), float(row["offset_s"])) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def sound() -> Samples:
    """At 16 kHz, by the streaming resampler."""
    samples, rate_hz = soundfile.read(RECORDINGS / "session_48k.flac", dtype="float32")
    stream = soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality="HQ")
    return np.asarray(stream.resample_chunk(samples, last=True))


def found_one_to_one(spans: list[Span], truth: list[tuple[float, float]]) -> int:
    """True utterances that one span covers, which covers no other, with both bounds near."""
    bounds = [(s.start_sample / SAMPLE_RATE_HZ, s.end_sample / SAMPLE_RATE_HZ) for s in spans]
    found = 0
    for onset_s, offset_s in truth:
        over = [(a, b) for a, b in bounds if a < offset_s and b > onset_s]
        if len(over) != 1:
            continue
        start_s, end_s = over[0]
        alone = sum(a < end_s and b > start_s for a, b in truth) == 1
        near = abs(start_s - onset_s) <= ONSET_S and abs(end_s - offset_s) <= OFFSET_S
        found += alone and near
    return found


def false_spans(spans: list[Span], truth: list[tuple[float, float]]) -> int:
    return sum(
        not any(
            s.start_sample < b * SAMPLE_RATE_HZ and s.end_sample > a * SAMPLE_RATE_HZ
            for a, b in truth
        )
        for s in spans
    )


def test_55_of_56_utterances_are_found_as_one_each(
    sound: Samples, truth: list[tuple[float, float]]
) -> None:
    endpointer = Endpointer(SileroVoiceActivity())
    heard = []
    for at in range(0, len(sound), 1_600):
        heard += endpointer.hear(sound[at : at + 1_600])
    heard += endpointer.finish()
    spans = [span for span, _, _ in heard]
    assert len(truth) == 56
    assert found_one_to_one(spans, truth) >= 55
    assert false_spans(spans, truth) <= 1
    assert endpointer.speech_samples + endpointer.silence_samples == len(sound)
    for _, _, quality in heard:
        assert 10 < quality.snr_db < 50
        assert not quality.clipped

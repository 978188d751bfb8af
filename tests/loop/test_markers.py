"""Event markers on the clock of the source."""

import numpy as np
import pytest

from streamer.errors import UsageError
from streamer.events import ClockFitted, Marked
from streamer.loop.markers import MarkerTrack
from streamer.types import Chunk

RATE_HZ = 16_000
BLOCK = 480


class Room:
    """A sound card with a drift and a jitter, and a stimulus at known samples."""

    def __init__(self, profile, drift: float = 60e-6, jitter_s: float = 0.01) -> None:
        self.now_s = 100.0
        self.drift = drift
        self.jitter_s = jitter_s
        self.rng = np.random.default_rng(11)
        session = profile.sessions.begin("microphone", "mic", 0.0)
        self.track = MarkerTrack(
            profile.markers, session, lambda: 1.7e9 + self.now_s, lambda: self.now_s
        )
        self.events: list = []

    def true_s(self, source_s: float) -> float:
        return 100.0 + source_s * (1 + self.drift)

    def run(self, seconds: float, stimuli: dict[float, str]) -> None:
        due = sorted(stimuli)
        for first in range(0, round(seconds * RATE_HZ), BLOCK):
            while due and due[0] < (first + BLOCK) / RATE_HZ:
                self.now_s = self.true_s(due[0])
                self.track.mark(stimuli[due.pop(0)])
            late_s = self.rng.exponential(self.jitter_s)
            self.now_s = self.true_s((first + BLOCK) / RATE_HZ) + late_s
            arrived_s = self.true_s(first / RATE_HZ) + late_s
            self.track.hear(Chunk(np.zeros((BLOCK, 1), np.float32), RATE_HZ, "mic", arrived_s))
            self.events += self.track.take()


def test_markers_and_utterances_are_on_one_clock_within_20_ms(profile):
    room = Room(profile)
    onsets = [2.0 + 7.31 * count for count in range(30)]  # where utterances begin, in samples
    room.run(230, {onset_s: f"stimulus {onset_s}" for onset_s in onsets})
    marked = [event for event in room.events if isinstance(event, Marked)]
    assert len(marked) == 30
    for event, onset_s in zip(marked, onsets, strict=True):
        assert abs(event.at_s - onset_s) < 0.02
        assert event.error_s is not None
        assert abs(event.at_s - onset_s) <= event.error_s + 0.002
        assert event.unix_s == pytest.approx(1.7e9 + room.true_s(onset_s), abs=1e-3)


def test_they_are_stored_as_they_are_told(profile):
    room = Room(profile)
    room.run(5, {3.0: "a", 4.0: "b"})
    told = [event for event in room.events if isinstance(event, Marked)]
    kept = profile.markers.of_session(1)
    assert [(one.id, one.name, one.at_s, one.error_s, one.origin) for one in kept] == [
        (one.id, one.name, one.at_s, one.error_s, "python") for one in told
    ]
    assert profile.markers.of_session(2) == []


def test_the_line_of_the_clock_comes_first_often_then_seldom(profile):
    room = Room(profile)
    room.run(200, {})
    fits = [event.source_s for event in room.events if isinstance(event, ClockFitted)]
    assert np.round(fits).tolist() == [2, 4, 8, 16, 32, 64, 124, 184]


@pytest.mark.parametrize("name", ["", " ", "x" * 65, "a\x00"])
def test_an_invalid_name_is_refused_at_once(profile, name):
    with pytest.raises(UsageError, match="marker"):
        Room(profile).track.mark(name)


def test_a_recordings_marker_is_where_it_was_processed_to(profile):
    track = Room(profile).track
    track.hear(Chunk(np.zeros((RATE_HZ, 1), np.float32), RATE_HZ, "a.wav"))
    track.mark("half")
    (event,) = track.take()
    assert (event.at_s, event.error_s, event.source) == (1.0, None, "a.wav")

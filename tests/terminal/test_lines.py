"""Events in words, and as a panel."""

import io
from dataclasses import replace
from typing import get_args

import pytest
from rich.console import Console

from streamer.events import (
    AUDIO_KEPT,
    Drifted,
    Ended,
    Heard,
    Learned,
    Noticed,
    Selected,
    Started,
    Status,
    Unlearned,
)
from streamer.loop.retention import Privacy
from streamer.terminal.lines import clock, describe
from streamer.terminal.panel import LivePanel, bar
from streamer.types import Estimate, Prediction, Quality, Verdict

ESTIMATE = Estimate(-0.5, -1.0, 0.25)
HEARD = Heard(
    id=7,
    source="mic",
    onset_s=62.46,
    offset_s=64.0,
    prediction=Prediction(ESTIMATE, ESTIMATE, ESTIMATE),
    verdict=Verdict(None, 0.95, {"joy": 0.95}),
    informativeness=-0.1,
    quality=Quality(-20.0, 25.0, True),
    latency_ms=9.0,
)
STARTED = Started("1.0", "default", {"name": "small"}, {
    "kind": "microphone", "name": "USB", "rate_hz": 48_000, "channels": 2,
})  # fmt: skip
DRIFTED = Drifted("labels", "valence", 120, 150, 0.2, 0.6, "labels changed at utterance 120")
ENDED = Ended(100, 60, 30, {"overflow": 10}, 2, 1, 1, 3725.04, 0.02)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (62.46, "1:02.5"), (3725, "1:02:05.0")]
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_every_event_has_its_line() -> None:
    told = [
        describe(event)
        for event in (
            STARTED, HEARD, Selected(1, "random", "at random", [7], [8, 9]),
            Learned(7, "me", 3), Unlearned(2), Noticed("gone"), ENDED, DRIFTED,
        )
    ]  # fmt: skip
    assert "USB (48000 Hz, 2 ch); keeps the audio of open questions only" in told[0]
    assert "1:02.5-1:04.0" in told[1]
    assert "unknown (0.95)" in told[1]
    assert told[1].endswith("clipped")
    assert "asks #7 (at random); releases 2" in told[2]
    assert "overflow 10" in told[6]
    assert "50 times real time" in told[6]
    assert told[7] == "drift: labels changed at utterance 120"


@pytest.mark.parametrize("privacy", get_args(Privacy))
def test_it_is_said_which_audio_is_kept(privacy: str) -> None:
    started = replace(STARTED, privacy=privacy)
    assert describe(started).endswith(AUDIO_KEPT[privacy])


def test_the_bar_shows_mean_and_interval() -> None:
    text = bar(Estimate(0.0, -1.0, 0.5), cells=5).plain
    assert text == "━━●━─ +0.00"
    for mean in (-1.0, 1.0):
        assert bar(Estimate(mean, mean, mean)).plain.count("●") == 1


def test_the_panel_shows_what_goes_on() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=110, no_color=True)
    panel = LivePanel(console)
    panel.emit(STARTED)
    panel.emit(HEARD)
    panel.emit(Selected(1, "random", "at random", [7], []))
    panel.tick(lambda: Status(-20.0, True, (1, 4), 3, 5, 7, 64.0, {"overflow": 10}))
    panel.emit(Noticed("the device is gone"))
    panel.emit(ENDED)
    shown = out.getvalue()
    assert "listening, keeps the audio of open questions only" in shown
    for text in ("USB", "speech", "1/4", "unknown (0.95)", "ask", "the device is gone", "captured"):
        assert text in shown

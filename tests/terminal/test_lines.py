"""Events in words, and as a panel."""

import io
import re
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
from streamer.terminal.lines import PlainLines, clock, describe
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
    panel = LivePanel(console, blind=False)
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


NAMED = replace(
    HEARD,
    id=12_345,
    onset_s=4_000.0,
    verdict=Verdict("frustrated", 0.21, {"frustrated": 0.21}, own=False),
)
LONG = "the microphone went away; listening goes on by itself when it is back, nothing is lost"


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (60, 20)])
def test_the_panel_fits_the_terminal_and_cuts_no_number_and_no_verdict(
    width: int, height: int
) -> None:
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=width, height=height, no_color=True)
    address = "http://127.0.0.1:8765/?token=" + "x" * 43
    panel = LivePanel(console, address=lambda: address)
    panel.emit(STARTED)
    for number in range(12):
        panel.emit(replace(NAMED, id=NAMED.id + number))
    panel.emit(Selected(1, "random", "least sure of valence and arousal", [12_340], [12_341]))
    panel.emit(Noticed(LONG))
    before = len(drawn.getvalue())
    panel.tick(lambda: Status(-20.0, True, (3, 10), 5, 31, 12, 4_060.0, {"overflow": 1_000}))
    shown = "\n".join(console_lines(drawn.getvalue()[before:]))
    panel.close()
    newest = str(NAMED.id + 11)
    (row,) = [line for line in shown.splitlines() if newest in line][:1]
    for part in (newest, "1:06:40.0", "-0.50"):
        assert part in row
    assert row.count("-0.50") == 2
    flat = " ".join(re.sub(r"[│╭╮╰╯─]", " ", shown).split())
    for part in ("frustrated", "(usual voices, 0.21)", "3/10", "-20 dBFS", "1:07:40.0", "1,000"):
        assert part in flat.replace("( ", "("), part
    assert "…" not in row
    assert address in shown.replace("│", "").replace("\n", "").replace(" ", "")
    assert "Ctrl-C stops and saves" in flat
    if width >= 80:
        assert "nothing is lost" in flat
    assert max(map(len, shown.splitlines())) <= width
    assert len(shown.splitlines()) < height


@pytest.mark.parametrize(("width", "is_told"), [(120, True), (80, False)])
def test_how_it_sounds_is_told_where_there_is_room_and_not_of_open_questions(
    width: int, is_told: bool
) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, height=24, no_color=True)
    words = {7: "louder, higher than usual", 8: "about as usual"}
    panel = LivePanel(console, sounds=lambda utterance: words.get(utterance, ""))
    panel.emit(STARTED)
    panel.emit(HEARD)
    panel.emit(replace(HEARD, id=8))
    panel.emit(Selected(1, "random", "at random", [8], [7]))
    panel.tick(lambda: Status(-20.0, True, (3, 10), 1, 0, 2, 4.0))
    shown = "\n".join(console_lines(out.getvalue()))
    panel.close()
    assert ("louder, higher than usual" in shown) == is_told
    assert "about as usual" not in shown
    assert max(map(len, shown.splitlines())) <= width


def test_bars_give_way_first() -> None:
    def drawn(width: int) -> str:
        out = io.StringIO()
        console = Console(file=out, force_terminal=True, width=width, height=24, no_color=True)
        panel = LivePanel(console)
        panel.emit(STARTED)
        panel.emit(replace(HEARD, verdict=Verdict("anger", 0.21, {"anger": 0.21}, own=False)))
        panel.tick(lambda: Status(-20.0, True, (3, 10), 5, 31, 12, 4_060.0))
        shown = console_lines(out.getvalue())
        panel.close()
        return next(line for line in shown if "1:02.5" in line)

    cells = [drawn(width).count("━") + drawn(width).count("●") for width in (120, 80, 62)]
    assert cells[0] > cells[1] > cells[2] == 0


def test_the_end_of_a_microphone_session_says_nothing_of_its_speed() -> None:
    assert "real time" not in describe(ENDED, live=True)
    out = io.StringIO()
    lines = PlainLines(out)
    lines.emit(STARTED)
    lines.emit(ENDED)
    assert "real time" not in out.getvalue()


def console_lines(text: str) -> list[str]:
    """What stands on the screen, without the codes that move on it."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")
    return [line for line in plain.split("\n") if line]

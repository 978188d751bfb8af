"""No guess of an open question anywhere: pages, requests, queue, panel and events."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from streamer.annotation.session import AnnotationSession
from streamer.cli import app
from streamer.events import Heard, Learned, Revealed, Selected, Started, Status, Withheld, to_json
from streamer.loop.blind import BlindSink, for_people, for_programs
from streamer.loop.profile_model import ProfileModel
from streamer.store.labelling_sign import FRESH_S, SIGN_NAME, LabellingSign
from streamer.store.profile import Profile
from streamer.terminal.lines import PlainLines
from streamer.terminal.panel import LivePanel
from streamer.types import DIMENSIONS, Estimate, Prediction, Quality, Verdict
from streamer.web.bind import Address
from streamer.web.events import Broadcast, EventHub
from streamer.web.server import serving
from tests.annotation.test_first_steps import heard
from tests.loop.test_sinks import Recorder
from tests.web.api.test_answers import answer, got
from tests.web.conftest import client_of

# Of a stored prediction, as no other number is.
MARK = "0.1234567"
JSON_PAGES = ("/api/start", "/api/live", "/api/emotions", "/api/next", "/health", "/metrics")
PAGES = ("/", "/start", "/live", "/emotions", "/profile", "/report.html", "/labels.csv")


@pytest.fixture
def marked(asked: Profile) -> list[str]:
    """Text that stands for a guess of an open question: the stored means, and those of now."""
    asked.database.write(
        "UPDATE utterances SET prediction = replace(prediction, '0.1,', ?) WHERE state = 'asked'",
        f"{MARK},",
    )
    model = ProfileModel(asked).model
    open_ones = [query.utterance for query in asked.queries.open()]
    assert open_ones[0].prediction.valence.mean == float(MARK)
    now = [getattr(model.predict(one), name).mean for one in open_ones for name in DIMENSIONS]
    return [MARK, *(repr(mean) for mean in now)]


def test_no_page_and_no_request_holds_a_guess_of_an_open_question(served, client, marked):
    for number in range(1, 36):
        served.first_steps.emit(heard(number))
    for path in (*JSON_PAGES, *PAGES):
        text = client.ask("GET", path).read().decode()
        assert not [mark for mark in marked if mark in text], path
    state = got(client, "/api/live")
    shown = {u["id"]: u["valence"] for u in state["utterances"]}
    assert [number for number, guess in shown.items() if guess] == list(range(31, 36))


def test_a_guess_is_shown_once_it_is_answered(client, marked):
    answer(client, 1)
    shown = {u["id"]: u for u in got(client, "/api/live")["utterances"]}
    assert shown[1]["valence"]["mean"] == float(MARK)
    assert shown[1]["verdict"] is not None
    assert shown[2]["valence"] is shown[2]["verdict"] is shown[2]["informativeness"] is None


def test_the_report_draws_nothing_of_open_questions(client, asked, config):
    drawn = 'class="guess"'
    assert client.ask("GET", "/report.html").read().decode().count(drawn) == 5
    with serving(config.model_copy(update={"blind": False}), Address("127.0.0.1", 0)) as pages:
        seeing = client_of(pages)
        seeing.enter()
        assert seeing.ask("GET", "/report.html").read().decode().count(drawn) == 35
        assert got(seeing, "/api/live")["utterances"][0]["valence"] is not None


def test_those_in_the_buffer_are_hidden_while_somebody_labels(client, asked):
    asked.database.write("UPDATE utterances SET state = 'buffered' WHERE id > 33")

    def hidden() -> list[int]:
        state = got(client, "/api/live")["utterances"]
        return [u["id"] for u in state if u["valence"] is None and u["id"] > 30]

    assert hidden() == []
    got(client, "/api/next")
    assert hidden() == [34, 35]
    # Whoever tests an emotion looks on purpose.
    rows = got(client, "/api/emotions")["utterances"]
    assert [u["id"] for u in rows if u["verdict"] is None][:3] == [30, 29, 28]


@pytest.mark.parametrize("words", [["queue"], ["queue", "--json"]])
def test_the_queue_holds_none_unless_somebody_asks_for_them(asked, marked, words, capsys):
    app([*words, "--profile", str(asked.folder)], standalone_mode=False)
    told = capsys.readouterr().out
    assert len(told.splitlines()) == 30
    assert not [mark for mark in marked if mark in told]
    assert "+0.12" not in told
    app([*words, "--no-blind", "--profile", str(asked.folder)], standalone_mode=False)
    assert re.search(r"\+0\.12|0\.1234567", capsys.readouterr().out)


GUESS = Estimate(0.1234567, -0.7654321, 0.9876543)
HEARD = Heard(
    7, "mic", 1.0, 2.0, Prediction(GUESS, GUESS, GUESS),
    Verdict("anger", 0.3131313, {"anger": 0.3131313}), -0.1717171, Quality(-20.0, 20.0, False), 3.0,
)  # fmt: skip
RELEASED = Heard(8, "mic", 3.0, 4.0, HEARD.prediction, HEARD.verdict, None, HEARD.quality, 3.0)
MARKS = ("0.12", "0.76", "0.98", "anger", "0.31", "0.17")


def flow(sink) -> None:
    sink.emit(Started("1", "p", {"name": "made"}, {"kind": "microphone", "name": "m", "rate_hz": 1,
                                                   "channels": 1}))  # fmt: skip
    sink.emit(HEARD)
    sink.emit(Selected(1, "random", "at random", [7], []))


def test_a_blind_sink_gets_a_guess_when_it_is_released_or_answered():
    sink = Recorder()
    blind = BlindSink(sink, lambda: True)
    flow(blind)
    blind.emit(RELEASED)
    text = json.dumps([to_json(event) for event in sink.events])
    assert not [mark for mark in MARKS if mark in text]
    assert to_json(sink.events[1]) == {
        "event": "utterance", "id": 7, "source": "mic", "onset_s": 1.0, "offset_s": 2.0,
        "valence": None, "arousal": None, "dominance": None, "verdict": None,
        "informativeness": None, "quality": to_json(HEARD)["quality"], "latency_ms": 3.0,
    }  # fmt: skip
    blind.emit(Selected(2, "random", "at random", [], [8]))
    assert sink.events[-1] == Revealed(RELEASED)
    blind.emit(Learned(7, "me", 1))
    assert to_json(sink.events[-1]) == {**to_json(HEARD), "event": "revealed"}
    blind.emit(Learned(7, "you", 2))
    assert sink.events[-1] == Learned(7, "you", 2)


def test_programs_get_the_whole_event_unless_they_ask_for_blind(tmp_path):
    sign, sink = LabellingSign(tmp_path), Recorder()
    assert for_programs(sink, None) is for_programs(sink, False) is sink
    assert for_people(sink, False, sign) is sink
    for blinded, wanted in (
        (for_programs(sink, True), Withheld),
        (for_people(sink, True, sign), Withheld),
        (for_people(sink, None, sign), Heard),
    ):
        blinded.emit(HEARD)
        assert type(sink.events[-1]) is wanted
    sign.give()
    unset = for_people(sink, None, sign)
    unset.emit(HEARD)
    assert type(sink.events[-1]) is Withheld


def test_lines_panel_and_live_view_hide_it():
    out, drawn, hub = io.StringIO(), io.StringIO(), EventHub()
    console = Console(file=drawn, force_terminal=True, width=110, height=30, no_color=True)
    panel = LivePanel(console)
    for sink in (PlainLines(out), panel, Broadcast(hub)):
        flow(BlindSink(sink, lambda: True))
    panel.tick(lambda: Status(-20.0, True, (1, 4), 1, 0, 1, 4.0))
    assert "hidden" in out.getvalue()
    assert "hidden" in drawn.getvalue()
    for text in (out.getvalue(), drawn.getvalue()):
        assert not [mark for mark in MARKS if mark in text.replace("0.12345", "")]


def test_the_panel_hides_a_guess_it_has_shown_once_it_is_asked_about():
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=110, height=30, no_color=True)
    panel, seeing = LivePanel(console), LivePanel(console, blind=False)
    flow(panel)
    drawn.truncate(0)
    panel.tick(lambda: Status(-20.0, True, (1, 4), 1, 0, 1, 4.0))
    assert "anger" not in drawn.getvalue()
    panel.emit(Learned(7, "me", 1))
    panel._drawn_s = 0.0
    panel.tick(lambda: Status(-20.0, True, (1, 4), 1, 1, 1, 4.0))
    assert "anger (0.31)" in drawn.getvalue()
    panel.close()
    drawn.truncate(0)
    flow(seeing)
    seeing.tick(lambda: Status(-20.0, True, (1, 4), 1, 0, 1, 4.0))
    assert "anger (0.31)" in drawn.getvalue()
    seeing.close()


def test_who_has_not_looked_for_a_while_does_not_label(tmp_path: Path):
    now = [0.0]
    sign = LabellingSign(tmp_path, lambda: now[0])
    assert not sign.is_fresh()
    sign.give()
    now[0] = (tmp_path / SIGN_NAME).stat().st_mtime
    assert sign.is_fresh()
    now[0] += FRESH_S
    assert not sign.is_fresh()
    LabellingSign(tmp_path / "gone").give()


def test_looking_at_a_question_is_the_sign_and_it_goes_with_the_profile(asked: Profile):
    assert not LabellingSign(asked.folder).is_fresh()
    AnnotationSession(asked, np.random.default_rng(0), lambda: 1.0).next("me")
    assert LabellingSign(asked.folder).is_fresh()

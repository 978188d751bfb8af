"""The other pages' requests, and the pages themselves, against the store."""

import csv
import io
import json
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

import streamer.web
from streamer.events import AUDIO_KEPT, Noticed, Status
from streamer.profiles.archive.reading import import_profile
from streamer.store.profile import Profile
from streamer.web.bind import Address
from streamer.web.events import Broadcast, EventHub
from streamer.web.server import serving
from tests.support import HOLDER, label_of
from tests.web.api.test_answers import answer, got, posted
from tests.web.conftest import Client, client_of, eventually

NASTY = "<img src=x onerror=alert(1)>"


def test_a_name_with_html_is_shown_as_text(client):
    answer(client, 1, emotion=NASTY, annotator="<b>me</b>")
    page = client.ask("GET", "/profile").read().decode()
    assert "<img" not in page
    assert "<b>me" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_nothing_is_put_into_a_page_as_html_by_a_script():
    for script in (Path(streamer.web.__file__).parent / "static").glob("*.js"):
        text = script.read_text(encoding="utf-8")
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert word not in text, script


def test_a_page_weighs_less_than_300_kb(client):
    folder = Path(streamer.web.__file__).parent
    static = sum(path.stat().st_size for path in (folder / "static").iterdir())
    assert static + len(client.ask("GET", "/").read()) < 300_000


def test_labels_are_listed_filtered_corrected_and_deleted(client, asked):
    answer(client, 1, emotion="joy")
    answer(client, 2, annotator="you")
    page = client.ask("GET", "/profile?annotator=you").read().decode()
    assert page.count("data-seq=") == 1
    assert client.ask("GET", "/profile?emotion=joy").read().decode().count("data-seq=") == 1
    corrected = {"utterance": 1, "annotator": "me", "valence": -1.0, "arousal": 0.0}
    posted(client, "/api/corrections", **corrected)
    assert asked.labels.answer_of(1, "me").label == label_of(1, valence=-1.0, arousal=0.0)
    posted(client, "/api/corrections", 404, **{**corrected, "utterance": 3})
    seq = asked.labels.answer_of(2, "you").seq
    posted(client, f"/api/labels/{seq}/withdrawal")
    posted(client, f"/api/labels/{seq}/withdrawal", 404)
    assert [entry.label.utterance for entry in asked.labels.effective()] == [1]


def test_more_labels_than_a_page_holds_are_turned_over(client, asked):
    asked.labels.add([label_of(1, f"a{n}", valence=0.1) for n in range(60)], 1.0)
    first = client.ask("GET", "/profile").read().decode()
    assert first.count("data-seq=") == 50
    older = first.split("before=")[1].split('"')[0]
    assert client.ask("GET", f"/profile?before={older}").read().decode().count("data-seq=") == 10
    assert client.ask("GET", "/profile?before=x").status == 400


def test_the_export_can_be_imported_and_holds_no_formula(client):
    answer(client, 1, emotion="joy")
    answer(client, 2, annotator="=cmd|'/c calc'!A1")
    reply = client.ask("GET", "/labels.csv")
    rows = list(csv.DictReader(io.StringIO(reply.read().decode())))
    assert rows[0] == {
        "utterance": "1", "valence": "0.5", "arousal": "-0.25", "dominance": "",
        "emotion": "joy", "annotator": "me",
    }  # fmt: skip
    assert rows[1]["annotator"].startswith("'=")


def test_every_page_tells_which_audio_is_kept(client, config):
    for page in ("/", "/start", "/live", "/emotions", "/profile"):
        assert AUDIO_KEPT[config.privacy] in client.ask("GET", page).read().decode()


def test_the_report_is_the_verb_s_and_a_file(client):
    answer(client, 1, emotion=NASTY)
    reply = client.ask("GET", "/report.html")
    assert reply.getheader("content-disposition") == 'attachment; filename="report.html"'
    html = reply.read().decode()
    assert "Timeline" in html
    assert "<img" not in html


def test_everything_can_be_taken_away_and_read_elsewhere(client, config, asked, tmp_path):
    answer(client, 1, emotion="joy")
    reply = client.ask("GET", "/profile.zip")
    assert reply.getheader("content-type") == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.read())) as packed:
        packed.extractall(tmp_path / "taken")
    other = Profile(tmp_path / "other")
    try:
        import_profile(other, tmp_path / "taken" / "profile", None)
        assert [e.label for e in other.labels.effective()] == [
            e.label for e in asked.labels.effective()
        ]
        assert other.audio.clip(2) == asked.audio.clip(2)
    finally:
        other.close()


def test_nothing_is_forgotten_under_the_feet_of_who_listens(client, asked):
    command = [sys.executable, "-c", HOLDER, str(asked.folder)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"True\n"
    told = posted(client, "/api/forget", 409, utterance=1)
    holder.communicate(b"\n")
    assert "stop that one" in told["error"]
    assert asked.utterances.get(1)
    assert posted(client, "/api/forget", utterance=1)["done"] == "1 utterance forgotten"


def test_forgetting_leaves_nothing(client, asked):
    answer(client, 1, emotion="joy")
    answer(client, 2, emotion="joy")
    posted(client, "/api/forget", utterance=1)
    assert [entry.label.utterance for entry in asked.labels.effective()] == [2]
    assert client.ask("GET", "/clips/1").status == 404
    posted(client, "/api/forget", emotion="joy")
    assert asked.emotions.names() == []
    posted(client, "/api/forget", 400, emotion="joy", utterance=2)
    posted(client, "/api/forget", 400)
    posted(client, "/api/forget", 400, before="yesterday")


def test_old_questions_are_closed_with_their_audio(client, asked):
    assert posted(client, "/api/expire", days=1)["done"].startswith("30 open questions")
    assert asked.audio.clip(1) is None
    posted(client, "/api/expire", 400, days=-1)


def test_enrolling_shows_who_disagrees_and_tells_at_once(client, asked):
    for number, vector in enumerate([[5, 0, 0, 0], [5, 1, 0, 0], [5, 0, 1, 0], [-5, 1, 1, 3]], 1):
        asked.utterances.replace_vectors(
            number, np.ones(6, np.float32), np.array(vector, np.float32)
        )
    compared = posted(client, "/api/cohesion", utterances=[1, 2, 3, 4])
    assert compared["apart"] == [4]
    assert posted(client, "/api/cohesion", utterances=[1, 2, 3])["cohesion"] > 0.9
    state = posted(client, "/api/enrollments", emotion=" Joy ", utterances=[1, 2, 3, 3])
    assert [(row["emotion"], row["count"]) for row in state["emotions"]] == [("joy", 3)]
    assert state["emotions"][0]["false_rejects"] == 0.0
    assert state["emotions"][0]["false_accepts"] is None
    still_open = asked.queries.open_numbers()
    for heard in state["utterances"]:  # the verdicts of open questions are hidden
        assert heard["verdict"] is None if heard["id"] in still_open else heard["verdict"]
        assert heard["id"] in still_open or "joy" in heard["verdict"]["distances"]
    posted(client, "/api/enrollments", 404, emotion="joy", utterances=[999])
    posted(client, "/api/enrollments", 400, emotion=" ", utterances=[1])
    assert got(client, "/api/emotions")["emotions"][0]["count"] == 3


def test_the_live_view_begins_with_what_the_store_holds(client):
    answer(client, 1)
    state = got(client, "/api/live")
    assert [u["id"] for u in state["utterances"]] == list(range(1, 36))
    assert state["selection"]["asked"][:3] == [1, 2, 3]
    assert state["track"]["dimensions"]["valence"]["labels"] == 1
    assert state["track"]["queries"][0]["utterance"] == 2
    assert not state["listens"]


def test_what_a_screen_is_shown_reaches_the_page(client, served, config):
    stream = client.ask("GET", "/events")
    assert stream.getheader("content-type").startswith("text/event-stream")
    assert stream.getheader("cache-control") == "no-store"
    assert [stream.readline() for _ in range(4)][1] == b"event: hello\n"
    sink = served.sink
    sink.emit(Noticed("the microphone is gone"))
    assert stream.readline() == b"event: notice\n"
    assert json.loads(stream.readline().removeprefix(b"data: ")) == {
        "kind": "general",
        "text": "the microphone is gone",
    }
    sink.tick(lambda: Status(-20.0, True, (1, 10), 2, 3, 4, 5.0))
    stream.readline()
    assert stream.readline() == b"event: status\n"
    assert json.loads(stream.readline().removeprefix(b"data: "))["speaking"] is True
    assert got(client, "/api/live")["notices"] == [
        {"kind": "general", "text": "the microphone is gone"}
    ]


def test_a_status_that_nobody_looks_at_is_made_rarely():
    asked_for = []

    def status() -> Status:
        asked_for.append(1)
        return Status(-20.0, True, (1, 10), 2, 3, 4, 5.0)

    broadcast = Broadcast(EventHub())
    for _ in range(100):
        broadcast.tick(status)
    assert len(asked_for) == 1


def test_an_empty_profile_has_pages_too(config):
    with serving(config, Address("127.0.0.1", 0)) as pages:
        client = client_of(pages)
        client.enter()
        assert got(client, "/api/next")["item"] is None
        assert got(client, "/api/live")["utterances"] == []
        assert got(client, "/api/emotions")["emotions"] == []
        posted(client, "/api/undo", annotator="me")
        for page in ("/", "/start", "/live", "/emotions", "/profile"):
            assert client.ask("GET", page).status == 200


def test_the_server_ends_while_a_page_still_looks(config, asked):
    with serving(config, Address("127.0.0.1", 0)) as pages:
        client = client_of(pages)
        client.enter()
        stream = client.ask("GET", "/events")
        stream.readline()
    assert eventually(lambda: not stream.read())
    with pytest.raises(ConnectionRefusedError):
        client.ask("GET", "/")


def test_the_command_serves_them_until_it_is_told_to_stop(asked, config):
    command = [sys.executable, "-m", "streamer", "label", "--web", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--profile", config.profile], stderr=subprocess.PIPE, text=True
    )
    told = process.stderr.readline()
    port, token = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=(\S+)", told).groups()
    client = Client(int(port), token)
    client.enter()
    answer(client, 1)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert asked.labels.count() == 1
    assert asked.holder() is None

"""Health and metrics: who gets them, what they say, and that Prometheus can read it."""

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from streamer.errors import ProfileError
from streamer.events import Ended, Noticed, Started, Status
from streamer.loop.loop import Loop
from streamer.store.deletion import delete_profile
from streamer.web.api.metrics import STALLED_S, Metrics, labelled, scraper_token, written
from streamer.web.bind import Address
from streamer.web.server import Pages, serving
from tests.web.conftest import Client, client_of

STARTED = Started("0.1", "kitchen", {"name": "made"}, {"kind": "microphone", "name": "headset"})
ENDED = Ended(16_000, 8_000, 8_000, {"overflow": 7}, 9, 4, 5, 61.0, 0.1)


@pytest.fixture
def listening(config, asked) -> Iterator[Pages]:
    with serving(config, Address("127.0.0.1", 0), Loop(config=config)) as pages:
        yield pages


@pytest.fixture
def bearer(listening, config) -> dict[str, str]:
    token = (Path(config.profile) / "metrics.token").read_text()
    return {"authorization": f"Bearer {token}"}


def values_of(client: Client, bearer: dict[str, str]) -> dict[str, Any]:
    """name, and labels where there are any, to the value."""
    answer = client.ask("GET", "/metrics", **bearer)
    assert answer.status == 200
    assert answer.getheader("content-type").startswith("text/plain; version=0.0.4")
    found = text_string_to_metric_families(answer.read().decode())
    samples = [sample for family in found for sample in family.samples]
    return {s.name + (str(sorted(s.labels.items())) if s.labels else ""): s.value for s in samples}


def status(audio_s: float) -> Status:
    return Status(-40.0, False, (1, 10), 3, 7, 21, audio_s, {"overflow": 5}, 0.02)


def test_a_scraper_reads_what_the_loop_last_said(listening, bearer):
    client = client_of(listening)
    sink = listening.sink
    sink.emit(STARTED)
    sink.tick(lambda: status(60.0))
    values = values_of(client, bearer)
    assert values["streamer_info[('encoder', 'made'), ('version', '0.1')]"] == 1
    assert values["streamer_listening"] == 1
    assert values["streamer_heard_seconds_total"] == 60.0
    assert values["streamer_labels"] == 7
    assert values["streamer_dropped_samples_total[('reason', 'overflow')]"] == 5
    assert values["process_cpu_seconds_total"] > 0
    sink.emit(ENDED)
    values = values_of(client, bearer)
    assert (values["streamer_listening"], values["streamer_utterances_total"]) == (0, 9)
    assert (values["streamer_labels"], values["streamer_heard_seconds_total"]) == (7, 61.0)


def test_health_is_well_only_while_the_loop_gives_signs(listening, bearer):
    client = client_of(listening)
    sink = listening.sink

    def health() -> tuple[int, str]:
        answer = client.ask("GET", "/health", **bearer)
        return answer.status, json.loads(answer.read())["status"]

    assert health() == (503, "starting")
    sink.tick(lambda: status(1.0))
    assert health() == (200, "listening")
    sink.emit(Noticed("something"))
    sink.emit(ENDED)
    assert health() == (503, "ended")


@pytest.mark.parametrize(("age_s", "said"), [(1.0, "listening"), (STALLED_S + 1, "stalled")])
def test_a_loop_that_hangs_is_told_by_the_age_of_its_last_sign(age_s, said):
    from streamer.web.events import EventHub

    hub = EventHub()
    hub.beat_s = 100.0
    assert Metrics(hub, True, lambda: 100.0 + age_s)._state() == (said, age_s)


def test_pages_without_a_loop_are_well(served, config):
    token = (Path(config.profile) / "metrics.token").read_text()
    bearer = {"authorization": f"Bearer {token}"}
    answer = client_of(served).ask("GET", "/health", **bearer)
    assert (answer.status, json.loads(answer.read())["status"]) == (200, "not listening")


def test_the_scrapers_token_opens_nothing_else(listening, bearer):
    client = client_of(listening)
    for path in ("/", "/api/next", "/labels.csv", "/clips/1", "/metrics/", "//metrics"):
        assert client.ask("GET", path, **bearer).status == 403, path
    assert client.ask("POST", "/metrics", b"{}", **bearer).status == 403
    assert client.ask("GET", "/metrics", host="evil.example", **bearer).status == 421


@pytest.mark.parametrize("said", ["", "Bearer ", "Bearer wrong", "Basic {0}", "bearer {0}x"])
def test_without_the_right_token_there_is_no_answer(listening, bearer, said):
    token = bearer["authorization"].removeprefix("Bearer ")
    for path in ("/health", "/metrics"):
        assert client_of(listening).ask("GET", path, authorization=said.format(token)).status == 403


def test_the_pages_own_cookie_lets_in_too(listening):
    client = client_of(listening)
    client.enter()
    assert client.ask("GET", "/health").status == 503  # it is only starting


def test_the_token_is_made_once_for_its_owner_alone(tmp_path):
    token = scraper_token(tmp_path / "profile")
    file = tmp_path / "profile" / "metrics.token"
    assert scraper_token(tmp_path / "profile") == token
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("")  # its maker was cut off
    assert len(scraper_token(tmp_path / "profile")) > 40
    assert [path.name for path in (tmp_path / "profile").iterdir()] == [file.name]
    file.write_text("short\n")
    with pytest.raises(ProfileError, match="no token"):
        scraper_token(tmp_path / "profile")


def test_a_forgotten_profile_leaves_no_token(asked, config):
    scraper_token(asked.folder)
    asked.close()
    delete_profile(asked.folder)
    assert not asked.folder.exists()


def test_labels_of_any_text_are_read_back():
    text = 'a "b" \\ c\nd {e}'
    samples = iter([("streamer_made", "Made up.", labelled({"reason": text}), 1.5)])
    (family,) = text_string_to_metric_families(written(samples))
    assert (family.samples[0].labels, family.samples[0].value) == ({"reason": text}, 1.5)

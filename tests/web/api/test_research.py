"""Markers by HTTP and events by WebSocket: who may, and what is refused."""

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.web.conftest import client_of


def bearer(served) -> dict[str, str]:
    return {"Authorization": f"Bearer {client_of(served).token}"}


def test_a_program_needs_the_token_and_a_loop_that_listens(served, stranger):
    token = bearer(served)["Authorization"]
    body = b'{"name": "beep"}'
    json_type = "application/json"
    ask = stranger.ask
    refused = ask("POST", "/api/markers", body, origin=None, content_type=json_type)
    assert refused.status == 403
    wrong = ask("POST", "/api/markers", body, origin=None, authorization=token[:-1])
    assert wrong.status == 403
    right = ask("POST", "/api/markers", body, origin=None, authorization=token)
    assert right.status == 400
    assert b"nothing listens here" in right.read()
    # Another site's page could not know the token; that it says so does not help it.
    other = ask("POST", "/api/markers", body, origin="http://evil", authorization=token)
    assert other.status == 403


@pytest.mark.parametrize(
    ("headers", "origin"),
    [
        ({}, None),
        ({"Authorization": "Bearer wrong"}, None),
        ({"token": "right"}, "http://evil.example"),
    ],
)
def test_a_stranger_gets_no_stream(served, headers, origin):
    headers = bearer(served) if "token" in headers else headers
    port = client_of(served).port
    with pytest.raises(InvalidStatus) as error:
        connect(f"ws://127.0.0.1:{port}/api/stream", additional_headers=headers, origin=origin)
    assert error.value.response.status_code == 403


def test_another_name_for_this_host_gets_none(served, stranger):
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ==",
        "sec_websocket_version": "13",
        "authorization": bearer(served)["Authorization"],
    }
    assert stranger.ask("GET", "/api/stream", **upgrade).status == 101
    other = f"evil.example:{stranger.port}"
    assert stranger.ask("GET", "/api/stream", host=other, **upgrade).status == 403


def test_what_a_client_says_is_ignored_and_its_leaving_is_noticed(served):
    port = client_of(served).port
    with connect(f"ws://127.0.0.1:{port}/api/stream", additional_headers=bearer(served)) as one:
        assert '"event":"hello"' in one.recv(timeout=10)
        one.send("hello yourself")
        one.send(b"\x00")
        served.sink._hub.publish("notice", {"kind": "made", "text": "still here"})
        assert '"text":"still here"' in one.recv(timeout=10)


def test_without_a_websocket_the_remedy_is_told(client):
    answer = client.ask("GET", "/api/stream")
    assert answer.status == 426
    assert b"WebSocket" in answer.read()

"""Who is refused, and that nobody else is. SECURITY.md names these tests."""

import re
import socket
from pathlib import Path

import pytest

from streamer.web import site
from streamer.web.bind import Address
from streamer.web.server import serving
from streamer.web.token_file import new_token
from tests.web.conftest import Client, client_of

SAVE = b'{"utterance":1,"annotator":"me","valence":0.5,"arousal":0.5}'


def test_the_token_is_exchanged_for_a_cookie_that_scripts_and_sites_cannot_have(served, stranger):
    token = served.url.split("token=")[1]
    answer = stranger.ask("GET", f"/live?token={token}")
    assert answer.status == 303
    place = answer.getheader("location").removesuffix("/live")
    cookie = answer.getheader("set-cookie")
    assert len(place) > 20
    assert f"Path={place};" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert token not in cookie


def test_who_has_the_cookie_gets_the_page(client):
    assert client.ask("GET", "/").status == 200


@pytest.mark.parametrize(
    "path",
    ["/", "/live", "/api/next", "/clips/1", "/events", "/static/base.css", "/labels.csv",
     "/report.html", "/profile.zip"],
)  # fmt: skip
def test_no_token_no_answer(stranger, path):
    answer = stranger.ask("GET", path)
    assert answer.status == 403
    assert b"utterance" not in answer.read()


def test_a_wrong_token_or_cookie_is_refused(served, stranger):
    token = served.url.split("token=")[1]
    assert stranger.ask("GET", f"/?token={token[:-1]}").status == 403
    assert stranger.ask("GET", "/?token=").status == 403
    assert stranger.ask("GET", "/", cookie=f"streamer-{stranger.port}=guess").status == 403
    assert stranger.ask("GET", "/", cookie=f"streamer-{stranger.port}={token}").status == 403
    assert stranger.ask("GET", "/", cookie="}{=;;;").status == 403


def test_what_the_browser_is_opened_with_is_right_once(served, stranger):
    """Other users of the machine see the arguments of its programs."""
    address = served.once_at("/start")
    token = address.split("token=")[1]
    assert token not in served.url
    assert address.startswith(served.at("/start").split("token=")[0])
    entered = stranger.ask("GET", f"/start?token={token}")
    assert (entered.status, entered.getheader("location")[-6:]) == (303, "/start")
    assert stranger.ask("GET", f"/start?token={token}").status == 403
    cookie = entered.getheader("set-cookie").split(";")[0]
    assert stranger.ask("GET", entered.getheader("location"), cookie=cookie).status == 200


def test_the_token_leads_nowhere_else(served, stranger):
    token = served.url.split("token=")[1]
    answer = stranger.ask("GET", f"//elsewhere.example/?token={token}")
    place = answer.getheader("location")
    assert (answer.status, place.count("/"), place[-1]) == (303, 2, "/")
    answer = stranger.ask("GET", f"/%0d%0aset-cookie:x=y?token={token}")
    assert answer.getheader("location") == place


@pytest.mark.parametrize(
    "others",
    ['a="', "a b=c", "[x]=1", '="";', "a={\"b\": [1, 2]}", "\xe9=\xff", "streamer-{port}=other",
     "a=" + "x" * 30_000],
)  # fmt: skip
def test_the_cookies_of_other_programs_lock_nobody_out(client, others):
    others = others.replace("{port}", str(client.port))
    for cookies in (f"{others}; {client.cookie}", f"{client.cookie}; {others}"):
        assert client.ask("GET", "/api/next", cookie=cookies).status == 200
    assert client.ask("GET", "/api/next", cookie=others).status == 403


def test_too_many_cookies_are_told_with_the_remedy(client):
    answer = client.ask("GET", "/api/next", cookie=f"a={'x' * 66_000}; {client.cookie}")
    assert answer.status == 431
    assert b"delete those of this host" in answer.read()


def test_all_is_under_the_path_of_the_cookie(served, stranger):
    """Browsers send cookies to every port of a host, this one to no other path."""
    entered = stranger.ask("GET", f"/?token={served.url.split('token=')[1]}")
    place, cookie = entered.getheader("location"), entered.getheader("set-cookie").split(";")[0]
    for path in ("", "live", "api/next", "static/base.css", "clips/1"):
        assert stranger.ask("GET", place + path, cookie=cookie).status == 200
        assert stranger.ask("GET", place + path).status == 403
    for page in ("", "start", "live", "emotions", "profile"):
        text = stranger.ask("GET", place + page, cookie=cookie).read().decode()
        assert re.findall(r'(?:href|src|action)="(?!\./|#)[^"]*"', text) == []
    for script in (Path(site.__file__).parent / "static").glob("*.js"):
        found = re.findall(r"""(?:from |fetch\(|EventSource\(|src = )["'`]/""", script.read_text())
        assert found == [], script.name


def test_no_script_can_become_a_service_worker(client):
    assert client.ask("GET", "/static/api.js", service_worker="script").status == 403
    answer = client.ask("GET", "/static/api.js")
    assert "worker-src 'none'" in answer.getheader("content-security-policy")
    assert answer.getheader("service-worker-allowed") is None


def test_long_headers_in_one_piece_are_refused(client):
    assert client.ask("GET", "/", x_long="x" * 15_000).status == 200
    assert client.ask("GET", "/", x_long="x" * 17_000).status == 431
    assert client.ask("GET", "/", x_long="x" * 80_000).status == 431


def test_who_leaves_within_a_body_leaves_no_traceback(client, capfd):
    head = (
        f"POST /api/labels HTTP/1.1\r\nhost: 127.0.0.1:{client.port}\r\n"
        f"origin: http://127.0.0.1:{client.port}\r\ncookie: {client.cookie}\r\n"
        "content-type: application/json\r\ncontent-length: 100\r\n\r\n{"
    )
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
            connection.sendall(head.encode())
    assert client.ask("GET", "/").status == 200
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1:0", "localhost.evil:{port}",
     "", "10.1.2.3:{port}", "127.0.0.1:{port}.evil", "[::ffff:10.0.0.1]:{port}",
     "127.0.0.1:\xb2", "127.0.0.1:" + "1" * 5_000],
)  # fmt: skip
def test_a_foreign_host_is_refused(client, host):
    """DNS rebinding: the browser believes that another site's name is ours."""
    answer = client.ask("GET", "/api/next", host=host.format(port=client.port))
    assert answer.status == 421


@pytest.mark.parametrize(
    "host", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}", "localhost", "127.0.0.1:1"]
)
def test_our_own_names_are_not(client, host):
    assert client.ask("GET", "/api/next", host=host.format(port=client.port)).status == 200


def test_any_port_of_a_tunnel_is_let_in_and_a_page_of_another_port_is_not(client):
    """A browser at the near end says the port that it called; our own page's Origin says the same.

    A page of another server of the same machine has another Origin, whatever the Host.
    """
    body = b'{"utterance":1,"annotator":"me","valence":0.5,"arousal":0.5}'
    near, far = "localhost:40123", f"localhost:{client.port}"
    for host, origin in ((near, far), (far, near), (near, "localhost:40124")):
        refused = client.ask("POST", "/api/labels", body, host=host, origin=f"http://{origin}")
        assert refused.status == 403
    same_site = client.ask("GET", "/api/next", host=near, sec_fetch_site="same-site")
    assert same_site.status == 403
    assert client.ask("GET", "/", host=near).status == 200
    saved = client.ask("POST", "/api/labels", body, host=near, origin=f"http://{near}")
    assert saved.status == 200


def test_a_person_who_is_refused_sees_what_to_do_and_a_script_a_line(stranger):
    answer = stranger.ask("GET", "/live", accept="text/html,*/*")
    page = answer.read().decode()
    assert answer.status == 403
    assert answer.getheader("content-type") == "text/html"
    assert "sha256-" in answer.getheader("content-security-policy")
    assert "unsafe" not in answer.getheader("content-security-policy")
    for told in (
        "tries again every 10 seconds",
        "ssh -L 8765:127.0.0.1:8765",
        "streamer service token",
    ):
        assert told in page
    assert len(stranger.ask("GET", "/live").read()) < 100
    old = stranger.ask("GET", "/?token=old", accept="text/html").read()
    assert b"no longer, right" in old


def test_with_a_kept_token_the_pages_that_are_open_go_on_after_a_restart(config, asked):
    kept = config.model_copy(update={"keep_token": True})
    with serving(kept, Address("127.0.0.1", 0)) as pages:
        first = client_of(pages)
        first.enter()
    path = Path(config.profile) / "pages.token"
    assert path.stat().st_mode & 0o777 == 0o600
    with serving(kept, Address("127.0.0.1", first.port)) as pages:
        second = client_of(pages)
        assert second.token == first.token
        assert first.ask("GET", "/").status == 200  # by its cookie
    new_token(path)
    with serving(kept, Address("127.0.0.1", first.port)):
        assert first.ask("GET", "/").status == 403
        assert first.ask("GET", f"/?token={first.token}", cookie=None).status == 403


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:{port}", "http://127.0.0.1:1", ""]
)
def test_a_foreign_origin_is_refused(client, asked, origin):
    origin = origin.format(port=client.port)
    assert client.ask("POST", "/api/labels", SAVE, origin=origin).status == 403
    assert client.ask("GET", "/api/next", origin=origin).status == 403
    assert asked.labels.count() == 0


def test_a_post_that_says_not_where_it_comes_from_is_refused(client, asked):
    assert client.ask("POST", "/api/labels", SAVE, origin=None).status == 403
    assert client.ask("POST", "/api/labels", SAVE, sec_fetch_site="cross-site").status == 403
    assert client.ask("POST", "/api/labels", SAVE, sec_fetch_site="same-site").status == 403
    assert asked.labels.count() == 0


def test_a_form_of_another_site_cannot_label(client, asked):
    """What a form can send without a script: other content types than JSON."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None):
        assert client.ask("POST", "/api/labels", SAVE, content_type=kind).status == 415
    assert asked.labels.count() == 0


@pytest.mark.parametrize(
    "path",
    ["/clips/../profile.db", "/clips/..%2f..%2fprofile.db", "/clips/1/../../x", "/clips/1.flac",
     "/clips/-1", "/clips/abc", "/static/../site.py", "/static/..%2fsite.py",
     "/static/%2e%2e/gate.py", "/static//etc/passwd", "/static/....//site.py",
     "/clips/99999999999999999999999"],
)  # fmt: skip
def test_no_path_leads_out(client, path):
    answer = client.ask("GET", path)
    assert answer.status == 404
    assert b"import" not in answer.read()


@pytest.mark.parametrize(
    "path", ["/clips/{0}", "/clips/{0}/picture", "/api/utterances/{0}/change?annotator=me"]
)
def test_a_number_too_long_to_be_one_is_not_found(client, path):
    assert client.ask("GET", path.format("9" * 5_000)).status == 404


@pytest.mark.parametrize("before", ["9" * 5_000, "%C2%B2", "-1", "x"])
def test_nor_is_it_the_number_of_a_label(client, before):
    assert client.ask("GET", f"/profile?before={before}").status == 400


def test_a_body_of_100_mb_is_refused_before_it_is_read(client):
    """By its length, and where it does not say one, by what has come."""
    head = (
        f"POST /api/labels HTTP/1.1\r\nhost: 127.0.0.1:{client.port}\r\n"
        f"origin: http://127.0.0.1:{client.port}\r\ncookie: {client.cookie}\r\n"
        "content-type: application/json\r\n"
    )
    for last in ("content-length: 104857600\r\n\r\n", "transfer-encoding: chunked\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
            connection.sendall((head + last).encode())
            if "chunked" in last:
                connection.sendall((b"10000\r\n" + b"x" * 0x10000 + b"\r\n") * 2)
            assert connection.recv(4096).startswith(b"HTTP/1.1 413")


def test_every_answer_tells_the_browser_to_be_strict(client, stranger):
    answers = [
        client.ask("GET", "/"), client.ask("GET", "/static/label.js"),
        client.ask("GET", "/clips/1"), client.ask("GET", "/nowhere"), stranger.ask("GET", "/"),
    ]  # fmt: skip
    for answer in answers:
        policy = answer.getheader("content-security-policy")
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.getheader("x-content-type-options") == "nosniff"
        assert answer.getheader("referrer-policy") == "no-referrer"
        assert answer.getheader("x-frame-options") == "DENY"
        assert answer.getheader("access-control-allow-origin") is None
    assert answers[0].getheader("cache-control") == "no-store"
    assert answers[2].getheader("cache-control") == "no-store"


def test_no_page_holds_a_script_or_style_of_its_own(client):
    for page in ("/", "/start", "/live", "/emotions", "/profile"):
        text = client.ask("GET", page).read().decode()
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert text.count("<script") == text.count('<script type="module" src="./static/') == 1
        assert "https://" not in text


def test_garbage_is_answered_and_survived(client: Client):
    for line in (b"\x00\xff\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET " + b"a" * 70_000):
        with socket.create_connection(("127.0.0.1", client.port), timeout=30) as connection:
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65_536):
                pass
    assert client.ask("GET", "/").status == 200

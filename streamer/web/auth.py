"""Who may come in: every request passes here before anything else looks at it.

A refusal costs one comparison and forty bytes, so that a flood of them leaves the loop its time.
The token in the printed address is exchanged once for a cookie that scripts cannot read and other
sites cannot send. Browsers send a host's cookies to every port of it, so also to another user's
server on 127.0.0.1: this one belongs to a path that nobody can guess, under which all pages are,
and goes nowhere else. SECURITY.md says what each check is for.
"""

import base64
import hmac
import secrets
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamer.web.refusal import policy, refusal_page

PAGES: Final = ("/", "/start", "/live", "/emotions", "/profile")
LARGEST_BODY: Final = 64 * 1024
# Cookies apart: those of other programs on the same host come along, and are not the user's fault.
LONGEST_HEADERS: Final = 16 * 1024
LONGEST_COOKIES: Final = 64 * 1024
_SAFE: Final = {"GET", "HEAD"}
_NO_KEY: Final = "Open the address that streamer printed, all of it."
_OLD_KEY: Final = "That key is not, or no longer, right."
_HEADERS: Final = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        b"media-src 'self' blob:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
        b"frame-ancestors 'none'; worker-src 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
]
_NO_STORE: Final = (b"cache-control", b"no-store")
# The program's own files hold nothing private; an upgrade changes them.
_ASK_AGAIN: Final = (b"cache-control", b"no-cache")


class Auth:
    """ASGI: lets those in who bear the token or its cookie, by our own name, from our own page.

    is_ours: whether a Host header is one of ours; origin: what our pages' Origin header says,
    given that Host; cookie: its name, its own for each port, since browsers share them; admit: told
    whose connection bears token or cookie; token: None for a new one.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        is_ours: Callable[[str], bool],
        scheme: str,
        cookie: str,
        admit: Callable[[tuple[str, int] | None], None] = lambda _: None,
        token: str | None = None,
    ) -> None:
        self._app = app
        self._is_ours = is_ours
        self._scheme = scheme
        self._cookie = cookie.encode("ascii")
        self._admit = admit
        self.token = token or secrets.token_urlsafe(32)
        # From the token: where that outlives a restart, so do the pages that are open.
        self._place = f"/{_derived(self.token, 'place')[:22]}"
        self._key = _derived(self.token, "cookie")
        self._once: set[bytes] = set()

    def token_for_once(self) -> str:
        """A token that is right for the first request alone, as others may see it on its way."""
        token = secrets.token_urlsafe(32)
        self._once.add(token.encode())
        return token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            return
        if scope["type"] == "websocket":
            send = _closing(send)
            scope = {**scope, "method": "GET"}
        headers: dict[bytes, bytes] = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1")
        refusal = _too_long(scope["headers"]) or self._refusal(scope["method"], headers, host)
        if refusal is not None:
            await _answer(send, *refusal)
        elif b"token=" in scope["query_string"]:
            await self._exchange(scope, send, _wants_a_page(scope["method"], headers))
        elif not (self._bears_token(headers) or self._bears_cookie(scope["headers"])):
            await _answer(send, 403, _NO_KEY, for_people=_wants_a_page(scope["method"], headers))
        else:
            self._admit(scope.get("client"))
            await self._let_in({**scope, "path": self._within(scope["path"])}, receive, send)

    def _refusal(
        self, method: str, headers: dict[bytes, bytes], host: str
    ) -> tuple[int, str] | None:
        if not self._is_ours(host):
            return 421, "This is not the name of this server."
        origin = headers.get(b"origin")
        same = origin == f"{self._scheme}://{host}".encode("latin-1")
        # A browser gives no other site's page the token, so who bears it may come without Origin.
        program = origin is None and self._bears_token(headers)
        if (origin is not None and not same) or (
            origin is None and method not in _SAFE and not program
        ):
            return 403, "Another site may not ask here."
        if b"service-worker" in headers:
            return 403, "There is no service worker."
        if headers.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}:
            return 403, "Another site may not ask here."
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return 413, "That is too large."
        if method not in _SAFE and headers.get(b"content-type") != b"application/json":
            return 415, "Send JSON."
        return None

    async def _exchange(self, scope: Scope, send: Send, for_people: bool) -> None:
        """The token for the cookie; the address without the token is where to go on."""
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        used = [once for once in self._once if hmac.compare_digest(given.encode(), once)]
        self._once.difference_update(used)
        if not used and not hmac.compare_digest(given.encode(), self.token.encode()):
            await _answer(send, 403, _OLD_KEY, for_people=for_people)
            return
        self._admit(scope.get("client"))
        secure = "; Secure" if self._scheme == "https" else ""
        name = self._cookie.decode("ascii")
        cookie = f"{name}={self._key}; Path={self._place}; HttpOnly; SameSite=Strict{secure}"
        # Never what was asked: "//elsewhere" would lead to another host.
        path = self._within(scope["path"])
        location = self._place + (path if path in PAGES else "/")
        headers = [(b"location", location.encode()), (b"set-cookie", cookie.encode())]
        await _answer(send, 303, "", headers)

    def _bears_token(self, headers: dict[bytes, bytes]) -> bool:
        """A program says the token itself: a browser does not send it by itself."""
        given = headers.get(b"authorization", b"")
        return hmac.compare_digest(given, f"Bearer {self.token}".encode())

    def _within(self, path: str) -> str:
        """A path without the part that nobody can guess, where it has that."""
        return path.removeprefix(self._place) if path.startswith(f"{self._place}/") else path

    def _bears_cookie(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether one of the cookies is ours, whatever other programs have put between them.

        By hand: the standard library's parser stops at the first quote or bracket that it dislikes.
        """
        found = False
        for header, value in headers:
            if header == b"cookie":
                for part in value.split(b";"):
                    name, _, key = part.strip().partition(b"=")
                    if name == self._cookie:
                        found |= hmac.compare_digest(key, self._key.encode())
        return found

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        taken = 0

        async def receive_little() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body") or message.get("bytes") or message.get("text") or b"")
            if taken > LARGEST_BODY:
                raise HTTPException(413, "That is too large.")
            return message

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                keep = _ASK_AGAIN if scope["path"].startswith("/static/") else _NO_STORE
                message = {**message, "headers": [*message["headers"], *_HEADERS, keep]}
            await send(message)

        await self._app(scope, receive_little, send_guarded)


def _derived(token: str, use: str) -> str:
    """43 letters that only who knows the token can compute, and that do not give it away."""
    digest = hmac.digest(token.encode(), use.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def _closing(send: Send) -> Send:
    """For a WebSocket that is not yet accepted: a refusal closes it, as 403 to the client."""

    async def close(message: Message) -> None:
        if message["type"].startswith("websocket."):
            await send(message)
        elif message["type"] == "http.response.start":
            await send({"type": "websocket.close"})

    return close


def _too_long(headers: Iterable[tuple[bytes, bytes]]) -> tuple[int, str] | None:
    """Refuses what h11 lets through where it comes in one piece."""
    total = cookies = 0
    for name, value in headers:
        if name == b"cookie":
            cookies += len(value)
        else:
            total += len(name) + len(value)
    if cookies > LONGEST_COOKIES:
        return 431, (
            "Other programs on this machine have set too many cookies: delete those of this host "
            "in your browser, then open the address that streamer printed again."
        )
    return (431, "These headers are too long.") if total > LONGEST_HEADERS else None


def _wants_a_page(method: str, headers: dict[bytes, bytes]) -> bool:
    """Somebody opened an address in a browser, rather than a script that asks."""
    return method == "GET" and b"text/html" in headers.get(b"accept", b"")


async def _answer(
    send: Send,
    status: int,
    text: str,
    headers: list[tuple[bytes, bytes]] | None = None,
    *,
    for_people: bool = False,
) -> None:
    """for_people: as a page of its own, which tries again."""
    body = refusal_page(text) if for_people else text.encode()
    length = (b"content-length", str(len(body)).encode())
    kind = (b"content-type", b"text/html" if for_people else b"text/plain; charset=utf-8")
    said = [*_HEADERS[1:], (_HEADERS[0][0], policy())] if for_people else _HEADERS
    extra = [*said, _NO_STORE, kind, length, *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": extra})
    await send({"type": "http.response.body", "body": body})

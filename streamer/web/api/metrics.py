"""For those who watch many machines: `/health`, and `/metrics` as Prometheus reads it.

Counts and times only, nothing that was said or guessed. A scraper has no browser to exchange the
printed token in, so it bears one of its own, which opens these two addresses and nothing else:

    Authorization: Bearer (what stands in the profile's folder, in metrics.token)

The format is Prometheus's text format 0.0.4, written by hand: it is a dozen lines.
"""

import hmac
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import psutil
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from streamer.encoders.temperature import temperature_c
from streamer.store.profile import TOKEN_NAME
from streamer.web.events import EventHub
from streamer.web.http import reply
from streamer.web.token_file import kept_token

PATHS: Final = ("/health", "/metrics")
# The loop beats several times a second, also while it waits for its microphone.
STALLED_S: Final = 30.0

Sample = tuple[str, str, str, float]


class Metrics:
    """Handlers. listens: whether this process runs a loop."""

    def __init__(
        self, hub: EventHub, listens: bool, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._hub = hub
        self._listens = listens
        self._now_s = now_s

    async def health(self, request: Request) -> JSONResponse:
        """200 while all is as it should be, else 503."""
        state, age_s = self._state()
        well = state in {"listening", "not listening"}
        return reply({"status": state, "beat_age_s": age_s}, 200 if well else 503)

    async def metrics(self, request: Request) -> Response:
        text = written(self._samples())
        return PlainTextResponse(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    def _state(self) -> tuple[str, float | None]:
        beat_s = self._hub.beat_s
        age_s = None if beat_s is None else self._now_s() - beat_s
        if not self._listens:
            return "not listening", None
        if "end" in self._hub.lasting:
            return "ended", age_s
        if age_s is None:
            return "starting", None
        return ("listening" if age_s < STALLED_S else "stalled"), age_s

    def _samples(self) -> Iterator[Sample]:
        """(name, what it is, labels, value); a name with _total is a counter, else a gauge."""
        state, age_s = self._state()
        start: Any = self._hub.lasting.get("start", {})
        status: Any = self._hub.lasting.get("status", {})
        # The end has the last counts; what it does not count stays as it was.
        counts = {**status, **self._hub.lasting.get("end", {})}
        if start:
            labels = {"version": start["version"], "encoder": start["encoder"]["name"]}
            yield "streamer_info", "What runs.", labelled(labels), 1
        yield "streamer_listening", "1 while the loop listens.", "", float(state == "listening")
        if age_s is not None:
            yield "streamer_beat_age_seconds", "Since the loop last gave a sign.", "", age_s
        for name, key, said in (
            ("streamer_heard_seconds_total", "audio_s", "Seconds of audio processed."),
            ("streamer_utterances_total", "utterances", "Utterances of this run."),
            ("streamer_labels", "labels", "Labels that the learner rests on."),
            ("streamer_open_queries", "open_queries", "Questions that nobody has answered."),
            (
                "streamer_realtime_factor",
                "realtime_factor",
                "Work over audio, in time.",
            ),
        ):
            if key in counts:
                yield name, said, "", counts[key]
        for reason, samples in counts.get("dropped_samples", {}).items():
            said = "Samples that were lost."
            yield "streamer_dropped_samples_total", said, labelled({"reason": reason}), samples
        yield from _process()


def _process() -> Iterator[Sample]:
    process = psutil.Process()
    yield "process_cpu_seconds_total", "Processor time.", "", time.process_time()
    yield "process_resident_memory_bytes", "Memory held.", "", process.memory_info().rss
    if hasattr(process, "num_fds"):  # not on Windows
        yield "process_open_fds", "Open files.", "", process.num_fds()
    if (celsius := temperature_c()) is not None:
        yield "streamer_temperature_celsius", "The hottest zone.", "", celsius


def labelled(labels: dict[str, str]) -> str:
    r"""As they stand after a name.

    >>> labelled({"reason": 'a "b"'})
    '{reason="a \\"b\\""}'
    """

    def escaped(value: str) -> str:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    return "{" + ",".join(f'{name}="{escaped(value)}"' for name, value in labels.items()) + "}"


def written(samples: Iterator[Sample]) -> str:
    """Prometheus's text format; the samples of one name must follow each other."""
    lines: list[str] = []
    last = ""
    for name, said, labels, value in samples:
        if name != last:
            kind = "counter" if name.endswith("_total") else "gauge"
            lines += [f"# HELP {name} {said}", f"# TYPE {name} {kind}"]
        last = name
        lines.append(f"{name}{labels} {float(value):.15g}")
    return "\n".join(lines) + "\n"


class ScraperDoor:
    """ASGI, before `Auth`: bearers of the scraper's token reach `PATHS` of `site`.

    is_ours: whether a Host header is one of ours, as for `Auth`; admit: told whose connection
    bears the token.
    """

    def __init__(
        self,
        auth: ASGIApp,
        site: ASGIApp,
        token: str,
        is_ours: Callable[[str], bool],
        admit: Callable[[tuple[str, int] | None], None] = lambda _: None,
    ) -> None:
        self._auth = auth
        self._site = site
        self._expected = f"Bearer {token}".encode()
        self._is_ours = is_ours
        self._admit = admit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._opens(scope):
            self._admit(scope.get("client"))
            await self._site(scope, receive, send)
        else:
            await self._auth(scope, receive, send)

    def _opens(self, scope: Scope) -> bool:
        if scope["type"] != "http" or scope["path"] not in PATHS or scope["method"] != "GET":
            return False
        headers = dict(scope["headers"])
        return self._is_ours(headers.get(b"host", b"").decode("latin-1")) and hmac.compare_digest(
            headers.get(b"authorization", b""), self._expected
        )


def scraper_token(folder: Path) -> str:
    """The token of a profile's scrapers, see `kept_token`."""
    return kept_token(folder / TOKEN_NAME)

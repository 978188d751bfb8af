"""The pages and the requests behind them, by address."""

import json
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from streamer import __version__
from streamer.annotation.first_steps import STEPS
from streamer.config import Config
from streamer.errors import StreamerError
from streamer.events import AUDIO_KEPT
from streamer.text import path_text
from streamer.web.api.answers import Answers
from streamer.web.api.downloads import Downloads
from streamer.web.api.emotions import EmotionRequests
from streamer.web.api.live import Live
from streamer.web.api.metrics import Metrics
from streamer.web.api.playback import PlaybackRequests
from streamer.web.api.profile import ProfileRequests
from streamer.web.api.research import Research
from streamer.web.api.start import StartRequests
from streamer.web.http import NUMBER, explain, label_values
from streamer.web.store_worker import SHOWN, StoreWorker

_HERE: Final = Path(__file__).parent


class NumberConvertor(IntegerConvertor):
    """The number of an utterance or a label in an address; anything else is not found."""

    regex = NUMBER


register_url_convertor("number", NumberConvertor())


class Pages:
    """HTML; what moves on them is fetched by their scripts."""

    def __init__(self, worker: StoreWorker, labels: ProfileRequests) -> None:
        self._worker = worker
        self._labels = labels
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=select_autoescape(default=True, default_for_string=True),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["values"] = lambda label: json.dumps(label_values(label))

    async def label(self, request: Request) -> HTMLResponse:
        return await self._render("label.html")

    async def start(self, request: Request) -> HTMLResponse:
        return await self._render("start.html", steps=STEPS)

    async def live(self, request: Request) -> HTMLResponse:
        return await self._render("live.html")

    async def emotions(self, request: Request) -> HTMLResponse:
        return await self._render("emotions.html")

    async def profile(self, request: Request) -> HTMLResponse:
        listed = await self._labels.listed(request)
        return await self._render("profile.html", phone=self._worker.phone, **listed)

    async def _render(self, name: str, **values: Any) -> HTMLResponse:
        template = self._templates.get_template(name)
        marks = await self._worker.ask(lambda annotation: annotation.marks)
        return HTMLResponse(
            template.render(
                page=name.removesuffix(".html"),
                profile=path_text(self._worker.folder.name),
                config=self._worker.config,
                receivers=_receivers(self._worker.config),
                listens=self._worker.listens,
                numbering=marks.numbering,
                version=__version__,
                audio_kept=AUDIO_KEPT[self._worker.config.privacy],
                **values,
            )
        )


def make_site(worker: StoreWorker) -> Starlette:
    """All routes. The server puts an `Auth` in front."""
    start = StartRequests(worker)
    answers, live = Answers(worker), Live(worker)
    emotions, profile = EmotionRequests(worker), ProfileRequests(worker)
    downloads, playback = Downloads(worker), PlaybackRequests(worker)
    metrics = Metrics(worker.hub, worker.listens)
    research = Research(worker.hub, None if worker.loop is None else worker.loop.mark)
    pages = Pages(worker, profile)
    post = ["POST"]
    return Starlette(
        routes=[
            Route("/", pages.label),
            Route("/start", pages.start),
            Route("/live", pages.live),
            Route("/emotions", pages.emotions),
            Route("/profile", pages.profile),
            Route("/api/start", start.state),
            Route("/api/start", start.act, methods=post),
            Route("/api/next", answers.next),
            Route("/api/labels", answers.save, methods=post),
            Route("/api/asides", answers.pass_over, methods=post),
            Route("/api/undo", answers.undo, methods=post),
            Route("/api/skipped", answers.ask_again, methods=post),
            Route("/api/utterances/{utterance:number}/change", answers.change),
            Route("/api/utterances/{utterance:number}/why", answers.why),
            Route("/clips/{utterance:number}", answers.clip),
            Route("/clips/{utterance:number}/picture", answers.picture),
            Route("/api/playback", playback.tell, methods=post),
            Route("/events", live.events),
            Route("/api/live", live.state),
            Route("/api/markers", research.mark, methods=post),
            Route("/api/stream", research.no_stream),
            WebSocketRoute("/api/stream", research.stream),
            Route("/api/emotions", emotions.state),
            Route("/api/cohesion", emotions.compare, methods=post),
            Route("/api/enrollments", emotions.enroll, methods=post),
            Route("/api/corrections", profile.correct, methods=post),
            Route("/api/labels/{seq:number}/withdrawal", profile.withdraw, methods=post),
            Route("/api/forget", profile.forget, methods=post),
            Route("/api/expire", profile.expire, methods=post),
            Route("/labels.csv", downloads.labels),
            Route("/report.html", downloads.report),
            Route("/profile.zip", downloads.everything),
            Route("/health", metrics.health),
            Route("/metrics", metrics.metrics),
            Route("/favicon.ico", _no_icon),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        ],
        exception_handlers={StreamerError: explain, ClientDisconnect: _left},
        middleware=[Middleware(_OfNumbering)],
    )


def _receivers(config: Config) -> list[str]:
    """Where a run sends predictions, as its settings have it."""
    places = {
        "the MQTT broker": config.mqtt is not None,
        "an OSC receiver": config.osc is not None,
        "the network (LSL)": config.lsl,
    }
    return [place for place, is_used in places.items() if is_used]


class _OfNumbering:
    """ASGI: keeps in `SHOWN` which numbering the page shows that a request comes from."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            shown = dict(scope["headers"]).get(b"x-streamer-numbering")
            SHOWN.set(None if shown is None else shown.decode("latin-1"))
        await self._app(scope, receive, send)


async def _no_icon(request: Request) -> Response:
    return Response(status_code=204)


async def _left(request: Request, error: Exception) -> Response:
    """Who leaves in the middle of sending a body gets an answer that nobody reads."""
    return Response(status_code=400)

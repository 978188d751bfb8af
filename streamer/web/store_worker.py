"""The one thread that holds the profile open for the pages, and what it keeps at hand.

A store connection belongs to the thread that made it, and the pages' answers are to be stored one
after the other: so all of their work is queued here. Pictures of clips are made on a thread of
their own, since they take longer and touch no store.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import numpy as np

from streamer.annotation.first_steps import FirstSteps
from streamer.annotation.session import AnnotationSession
from streamer.audio.clips import from_flac, to_flac
from streamer.config import Config
from streamer.encoders.acoustic.compilation import compile_once
from streamer.loop.loop import Loop
from streamer.loop.retention import may_store_audio
from streamer.store.marks import Marks
from streamer.store.profile import Profile
from streamer.types import SAMPLE_RATE_HZ
from streamer.web.events import EventHub
from streamer.web.phone import Phone
from streamer.web.picture_cache import Picture, PictureCache

# The numbering that the page of this request shows, see `store.marks`; None where it says none.
SHOWN: Final[ContextVar[str | None]] = ContextVar("SHOWN", default=None)
# Pauses between looks at the store until another process has learned an answer: ten seconds.
LEARNED_LOOKS_S: Final = (0.15, 0.35, 0.7, 1.0, 1.5, 2.5, 4.0)

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(slots=True)
class _Opened:
    """What only the worker's own thread may use."""

    annotation: AnnotationSession | None = None


@dataclass
class StoreWorker:
    """Where requests bring their work.

    folder: the profile's; loop: the one that this process runs on it, if it does; first_steps: how
    far somebody is in the first minutes; phone: how other machines reach the pages, if they may.
    """

    config: Config
    folder: Path
    hub: EventHub
    loop: Loop | None = None
    first_steps: FirstSteps = field(default_factory=FirstSteps)
    phone: Phone | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _opened: _Opened = field(default_factory=_Opened)
    _pictures: PictureCache = field(default_factory=lambda: PictureCache(_picture))
    _store_thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="web-store")
    )
    _picture_thread: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="web-picture")
    )

    @property
    def listens(self) -> bool:
        """This process runs a loop, or did."""
        return self.loop is not None

    async def ask(
        self, work: Callable[Concatenate[AnnotationSession, P], T], *args: P.args, **named: P.kwargs
    ) -> T:
        """The result of `work(annotation_session, ...)` on the store's thread, or its error.

        ProfileReplaced where the request is of a page that shows another numbering.
        """
        shown = SHOWN.get()

        def do() -> T:
            annotation = self._annotation()
            self._pictures.follow(annotation.marks)
            with annotation.profile.of_numbering(shown):
                return work(annotation, *args, **named)

        return await asyncio.get_running_loop().run_in_executor(self._store_thread, do)

    def announce(self, utterance: int, annotator: str) -> None:
        """Publish `learned` once the process that listens has learned an answer.

        Where that is this one, its loop publishes it.
        """
        task = asyncio.create_task(self._announce(utterance, annotator))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _announce(self, utterance: int, annotator: str) -> None:
        for pause_s in LEARNED_LOOKS_S:
            await asyncio.sleep(pause_s)
            if await self.ask(AnnotationSession.learned, utterance, annotator):
                self.hub.publish("learned", {"utterance": utterance, "annotator": annotator})
                return

    async def picture(self, clip: bytes, marks: Marks) -> Picture:
        """What to draw of a FLAC clip; the last ones are kept. marks: see `PictureCache`."""
        return await asyncio.get_running_loop().run_in_executor(
            self._picture_thread, self._pictures.picture, clip, marks
        )

    async def measure(self, clip: bytes) -> dict[str, float]:
        """The acoustic measures of a FLAC clip, by name."""
        return await asyncio.get_running_loop().run_in_executor(
            self._picture_thread, _measures, clip
        )

    def prepare_pictures(self) -> None:
        """Load librosa on the thread that makes pictures, so that the first one does not wait."""
        self._picture_thread.submit(_load_pictures)

    def close(self) -> None:
        """Finish what was begun; the profile is closed by the thread that opened it."""
        self._picture_thread.shutdown(cancel_futures=True)
        self._store_thread.submit(self._close_annotation)
        self._store_thread.shutdown()

    def _annotation(self) -> AnnotationSession:
        if self._opened.annotation is None:
            profile = Profile(self.folder)
            self._opened.annotation = AnnotationSession(
                profile,
                np.random.default_rng(),
                time.time,
                self.config.channel,
                self.loop,
                on_disk=may_store_audio(self.config.privacy, profile),
                dimension=self.config.dimension,
            )
        return self._opened.annotation

    def _close_annotation(self) -> None:
        if self._opened.annotation is not None:
            self._opened.annotation.profile.close()
            self._opened.annotation = None


def _picture(clip: bytes) -> Picture:
    compile_once()
    from streamer.web.api.picture import picture_of

    return picture_of(clip)


def _measures(clip: bytes) -> dict[str, float]:
    from streamer.encoders.acoustic.encoder import AcousticEncoder

    return AcousticEncoder().functionals(from_flac(clip))


def _load_pictures() -> None:
    """The picture of half a second of silence: loads and compiles all that a picture needs."""
    _picture(to_flac(np.zeros(SAMPLE_RATE_HZ // 2, np.float32)))

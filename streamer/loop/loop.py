"""The loop as an object: an iterator of events, for a program, a notebook, a thread or asyncio."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Final, Self

from streamer.audio.sources.protocol import Source
from streamer.config import Config
from streamer.errors import UsageError
from streamer.events import Ended, Event, Noticed, Status
from streamer.loop.clip_cache import ClipCache
from streamer.loop.compose import (
    bind_encoder,
    check_settings,
    make_describer,
    make_queue,
    make_retention,
    make_session,
    make_strategies,
    open_input,
    open_profile,
    take_over,
)
from streamer.loop.describing import Describer
from streamer.loop.markers import MarkerTrack
from streamer.loop.opening import opening
from streamer.loop.profile_model import ProfileModel
from streamer.loop.session import Session
from streamer.loop.steps import Stopwatch, steps
from streamer.store.labels import UNIT
from streamer.store.profile import Profile
from streamer.system import path_of
from streamer.types import Label

MICROPHONE: Final = "microphone"


class Loop:
    """One run over one source: listens, predicts, selects what to ask, and learns answers.

    Iterate over it once, for the events of `streamer.events`, the last of which is `Ended` with
    the accounts. It opens its profile, source and encoder at the first event, or on entering a
    `with` block, and releases them at the end. It installs no signal handler and prints nothing.

    Parameters
    ----------
    source
        ``"microphone"``; a recording or a folder of them; ``"-"`` for standard input; or an object
        that follows `streamer.audio.sources.protocol.Source`, which it closes.
    profile
        The folder of a profile, made when missing, or its name as `--profile` takes it. None: a
        temporary one, deleted at the end.
    config
        All settings at once, in place of `profile` and `settings`.
    realtime
        Play a recording at its pace instead of as fast as it can be processed.
    max_seconds
        Stop after so much audio, in seconds; None for no limit.
    holder
        The name of this process in the error of a second one that opens the same profile.
    **settings
        Fields of `streamer.config.Config`: ``buffer``, ``keep``, ``strategy``, ``encoder``,
        ``device``, ``seed``, ``privacy`` and so on. Those not given come from the environment.
        ``strategy`` and ``learner`` may also be classes of your own; a profile keeps the learner's
        import path, by which the next process finds it.

    Attributes
    ----------
    ended : Ended or None
        The accounts, once it has ended.
    clips : ClipCache
        Audio of open questions that may not be written to disk.
    describer : Describer or None
        What measures utterances, once it has opened, where the setting ``explain`` is on.

    Raises
    ------
    UsageError
        For a setting that is unknown or out of range; the other kinds of `StreamerError` come out
        of the iteration: `AudioError`, `EncoderError`, `ProfileError`.

    Examples
    --------
    >>> with Loop("meeting.flac", buffer=4) as loop:  # doctest: +SKIP
    ...     for event in loop:
    ...         if isinstance(event, Selected):
    ...             loop.label(event.asked[0], valence=0.5, arousal=-0.25)
    """

    def __init__(
        self,
        source: str | Path | Source = MICROPHONE,
        profile: str | Path | None = None,
        *,
        config: Config | None = None,
        realtime: bool = False,
        max_seconds: float | None = None,
        holder: str = "streamer.Loop",
        **settings: Any,
    ) -> None:
        if config is not None and (profile is not None or settings):
            raise UsageError("config holds the profile and all settings: give it alone")
        if isinstance(profile, Path):
            profile = str(profile.absolute())
        self.ended: Ended | None = None
        self.clips = ClipCache()
        self.describer: Describer | None = None
        self._source = source
        self._realtime = realtime
        self._max_seconds = max_seconds
        self._holder = holder
        self._is_temporary = config is None and profile is None
        self._config = config or Config.load(profile=profile, **_named(settings))
        self._stop = threading.Event()
        self._stopwatch = Stopwatch(time.monotonic)
        self._resources = ExitStack()
        self._session: Session | None = None
        self._profile_model: ProfileModel | None = None
        self._markers: MarkerTrack | None = None
        self._events: Generator[Event | None] | None = None
        self._released = False
        self._stepping = threading.RLock()

    @property
    def stopped(self) -> bool:
        """Whether it was asked to stop before its source ended."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End at the next item of the source, in order: last buffer, last labels, accounts.

        Callable from any thread and from a signal handler; does not wait.
        """
        if self.ended is None:
            self._stop.set()

    def close(self) -> None:
        """Stop, discard the events that are left, and release everything; may be called again.

        Where another thread iterates, waits until its current step is done.
        """
        self.stop()
        with self._stepping:
            if self._events is not None:
                for _ in self._events:
                    pass
            self._release()

    def status(self) -> Status:
        """Levels and counts of this moment. Raises UsageError before it has opened."""
        if self._session is None:
            raise UsageError("the loop is not open: iterate over it, or enter it with `with`")
        return self._session.status(self._stopwatch.busy_s)

    def label(
        self,
        utterance: int,
        *,
        valence: float | None = None,
        arousal: float | None = None,
        dominance: float | None = None,
        emotion: str | None = None,
        annotator: str | None = None,
    ) -> None:
        """Store one person's answer and learn it at once; the event `Learned` follows.

        Callable from any thread, and between two events of the iterating one.

        Parameters
        ----------
        utterance
            The `id` of an event.
        valence, arousal, dominance
            In [-1, 1]; None for no answer.
        emotion
            A name; the utterance then also counts as an example of it.
        annotator
            Whose answer it is; the configured one for None.

        Raises
        ------
        UsageError
            For an empty answer or a value out of range, and while the loop is not open.
        NotFound
            For an utterance that is not in the profile.
        """
        name = annotator or self._config.annotator
        answer = Label(utterance, valence, arousal, dominance, emotion, name)
        with self.profile_model() as profile_model:
            if profile_model is None:
                raise UsageError("the loop is not open: there is nothing to learn an answer")
            profile_model.give([answer], time.time(), UNIT)

    def mark(self, name: str, origin: str = "python") -> None:
        """Take an event marker, now; the event `Marked` follows, with its place in the source.

        Callable from any thread.

        Parameters
        ----------
        name
            What happened, in 1 to 64 printable characters.
        origin
            How the marker came.

        Raises
        ------
        UsageError
            For an invalid name, and while the loop is not open.
        """
        if self._markers is None or self._released:
            raise UsageError("the loop is not open: there is no clock to place a marker on")
        self._markers.mark(name, origin)

    @contextmanager
    def profile_model(self) -> Iterator[ProfileModel | None]:
        """The model that it updates, locked inside the block; None while it is not open.

        For other threads of this process, as the label page's.
        """
        model = self._profile_model
        if model is None:
            yield None
            return
        with model.exclusive():
            yield self._profile_model  # it may have been closed while this thread waited

    def open(self) -> None:
        """Take over the profile, then open source and encoder; does nothing if already open."""
        with self._stepping:
            if self._events is None and not self._released:
                try:
                    self._events = self._open()
                except BaseException:
                    self._release()
                    raise

    def steps(self) -> Iterator[Event | None]:
        """Each event, and None after each item of the source: several times a second."""
        while True:
            with self._stepping:
                self.open()
                if self._events is None:
                    return
                try:
                    event = next(self._events)
                except StopIteration:
                    return
                except BaseException:
                    self._release()
                    raise
            yield event

    def __iter__(self) -> Iterator[Event]:
        return (event for event in self.steps() if event is not None)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The same events under asyncio; the work is done on a thread of its own."""
        events = self.steps()
        executor = ThreadPoolExecutor(1, thread_name_prefix="streamer-loop")
        call = partial(asyncio.get_running_loop().run_in_executor, executor)
        try:
            while found := await call(_next, events):
                if found[0] is not None:
                    yield found[0]
        finally:
            self.stop()
            await call(self.close)
            executor.shutdown(wait=False)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            with self._stepping:
                if self._events is not None:
                    self._events.close()
                self._release()

    def _open(self) -> Generator[Event | None]:
        enter = self._resources.enter_context
        config = self._config
        if self._is_temporary:
            folder = Path(enter(TemporaryDirectory(prefix="streamer-")))
            config = config.model_copy(update={"profile": str(folder / "temporary")})
        check_settings(config)
        strategies = make_strategies(config)
        profile = enter(open_profile(config))
        take_over(config, profile, self._holder)
        # The microphone first: it already records while the models load.
        source = enter(closing(self._open_source(config, profile)))
        encoder = bind_encoder(config, profile)
        encoding_queue, notices = make_queue(encoder, source.kind)
        enter(closing(encoding_queue))
        retention = make_retention(config, profile, self.clips)
        self.describer = make_describer(config, profile, source.kind)
        if self.describer is not None:
            enter(closing(self.describer))
        self._session, self._profile_model, self._markers = make_session(
            config, profile, source, encoding_queue, retention, strategies, self.describer
        )
        self._resources.callback(self._detach_model)
        first = opening(config, profile, encoder, source, retention)
        return self._run(first, source, self._session, self._profile_model, notices)

    def _open_source(self, config: Config, profile: Profile) -> Source:
        source = self._source
        if isinstance(source, str | Path):
            place = None if source == MICROPHONE else str(source)
            return open_input(
                config, place, realtime=self._realtime, heard_files=profile.heard_files
            )
        return source

    def _run(
        self,
        first: Iterator[Event],
        source: Source,
        session: Session,
        profile_model: ProfileModel,
        notices: deque[str],
    ) -> Generator[Event | None]:
        for step in steps(
            source,
            session,
            opening=first,
            stop=self._stop,
            stopwatch=self._stopwatch,
            now_s=time.monotonic,
            max_seconds=self._max_seconds,
        ):
            while notices:
                yield Noticed(notices.popleft(), "encoder_slow")
            if isinstance(step, Ended):
                self.ended = step
            yield step
        # Not after an error: the rows are right, what is in memory may not be.
        profile_model.save()
        if self.ended is not None:
            profile_model.profile.sessions.end(session.number, asdict(self.ended), time.time())
        self._release()

    def _detach_model(self) -> None:
        """Before the profile closes: other threads get no model afterwards."""
        if self._profile_model is not None:
            with self._profile_model.exclusive():
                self._profile_model = None

    def _release(self) -> None:
        self._released = True
        self._resources.close()


def _named(settings: dict[str, Any]) -> dict[str, Any]:
    """Classes by their import paths, as settings have them."""
    return {
        name: path_of(value) if isinstance(value, type) else value
        for name, value in settings.items()
    }


def _next(events: Iterator[Event | None]) -> tuple[Event | None] | None:
    """The next one in a tuple, None at the end: a StopIteration cannot cross into asyncio."""
    return next(((event,) for event in events), None)

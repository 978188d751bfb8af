"""The first minutes in a terminal: meter, sentences to read, questions, and what was learned.

The loop runs on a thread of its own and is followed as by any sink; this one draws.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import numpy as np
import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streamer.annotation.before_after import Change, changes
from streamer.annotation.first_steps import SENTENCES, STEPS, FirstState, FirstSteps
from streamer.annotation.session import AnnotationSession
from streamer.config import Config
from streamer.events import Drifted, Ended, Event, Noticed, Started, Status
from streamer.loop.loop import Loop
from streamer.loop.retention import may_store_audio
from streamer.loop.sinks import Sink
from streamer.store.profile import Profile
from streamer.terminal.annotate import label_by_keys
from streamer.terminal.keys import Poll, pressed_keys
from streamer.terminal.lines import describe
from streamer.terminal.panel import meter
from streamer.types import Estimate, Verdict

REDRAW_S: Final = 0.1
TITLES: Final = {
    "microphone": "the microphone",
    "speak": "speak",
    "answer": "answer",
    "learned": "what it learned",
}
_FRAME: Final = 4


class FirstScreens:
    """The output of a loop: the first minutes, and from `hand_over` on another sink.

    Parameters
    ----------
    steps
        What is followed and shown.
    console
        The terminal.
    then
        Where the events go afterwards: the live panel.
    """

    name = "the terminal"

    def __init__(self, steps: FirstSteps, console: Console, then: Sink) -> None:
        self.steps = steps
        self._console = console
        self._then = then
        self._lock = threading.Lock()
        self._handed = False
        self._start: Started | None = None
        self._status: Status | None = None
        self._told: list[Text] = []
        self.over = threading.Event()

    def emit(self, event: Event) -> None:
        with self._lock:
            if isinstance(event, Ended):
                self.over.set()
            if self._handed:
                self._then.emit(event)
                return
            self.steps.emit(event)
            match event:
                case Started():
                    self._start = event
                case Ended():
                    self._told.append(Text(describe(event, live=True)))
                case Drifted() | Noticed():
                    self._told.append(Text(describe(event), style="yellow"))

    def tick(self, status: Callable[[], Status]) -> None:
        with self._lock:
            if self._handed:
                self._then.tick(status)
            else:
                self._status = status()

    def close(self) -> None:
        self.over.set()
        self._then.close()

    def wait_until_open(self) -> bool:
        """Wait until the loop listens; False where it has ended instead."""
        while self._start is None:
            if self.over.wait(REDRAW_S):
                return False
        return True

    def speak(self, keys: Poll) -> bool:
        """Show meter and sentences until a question is to be answered; False where it has ended.

        Enter skips a step, t changes between reading and talking, r reads a sentence again, a
        answers what is asked already, q ends.
        """
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while not self.over.is_set():
                state, status = self.steps.state, self._status
                if state.step == "learned":
                    return True
                has_questions = status is not None and status.open_queries > 0
                if state.step == "answer" and has_questions:
                    return True
                self._print_told(live.console)
                live.update(self._draw(state, status), refresh=True)
                key = keys(REDRAW_S)
                if key == "q":
                    return False
                if key == "a" and has_questions:
                    return True
                self._obey(key, state)
        self._print_told(self._console)
        return False

    def hand_over(self) -> None:
        """From now on, events go to the live panel."""
        with self._lock:
            self._print_told(self._console)
            self._handed = True
            if self._start is not None and not self.over.is_set():
                self._then.emit(self._start)

    def print_learned(self, found: Sequence[Change]) -> None:
        """The same utterances before any answer, and now."""
        read = dict(self.steps.state.heard)
        self._console.print(learned_table(found, read))

    def _obey(self, key: str, state: FirstState) -> None:
        if key in {"\r", "\n"}:
            self.steps.go_on(state.step)
        elif key == "t":
            self.steps.read_sentences(not state.reads)
        elif key == "r":
            self.steps.read_again()

    def _print_told(self, console: Console) -> None:
        while self._told:
            console.print(self._told.pop(0))

    def _draw(self, state: FirstState, status: Status | None) -> RenderableType:
        inner = max(self._console.width - _FRAME, 20)
        at = STEPS.index(state.step)
        title = f"First steps · {at + 1} of {len(STEPS)}: {TITLES[state.step]}"
        if status is None:
            return Panel(Text("opening the microphone …"), title=title, title_align="left")
        style = {"good": "green", "poor": "yellow"}.get(state.sound, "")
        body = [meter(status, inner), Text(state.sound_text, style=style), Text(), *_task(state)]
        if state.step != "microphone":
            body += [Text(), Text(counted(status))]
        return Panel(
            Group(*body, Text(), Text(_keys(state, status), style="dim")),
            title=title, title_align="left",
        )  # fmt: skip


def take_first_steps(
    loop: Loop,
    profile: Profile,
    settings: Config,
    screens: FirstScreens,
    *,
    keys: Callable[[], AbstractContextManager[Poll]] = pressed_keys,
    key: Callable[[], str] = typer.getchar,
    play: Callable[[bytes], str] | None = None,
) -> None:
    """Lead through the steps while the loop runs on another thread; then the live panel follows.

    Parameters
    ----------
    loop
        The loop on `profile`, whose output is `screens`.
    profile
        Opened on this thread.
    keys, key
        Where keys come from: while something moves, and at a question.
    play
        See `label_by_keys`.
    """
    steps, on_disk = screens.steps, may_store_audio(settings.privacy, profile)
    while True:
        with keys() as poll:
            goes_on = screens.speak(poll)
        if not goes_on:
            loop.stop()
        if not goes_on or steps.state.step == "learned":
            break
        label_by_keys(
            profile, settings.annotator, key=key, play=play, on_disk=on_disk,
            dimension=settings.dimension, loop=loop, stay=False,
        )  # fmt: skip
        steps.go_on("answer")
    annotation = AnnotationSession(profile, np.random.default_rng(), time.time, loop=loop)
    heard = [number for number, _ in steps.state.heard]
    screens.print_learned(changes(annotation, heard, settings.annotator, settings.blind))
    screens.hand_over()


def counted(status: Status) -> str:
    """How far the buffer is, and what it leads to.

    >>> counted(Status(-30.0, False, (2, 3), 0, 0, 2, 9.0))
    '2 of 3 heard: 1 more, and it asks'
    """
    filled, size = status.buffer
    asked = f", {status.open_queries} to answer" if status.open_queries else ""
    return f"{filled} of {size} heard: {size - filled} more, and it asks{asked}"


def learned_table(found: Sequence[Change], read: dict[int, int | None]) -> RenderableType:
    """Of each utterance: what was predicted before any answer, what now, and the answer.

    read: the sentence of an utterance, counted from 0, where it was one.
    """
    if not found:
        return Text("Nothing to compare yet: it shows what changed once something was answered.")
    table = Table(
        box=None, pad_edge=False, padding=(0, 2, 0, 0), title_justify="left", title_style="bold",
        title="The same utterances, predicted before any answer → now",
    )  # fmt: skip
    for heading in ("#", "read as", "valence", "arousal", "emotion", "your answer"):
        table.add_column(heading, header_style="dim", no_wrap=heading != "emotion")
    for one in found:
        sentence = read.get(one.utterance)
        answer = one.answer
        given = [] if answer is None else [answer.valence, answer.arousal]
        said = " ".join(f"{value:+.2f}" for value in given if value is not None)
        table.add_row(
            str(one.utterance),
            "" if sentence is None else SENTENCES[sentence].mood,
            _moved(one.before.valence, one.after.valence),
            _moved(one.before.arousal, one.after.arousal),
            _renamed(one.before_verdict, one.after_verdict),
            " ".join([said, (answer.emotion or "") if answer else ""]).strip(),
        )
    return table


def _task(state: FirstState) -> list[RenderableType]:
    sentence = state.sentence
    if state.step == "microphone":
        return [
            Text("Say a few words, as you usually speak.", style="bold"),
            Text("The level should move meanwhile, and stay below the right end."),
        ]
    if state.step == "answer":
        return [Text("Go on talking: the first question comes in a moment.")]
    if sentence is None:
        return [Text("Just talk, in short sentences and in different moods.", style="bold")]
    head = f"Read aloud, {state.read + 1} of {len(SENTENCES)}: {sentence.mood}, {sentence.hint}"
    return [Text(head), Text(f"  “{sentence.text}”", style="bold")]


def _keys(state: FirstState, status: Status) -> str:
    keys = ["Enter skips this step"]
    if state.step == "speak":
        keys = ["Enter skips"]
        keys += ["t just talk" if state.reads else "t read sentences"]
        keys += ["r the last again"] if state.reads and state.read else []
        keys += [f"a answer {status.open_queries} now"] if status.open_queries else []
    return " · ".join([*keys, "q stops"])


def _moved(before: Estimate, after: Estimate) -> str:
    return f"{before.mean:+.2f} → {after.mean:+.2f}"


def _renamed(before: Verdict, after: Verdict) -> str:
    names = ["" if v.distance is None else v.emotion or "unknown" for v in (before, after)]
    if names[0] == names[1]:
        return names[1]
    return f"{names[0] or '–'} → {names[1] or '–'}"

"""The first steps in a terminal, with a real loop beside them."""

import io
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from streamer.annotation.first_steps import FirstSteps
from streamer.config import Config
from streamer.errors import AudioError
from streamer.events import Noticed, Status
from streamer.loop.loop import Loop
from streamer.loop.run import pass_on
from streamer.loop.sinks import Sinks
from streamer.store.profile import Profile
from streamer.terminal.first_steps import FirstScreens, counted, take_first_steps
from streamer.terminal.keys import Poll
from streamer.terminal.panel import LivePanel
from streamer.testing import Spoken
from streamer.types import SAMPLE_RATE_HZ, Chunk, Samples
from tests.annotation.test_first_steps import heard
from tests.terminal.test_lines import STARTED, console_lines


class Talking:
    """A microphone that hears a session once somebody looks, then a quiet room."""

    kind = "microphone"
    name = "made up"
    rate_hz = SAMPLE_RATE_HZ
    channels = 1

    def __init__(self, speech: Samples) -> None:
        self.looked = threading.Event()
        self._speech = speech
        self._closed = False

    def __iter__(self) -> Iterator[Chunk]:
        self.looked.wait(30)
        noise = np.random.default_rng(0).normal(0, 1e-3, 4_000).astype(np.float32)
        for at in itertools.count(0, 4_000):
            if self._closed:
                return
            part = self._speech[at : at + 4_000]
            yield Chunk((part if len(part) else noise)[:, np.newaxis], SAMPLE_RATE_HZ, self.name)
            if not len(part):
                time.sleep(0.01)

    def close(self) -> None:
        self._closed = True


def screens_on(width: int = 80) -> tuple[FirstScreens, io.StringIO]:
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=width, height=24, no_color=True)
    return FirstScreens(FirstSteps(), console, LivePanel(console)), drawn


def keys_of(press: Callable[[], str]) -> Callable[[], AbstractContextManager[Poll]]:
    @contextmanager
    def pressed() -> Iterator[Poll]:
        def poll(seconds: float) -> str:
            time.sleep(seconds / 20)
            return press()

        yield poll

    return pressed


def test_it_leads_from_the_meter_to_what_was_learned(
    tmp_path: Path, spoken_session: tuple[Samples, list[Spoken]], capsys: pytest.CaptureFixture[str]
) -> None:
    config = Config(profile=str(tmp_path / "p"), home=tmp_path, first_buffer=3)
    source = Talking(spoken_session[0])
    loop = Loop(source, config=config)
    screens, drawn = screens_on()
    listening = threading.Thread(target=pass_on, args=(loop, Sinks(screens, loop.stop), 0.0))
    listening.start()
    digits = itertools.cycle("284736519")

    def look() -> str:
        source.looked.set()
        return ""

    try:
        assert screens.wait_until_open()
        profile = Profile(tmp_path / "p")
        take_first_steps(
            loop, profile, config, screens,
            keys=keys_of(look), key=lambda: next(digits), play=lambda clip: "playing",
        )  # fmt: skip
        answered = profile.labels.count()
        profile.close()
    finally:
        source.looked.set()
        loop.stop()
        listening.join(60)
    # Where a line is drawn again, it begins again.
    told = "\n".join(console_lines(drawn.getvalue().replace("\r", "\n")))
    assert answered >= 5  # of the first buffers of 3 and 6
    assert f"{answered} answered in this session" in capsys.readouterr().out
    for part in ("First steps · 1 of 4: the microphone", "Read aloud, 1 of 8: calm", "blue cup"):
        assert part in told
    assert re.search(r"of 3 heard: \d more, and it asks", told)
    table = told[told.index("predicted before any answer → now") :]
    assert len(re.findall(r"[+-]\d\.\d\d → [+-]\d\.\d\d", table)) >= 2 * answered
    assert "Ctrl-C stops and saves" in table  # the panel follows
    assert max(len(line) for line in told.splitlines()) <= 80
    assert "captured" in table


@pytest.mark.parametrize("width", [80, 60])
def test_a_fault_and_the_keys_fit_the_terminal(width: int) -> None:
    screens, drawn = screens_on(width)
    screens.emit(STARTED)
    muted = "USB: nothing but digital silence for 3 s: the microphone may be muted, or unplugged"
    screens.emit(Noticed(muted, "silent_input"))
    screens.tick(lambda: Status(-120.0, False, (0, 3), 0, 0, 0, 3.0))
    pressed = iter(["", "\n", "t", "t", "", "q"])
    with keys_of(lambda: next(pressed))() as poll:
        assert not screens.speak(poll)
    lines = console_lines(drawn.getvalue().replace("\r", "\n"))
    flat = " ".join(re.sub(r"[│╭╮╰╯─]", " ", "\n".join(lines)).split())
    assert "the microphone may be muted" in flat
    assert "Just talk, in short sentences" in flat
    assert "Enter skips this step · q stops" in flat
    assert max(map(len, lines)) <= width


def test_a_question_can_be_answered_before_all_sentences_are_read() -> None:
    screens, _ = screens_on()
    screens.emit(STARTED)
    screens.emit(heard(1))
    screens.tick(lambda: Status(-30.0, False, (0, 6), 2, 0, 3, 9.0))
    with keys_of(lambda: "a")() as poll:
        assert screens.speak(poll)
    assert screens.steps.state.step == "speak"


def test_where_the_microphone_fails_nobody_waits() -> None:
    screens, drawn = screens_on()

    class Broken(Talking):
        def __iter__(self) -> Iterator[Chunk]:
            raise AudioError("gone")

    loop = Loop(Broken(np.zeros(0, np.float32)), encoder="acoustic")
    failed: list[BaseException] = []

    def listen() -> None:
        try:
            pass_on(loop, Sinks(screens, loop.stop), 0.0)
        except AudioError as error:
            failed.append(error)

    thread = threading.Thread(target=listen)
    thread.start()
    screens.over.wait(30)
    thread.join(30)
    assert [str(error) for error in failed] == ["gone"]
    with keys_of(lambda: "")() as poll:
        assert not screens.speak(poll)
    assert "captured" in drawn.getvalue()


def test_the_counter_names_what_is_to_be_answered() -> None:
    assert counted(Status(-30.0, False, (3, 10), 2, 0, 3, 9.0)).endswith("it asks, 2 to answer")

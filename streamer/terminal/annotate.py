"""Labelling in the terminal: plays a clip; one key answers each question."""

import errno
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Final

import numpy as np
import typer
from rich.console import Console
from rich.text import Text

from streamer.annotation.session import AnnotationSession, Item, Saved
from streamer.errors import UsageError
from streamer.store.playback import PlaybackFile
from streamer.store.profile import Profile
from streamer.store.queries import Order
from streamer.terminal.lines import clock
from streamer.terminal.panel import bar
from streamer.terminal.play import play as play_here
from streamer.text import emotion_name, many, printable
from streamer.types import DIMENSIONS, Label, Prediction

if TYPE_CHECKING:
    from streamer.loop.loop import Loop

POINTS: Final = "123456789"
KEYS: Final = (
    "1-9 answer (5: middle) · space play again · s skip · x cannot tell · z undo · q stop · ? help"
)
MORE: Final = (
    "d dominance on or off · o oldest or most informative first · + a new emotion",
    "x closes a question and deletes its audio; s leaves it for later; z undoes the last of these, "
    "also in a later session",
    "About one utterance in twenty is asked a second time, to measure your consistency; the second "
    "answer is not learned.",
)
ENDS: Final = {
    "valence": ("negative", "positive"),
    "arousal": ("calm", "excited"),
    "dominance": ("submissive", "dominant"),
}
_ENTER: Final = {"\r", "\n"}
_END: Final = {"\x03", "\x04"}
_ORDERS: Final[dict[Order, str]] = {"informative": "most informative", "oldest": "oldest"}


def label_by_keys(
    profile: Profile,
    annotator: str,
    *,
    key: Callable[[], str] = typer.getchar,
    line: Callable[[], str] = input,
    play: Callable[[bytes], str] | None = None,
    rng: np.random.Generator | None = None,
    on_disk: bool = True,
    dimension: str | None = None,
    loop: "Loop | None" = None,
    stay: bool = True,
) -> None:
    """Ask about every open query, most informative first, until none is left or `q`.

    The prediction is shown only after the answer, so that it does not influence it. Each answer is
    stored and learned before the next question. key: reads one key; line: reads a name; play:
    plays a FLAC clip and returns a message; rng: draws the repeats; on_disk: whether audio may be
    written to disk; dimension: the only one to ask about; loop: one that this process runs on the
    profile; stay: once none is left, wait for a key, so that the last answer can be undone. SIGHUP
    and SIGTERM stop it like `q`. Raises UsageError without a terminal.
    """
    if key is typer.getchar and not sys.stdin.isatty():
        raise UsageError(
            "standard input is not a terminal: give an utterance, or --import FILE.csv"
        )
    annotation = AnnotationSession(
        profile,
        rng or np.random.default_rng(),
        time.time,
        loop=loop,
        on_disk=on_disk,
        dimension=dimension,
    )
    profile.delete_left()
    announced = PlaybackFile(profile.folder)
    with (
        _interrupted_by_signals(),
        profile.copies.playing() if on_disk else nullcontext() as folder,
    ):
        player = play or partial(play_here, folder=folder, announced=announced)
        try:
            _Asker(annotation, annotator, key, line, player, stay).ask_all()
        except OSError as error:
            if error.errno != errno.EIO:  # EIO: the terminal was closed
                raise
        finally:
            announced.close()  # the sound ends with this process


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """SIGHUP and SIGTERM act like Ctrl-C, so that played clips are deleted."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    names = [name for name in ("SIGHUP", "SIGTERM") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), interrupt) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


class _Stop(Exception):
    pass


class _Leave(Exception):
    """Switch to another item: the next one, or one that was reopened."""

    def __init__(self, item: Item | None = None) -> None:
        self.item = item


class _Asker:
    def __init__(
        self,
        annotation: AnnotationSession,
        annotator: str,
        key: Callable[[], str],
        line: Callable[[], str],
        play: Callable[[bytes], str],
        stay: bool,
    ) -> None:
        self._stay = stay
        self._annotation = annotation
        self._annotator = annotator
        self._key = key
        self._line = line
        self._play = play
        self._order: Order = "informative"
        self._wants_dominance = False
        self._answered = 0
        self._confirmed: set[int] = set()
        self._screen = Console(highlight=False, soft_wrap=True)

    def ask_all(self) -> None:
        self._say(f"Labelling as {self._annotator} · {self._progress()}", "bold")
        self._say(KEYS, "dim")
        try:
            item = self._next()
            while item is not None:
                try:
                    self._ask(item)
                    item = self._next()
                except _Leave as leaving:
                    item = leaving.item or self._next()
        except (_Stop, KeyboardInterrupt, EOFError):
            self._say("")
        self._say(f"{self._answered} answered in this session · {self._progress()}")

    def _next(self) -> Item | None:
        """The next item; when none is left, a skipped one if the annotator asks for it."""
        item = self._annotation.next(self._annotator, self._order)
        skipped = self._annotation.progress(self._annotator).skipped
        if item is not None or not (self._stay and (skipped or self._answered)):
            return item
        again = f"space asks the {skipped} skipped again, " if skipped else ""
        self._say(f"\nNo open questions: {again}z undoes your last answer, q stops")
        while True:
            pressed = self._key()
            if pressed == " " and skipped:
                self._annotation.ask_skipped_again(self._annotator)
                return self._annotation.next(self._annotator, self._order)
            if pressed == "z":
                return self._annotation.undo(self._annotator)
            self._stop_at(pressed)

    def _ask(self, item: Item) -> None:
        player = item.utterance
        place = f"{printable(player.source)} {clock(player.onset_s)}-{clock(player.offset_s)}"
        self._say(f"\n#{player.id}  ", "bold", end="")
        self._say(place)
        self._replay(item)
        if item.answered is not None:
            self._say(f"  your earlier answer: {_values(item.answered)}", "dim")
        alone = self._annotation.dimension
        names = [alone] if alone else ["valence", "arousal"] + ["dominance"] * self._wants_dominance
        values = {name: self._scale(name, item) for name in names}
        label = Label(
            player.id, values.get("valence"), values.get("arousal"), values.get("dominance"),
            self._emotion(item), self._annotator,
        )  # fmt: skip
        if player.id not in self._confirmed and self._annotation.is_surprising(label):
            self._confirmed.add(player.id)  # asked once, whatever is answered then
            if not self._is_sure():
                raise _Leave(item)
        self._show(label, self._annotation.save(label))
        self._answered += 1

    def _is_sure(self) -> bool:
        """Ask for one key to confirm a surprising answer."""
        self._say(
            "  far outside the predicted interval: Enter keeps it, any other key asks again: ",
            end="",
        )
        kept = self._key() in {*_ENTER, " ", "y"}
        self._say("kept" if kept else "again", "bold")
        return kept

    def _show(self, label: Label, saved: Saved) -> None:
        """Print the answer beside the prediction, and how the prediction changed."""
        for name in _answered(label):
            predicted = getattr(saved.predicted, name)
            line = Text.assemble(
                (f"    {name:8} ", "dim"), f"you {getattr(label, name):+.2f}  ",
                ("predicted ", "dim"), bar(predicted),
            )  # fmt: skip
            if saved.now is not None:
                line.append("  now ", "dim").append(f"{getattr(saved.now, name).mean:+.2f}")
            self._screen.print(line)
        self._say(f"    {_remark(label, saved)}", "dim")

    def _scale(self, name: str, item: Item) -> float:
        low, high = ENDS[name]
        question = f"  {name:9} 1 {low} … 9 {high}: "
        return (int(self._answer(question, set(POINTS), item)) - 5) / 4

    def _emotion(self, item: Item) -> str | None:
        keys = self._annotation.emotions()
        choices = {pressed: name for name, pressed in keys.items() if pressed is not None}
        listed = "  ".join(f"{pressed} {name}" for pressed, name in choices.items())
        text = Text(printable(f"  {listed}  + new  Enter none"))
        self._screen.print(text, soft_wrap=False)
        chosen = self._answer("  emotion   ", {*choices, "+", *_ENTER}, item)
        if chosen == "+":
            return self._new_emotion()
        return choices.get(chosen)

    def _new_emotion(self) -> str | None:
        while True:
            self._say("  name of the emotion, then Enter: ", end="")
            typed = self._line()
            if not typed.strip():
                return None
            try:
                return emotion_name(typed)
            except UsageError as error:
                self._say(f"  {error}")

    def _answer(self, question: str, allowed: set[str], item: Item) -> str:
        self._say(question, end="")
        while True:
            pressed = self._key()
            if pressed in allowed:
                self._say(pressed.strip(), "bold")
                return pressed
            if self._obey(pressed, item):
                self._say(question, end="")

    def _obey(self, pressed: str, item: Item) -> bool:
        """Carry out a command; returns whether the question has to be repeated."""
        number = item.utterance.id
        match pressed:
            case " ":
                self._say("")
                self._replay(item)
            case "s":
                self._annotation.pass_over("skip", number, self._annotator)
                self._leave("skipped")
            case "x":
                self._annotation.pass_over("cannot tell", number, self._annotator)
                self._leave("closed without an answer")
            case "z":
                again = self._annotation.undo(self._annotator)
                if again is not None:
                    self._leave(f"#{again.utterance.id} is open again", again)
                self._say("nothing to undo")
            case "o":
                self._order = "oldest" if self._order == "informative" else "informative"
                self._leave(f"{_ORDERS[self._order]} first")
            case "d":
                self._wants_dominance = not self._wants_dominance
                asked = "on" if self._wants_dominance else "off"
                self._leave(f"dominance {asked}", item)
            case "?":
                self._say(f"\n{KEYS}")
                for line in MORE:
                    self._say(line, "dim")
            case _:
                self._stop_at(pressed)
                return False
        return True

    def _stop_at(self, pressed: str) -> None:
        # An empty key: the terminal is gone.
        if not pressed or pressed == "q" or pressed in _END:
            raise _Stop

    def _leave(self, why: str, item: Item | None = None) -> None:
        self._say(why)
        raise _Leave(item)

    def _replay(self, item: Item) -> None:
        clip = self._annotation.clip(item.utterance.id)
        message = self._play(clip) if clip else "its audio is no longer kept"
        self._say(f"  {message}", "dim")

    def _progress(self) -> str:
        found = self._annotation.progress(self._annotator)
        consistency = (
            f" · consistent to ±{found.mean_difference:.2f} over {many(found.repeats, 'repeat')}"
            if found.mean_difference is not None
            else ""
        )
        return (
            f"{found.left} open, {found.answered} answered, {many(found.spared, 'label')} saved"
            f"{f', {found.skipped} skipped' * bool(found.skipped)}{consistency}"
        )

    def _say(self, text: str, style: str = "", end: str = "\n") -> None:
        """Print plain text: brackets in names are not markup."""
        words = text.lstrip("\n")
        shown = "\n" * (len(text) - len(words)) + printable(words)
        self._screen.print(Text(shown), style=style, end=end)


def _values(label: Label) -> str:
    shown = [f"{name} {getattr(label, name):+.2f}" for name in _answered(label)]
    return ", ".join([*shown, *([label.emotion] if label.emotion else [])])


def _answered(label: Label) -> list[str]:
    return [name for name in DIMENSIONS if getattr(label, name) is not None]


def _remark(label: Label, saved: Saved) -> str:
    if saved.first is not None:
        return f"a repeat; your first answer: {_values(saved.first)}"
    if saved.problem is not None:
        return f"stored; {saved.problem}"
    given = _answered(label)
    inside = [name for name in given if _holds(saved.predicted, label, name)]
    if len(inside) == len(given):
        return f"{'inside' if len(given) == 1 else 'all inside'} the predicted interval"
    if not inside:
        return f"{'outside' if len(given) == 1 else 'all outside'} the predicted interval"
    return f"only {' and '.join(inside)} inside the predicted interval"


def _holds(predicted: Prediction, label: Label, name: str) -> bool:
    interval = getattr(predicted, name)
    return bool(interval.low <= getattr(label, name) <= interval.high)

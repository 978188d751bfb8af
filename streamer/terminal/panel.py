"""A live panel in the terminal: level, utterances, predictions and counts.

It fits the terminal, down to 80 columns and 24 lines: bars give way first, then older utterances;
numbers and verdicts are never cut.
"""

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from streamer.events import (
    AUDIO_KEPT,
    ClockFitted,
    Drifted,
    Ended,
    Event,
    Heard,
    Learned,
    Noticed,
    Revealed,
    Selected,
    Started,
    Status,
    Unlearned,
    Withheld,
)
from streamer.terminal.lines import clock, describe, verdict
from streamer.text import printable
from streamer.types import Estimate

REDRAW_S: Final = 0.2
SHOWN: Final = 10
BAR_CELLS: Final = 21
FEWEST_BAR_CELLS: Final = 5
METER_CELLS: Final = 30
# From this width on, it is said how an utterance sounds beside the usual.
FEWEST_COLUMNS_DESCRIBED: Final = 100
METER_FLOOR_DBFS: Final = -60.0
# How long a notice stays in the panel; it also stands above it, where it may have scrolled away.
NOTICE_S: Final = 60.0
# The border and its padding; the columns of a row but the bars and the verdict, gaps included.
_FRAME: Final = 4
_GAP: Final = 2
_HIDDEN: Final = "hidden"


class LivePanel:
    """Redrawn at most five times a second; notices and the sample counts are printed above it.

    Parameters
    ----------
    console
        The terminal; by default, standard output.
    blind
        Hide what is predicted of open questions.
    address
        Where the pages are served, or None; asked at each drawing.
    sounds
        How an utterance differs from the usual, in words, "" where that is not known; shown where
        the terminal is wide enough.
    """

    name = "the terminal"

    def __init__(
        self,
        console: Console | None = None,
        *,
        blind: bool = True,
        address: Callable[[], str | None] = lambda: None,
        sounds: Callable[[int], str] = lambda utterance: "",
    ) -> None:
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._blind = blind
        self._address = address
        self._sounds = sounds
        self._title = Text("Streamer")
        self._kept = Text()
        self._is_live = False
        self._shown: deque[Heard | Withheld] = deque(maxlen=SHOWN)
        self._asked: set[int] = set()
        self._released: set[int] = set()
        self._answered: set[int] = set()
        self._last = ""
        self._notice = Text()
        self._noticed_s = self._drawn_s = float("-inf")

    def emit(self, event: Event) -> None:
        match event:
            case Started():
                name = Path(event.source["name"]).name
                self._is_live = event.source["kind"] != "file"
                self._title = Text(printable(f"Streamer · {event.profile} · {name}"))
                self._kept = Text(f"listening, {AUDIO_KEPT[event.privacy]}", style="dim")
                self._live.start()
            case Heard() | Withheld():
                self._shown.append(event)
            case Revealed():
                ids = [heard.id for heard in self._shown]
                if event.heard.id in ids:
                    self._shown[ids.index(event.heard.id)] = event.heard
            case Selected():
                shown = {heard.id for heard in self._shown}
                self._asked = (self._asked | set(event.asked)) & shown
                self._released = (self._released | set(event.released)) & shown
                self._answered &= shown
                self._last = describe(event)
            case Ended():
                self.close()
                account = Text(describe(event, live=self._is_live))
                self._console.print(self._utterances(SHOWN), account, sep="\n")
            case Drifted():
                pass  # its notice follows
            case Noticed() | Unlearned():
                self._notice, self._noticed_s = Text(describe(event)), time.monotonic()
                self._console.print(Text(describe(event), style="yellow"))
            case ClockFitted():
                pass  # for programs
            case _:
                if isinstance(event, Learned):
                    self._answered.add(event.utterance)
                self._last = describe(event)

    def tick(self, status: Callable[[], Status]) -> None:
        now_s = time.monotonic()
        if now_s - self._drawn_s >= REDRAW_S:
            self._drawn_s = now_s
            self._live.update(self._draw(status()), refresh=True)

    def close(self) -> None:
        """Release the terminal; may be called again."""
        self._live.stop()

    def _draw(self, status: Status) -> RenderableType:
        width, height = self._console.size
        inner = max(width - _FRAME, 20)
        above: list[RenderableType] = [meter(status, inner)]
        below: list[RenderableType] = [_counts(status, inner), *self._tail(status)]
        # One line of the terminal stays free for the cursor, two are the border.
        room = height - 3 - self._lines(inner, *above, *below)
        table: RenderableType
        for rows in range(min(len(self._shown), SHOWN), -1, -1):
            table = self._utterances(rows, inner)
            taken = self._lines(inner, table)
            if taken <= room or rows == 0:
                break
        spaced = [Text()] if taken + 2 <= room else []
        return Panel(
            Group(*above, *spaced, table, *spaced, *below), title=self._title, title_align="left",
            subtitle=self._kept, subtitle_align="left",
        )  # fmt: skip

    def _tail(self, status: Status) -> list[RenderableType]:
        """What happened last, and what a person can do."""
        tail: list[RenderableType] = [Text(self._last)] if self._last else []
        if time.monotonic() - self._noticed_s < NOTICE_S:
            tail.append(Text(self._notice.plain, style="yellow"))
        hints, address = Text("Ctrl-C stops and saves", style="dim"), self._address()
        if address is not None:
            tail += [Text("label and watch in your browser · ", "dim") + hints, Text(address)]
        elif status.open_queries:
            tail.append(Text("answer with `streamer label` in a second terminal · ", "dim") + hints)
        else:
            tail.append(hints)
        return tail

    def _lines(self, width: int, *parts: RenderableType) -> int:
        options = self._console.options.update_width(width)
        return sum(len(self._console.render_lines(part, options)) for part in parts)

    def _utterances(self, rows: int, width: int | None = None) -> Table:
        """The last so many. width: of the table; by default, that of the terminal."""
        width = self._console.width if width is None else width
        shown = list(self._shown)[len(self._shown) - min(rows, len(self._shown)) :]
        named = [self._verdict(heard) for heard in shown]
        numbers = [str(heard.id) for heard in shown]
        times = [clock(heard.onset_s) for heard in shown]
        sounds = ["" if self._is_hidden(heard) else self._sounds(heard.id) for heard in shown]
        describes = width >= FEWEST_COLUMNS_DESCRIBED and any(sounds)
        taken = [max((len(text) for text in texts), default=1) for texts in (numbers, times, named)]
        # 5 for a number such as +0.25, twice, 3 for the mark, and the gaps.
        free = width - sum(taken) - 2 * 5 - 3 - 6 * _GAP
        if describes:
            free -= max(map(len, sounds)) + _GAP
        cells = min(free // 2 - 1, BAR_CELLS)
        cells = cells if cells >= FEWEST_BAR_CELLS else 0
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        ends = " − … +" if cells >= FEWEST_BAR_CELLS + 2 else ""
        for heading in ("#", "at", f"valence{ends}", f"arousal{ends}"):
            table.add_column(heading if cells else heading[:3], header_style="dim", no_wrap=True)
        table.add_column("emotion", header_style="dim", overflow="fold")
        if describes:
            table.add_column("sounds", header_style="dim", overflow="fold")
        table.add_column("", no_wrap=True)
        for heard, emotion, sound in zip(shown, named, sounds, strict=True):
            mark = self._mark(heard.id)
            table.add_row(
                str(heard.id),
                clock(heard.onset_s),
                self._bar(heard, "valence", cells),
                self._bar(heard, "arousal", cells),
                Text(emotion, style="dim" if emotion == _HIDDEN else ""),
                *([Text(sound, style="dim")] if describes else []),
                Text(mark, style="bold cyan" if mark == "ask" else "dim"),
            )
        return table

    def _mark(self, utterance: int) -> str:
        if utterance in self._asked and utterance not in self._answered:
            return "ask"
        return "·" if utterance in self._released else ""

    def _is_hidden(self, heard: Heard | Withheld) -> bool:
        is_open = heard.id in self._asked and heard.id not in self._answered
        return isinstance(heard, Withheld) or (self._blind and is_open)

    def _verdict(self, heard: Heard | Withheld) -> str:
        if isinstance(heard, Withheld) or self._is_hidden(heard):
            return _HIDDEN
        return printable(verdict(heard))

    def _bar(self, heard: Heard | Withheld, dimension: str, cells: int) -> Text:
        if isinstance(heard, Withheld) or self._is_hidden(heard):
            return Text("·" * max(cells, 1), "dim")
        return bar(getattr(heard.prediction, dimension), cells)


def bar(estimate: Estimate, cells: int = BAR_CELLS) -> Text:
    """[-1, 1] as a row of cells: the interval as a band, the mean as a dot; then its number.

    Without cells, the number alone.
    """

    def cell(value: float) -> int:
        return min(int((value + 1.0) / 2.0 * cells), cells - 1)

    low, mean, high = cell(estimate.low), cell(estimate.mean), cell(estimate.high)
    text = Text()
    for at in range(cells):
        if at == mean:
            text.append("●", "bold green" if estimate.mean > 0 else "bold magenta")
        elif low <= at <= high:
            text.append("━")
        else:
            text.append("┼" if at == cells // 2 else "─", "dim")
    return text.append(f"{' ' * bool(cells)}{estimate.mean:+.2f}")


def _counts(status: Status, width: int) -> Text:
    filled, size = status.buffer
    lost = sum(status.dropped_samples.values())
    cells = min(size, 20) if width >= 76 else 0
    full = round(cells * filled / size) if size else 0
    return Text.assemble(
        ("buffer ", "dim"), "▮" * full, "▯" * (cells - full), " " * bool(cells), f"{filled}/{size}",
        ("   open queries ", "dim"), f"{status.open_queries}",
        ("   labels ", "dim"), f"{status.labels}",
        ("   dropped ", "dim"), (f"{lost:,}", "bold red" if lost else ""),
    )  # fmt: skip


def meter(status: Status, width: int) -> Text:
    """The level of this moment on one line: state, bar, level and clock."""
    # Beside the cells: the state, the level in dB, and the clock.
    cells = max(min(METER_CELLS, width - 36), 0)
    share = 1.0 - min(max(status.level_dbfs / METER_FLOOR_DBFS, 0.0), 1.0)
    lit = round(share * cells)
    colour = "red" if status.level_dbfs > -3.0 else "green" if status.speaking else "blue"
    if status.playing:  # what the microphone records is not heard: no level is news
        return Text.assemble(
            ("♪ playing a question: microphone ignored", "dim"),
            (f"   {clock(status.audio_s)}", "dim"),
        )
    state = ("● speech ", "bold green") if status.speaking else ("○ silence", "dim")
    return Text.assemble(
        state, "  ", ("█" * lit, colour), ("░" * (cells - lit), "dim"),
        f" {max(status.level_dbfs, -99):4.0f} dBFS", (f"   {clock(status.audio_s)}", "dim"),
    )  # fmt: skip

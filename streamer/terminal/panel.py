"""A live panel in the terminal: level, utterances, predictions and counts."""

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
    Drifted,
    Ended,
    Event,
    Heard,
    Noticed,
    Selected,
    Started,
    Status,
    Unlearned,
)
from streamer.terminal.lines import clock, describe, verdict
from streamer.text import printable
from streamer.types import Estimate

REDRAW_S: Final = 0.2
SHOWN: Final = 10
BAR_CELLS: Final = 21
METER_CELLS: Final = 30
METER_FLOOR_DBFS: Final = -60.0


class LivePanel:
    """Redrawn at most five times a second; notices and the sample counts are printed above it."""

    name = "the terminal"

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._title = Text("Streamer")
        self._kept = Text()
        self._shown: deque[Heard] = deque(maxlen=SHOWN)
        self._asked: set[int] = set()
        self._released: set[int] = set()
        self._last = ""
        self._drawn_s = 0.0

    def emit(self, event: Event) -> None:
        match event:
            case Started():
                name = Path(event.source["name"]).name
                self._title = Text(printable(f"Streamer · {event.profile} · {name}"))
                self._kept = Text(f"listening, {AUDIO_KEPT[event.privacy]}", style="dim")
                self._live.start()
            case Heard():
                self._shown.append(event)
            case Selected():
                shown = {heard.id for heard in self._shown}
                self._asked = (self._asked | set(event.asked)) & shown
                self._released = (self._released | set(event.released)) & shown
                self._last = describe(event)
            case Ended():
                self.close()
                self._console.print(self._utterances(), Text(describe(event)), sep="\n")
            case Drifted() | Noticed() | Unlearned():
                self._console.print(Text(describe(event), style="yellow"))
            case _:
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
        filled, size = status.buffer
        lost = sum(status.dropped_samples.values())
        counts = Text.assemble(
            ("buffer ", "dim"), "▮" * min(filled, 20), "▯" * min(size - filled, 20),
            f" {filled}/{size}",
            ("   open queries ", "dim"), f"{status.open_queries}",
            ("   labels ", "dim"), f"{status.labels}",
            ("   dropped ", "dim"), (f"{lost:,}", "bold red" if lost else ""),
        )  # fmt: skip
        hints = Text("Ctrl-C stops and saves", style="dim")
        if status.open_queries:
            hints = Text("answer with `streamer label` in a second terminal · ", "dim") + hints
        parts: list[RenderableType] = [
            _meter(status),
            Text(),
            self._utterances(),
            Text(),
            counts,
            Text(self._last),
            hints,
        ]
        return Panel(
            Group(*parts), title=self._title, title_align="left",
            subtitle=self._kept, subtitle_align="left",
        )  # fmt: skip

    def _utterances(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for heading in ("#", "at", "valence − … +", "arousal − … +", "emotion", ""):
            table.add_column(heading, header_style="dim", no_wrap=True)
        for heard in self._shown:
            mark = "ask" if heard.id in self._asked else "·" if heard.id in self._released else ""
            table.add_row(
                str(heard.id),
                clock(heard.onset_s),
                bar(heard.prediction.valence),
                bar(heard.prediction.arousal),
                Text(printable(verdict(heard))),
                Text(mark, style="bold cyan" if mark == "ask" else "dim"),
            )
        return table


def bar(estimate: Estimate, cells: int = BAR_CELLS) -> Text:
    """The scale [-1, 1] as a row of cells: the interval as a band, the mean as a dot."""

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
    return text.append(f" {estimate.mean:+.2f}")


def _meter(status: Status) -> Text:
    share = 1.0 - min(max(status.level_dbfs / METER_FLOOR_DBFS, 0.0), 1.0)
    lit = round(share * METER_CELLS)
    colour = "red" if status.level_dbfs > -3.0 else "green" if status.speaking else "blue"
    if status.playing:  # what the microphone records is not heard: no level is news
        return Text.assemble(
            ("♪ playing a question: microphone ignored", "dim"), "  ",
            ("░" * METER_CELLS, "dim"), (f"   {clock(status.audio_s)}", "dim"),
        )  # fmt: skip
    state = ("● speech ", "bold green") if status.speaking else ("○ silence", "dim")
    return Text.assemble(
        state, "  ", ("█" * lit, colour), ("░" * (METER_CELLS - lit), "dim"),
        f" {max(status.level_dbfs, -99):4.0f} dBFS", (f"   {clock(status.audio_s)}", "dim"),
    )  # fmt: skip

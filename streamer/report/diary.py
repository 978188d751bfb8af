"""The days of a report: where the voice was on the plane, and what somebody noted."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final

import numpy as np

from streamer.report.charts import Picture
from streamer.report.plane import small_plane
from streamer.report.record import Record
from streamer.store.sessions import UtteranceRow
from streamer.text import many

WEEK_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class Day:
    """One day, local time.

    Parameters
    ----------
    title
        Its date, in words.
    summary
        How much was said, and where it was on average.
    picture
        Its utterances and labels on the plane.
    notes
        Time of day, number and text, in order.
    """

    title: str
    summary: str
    picture: Picture
    notes: list[tuple[str, int, str]]


def first_moment(days: int, now_s: float) -> float:
    """The midnight, local time, with which the last so many days began, today included."""
    today = datetime.fromtimestamp(now_s).date()
    return datetime.combine(today - timedelta(days=days - 1), time()).timestamp()


def days(record: Record) -> list[Day]:
    """The days with utterances, oldest first."""
    by_day: defaultdict[str, list[UtteranceRow]] = defaultdict(list)
    for row in record.heard:
        by_day[datetime.fromtimestamp(row.heard_at).date().isoformat()].append(row)
    return [_day(record, date, rows) for date, rows in sorted(by_day.items())]


def _day(record: Record, date: str, rows: list[UtteranceRow]) -> Day:
    shown = [row for row in rows if row.id not in record.hidden]
    numbers = {row.id for row in rows}
    labels = [label for label in record.labels if label.utterance in numbers]
    said = [many(len(rows), "utterance"), many(len(labels), "label")]
    if shown:
        valence = float(np.mean([row.prediction.valence.mean for row in shown]))
        arousal = float(np.mean([row.prediction.arousal.mean for row in shown]))
        said.append(f"predicted on average {_signed(valence)} valence, {_signed(arousal)} arousal")
    title = datetime.fromisoformat(date).strftime("%A, %-d %B %Y")
    notes = [
        (datetime.fromtimestamp(row.heard_at).strftime("%H:%M"), row.id, record.notes[row.id])
        for row in rows
        if row.id in record.notes
    ]
    return Day(title, ", ".join(said), small_plane(f"{title} on the plane", shown, labels), notes)


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")

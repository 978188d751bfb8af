"""A record as one HTML page: no script, nothing to load, light or dark, and printable."""

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from streamer.config import Config
from streamer.report import summary
from streamer.report.bars import questions, samples
from streamer.report.charts import Picture
from streamer.report.curves import FIRST_SHOWN, coverage, learning_curve
from streamer.report.diary import days
from streamer.report.fan import fan_picture
from streamer.report.plane import plane, repeats
from streamer.report.record import Record
from streamer.report.timeline import timeline

HERE: Final = Path(__file__).parent
MOST_FANS: Final = 12


def page(record: Record, config: Config, now_s: float) -> str:
    """config: the current settings; now_s: the time of the report, in seconds since 1970."""
    templates = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    return templates.get_template("page.html").render(
        record=record,
        title=summary.title(record),
        subtitle=summary.subtitle(record),
        answer=summary.answer(record) if record.heard else "",
        tiles=summary.tiles(record),
        fairly=summary.fairly(record),
        sessions=summary.sessions(record),
        soundings=summary.soundings(record),
        ended=any(row.accounting for row in record.sessions),
        named=any(label.emotion for label in record.labels),
        curves=has_curves(record),
        timeline=_inline(timeline(record)),
        plane=_inline(plane(record)),
        learning=_inline(learning_curve(record.traces)),
        coverage=_inline(coverage(record)),
        questions=_inline(questions(record)),
        samples=_inline(samples(record)),
        fans=[_inline(fan_picture(fan)) for fan in record.fans[:MOST_FANS]],
        more_fans=max(len(record.fans) - MOST_FANS, 0),
        days=[(day, _inline(day.picture)) for day in (days(record) if is_diary(record) else ())],
        raters=[(rater, _inline(repeats(rater))) for rater in record.raters],
        drift=[drift["text"] for drift in record.status["drift"]],
        settings=summary.settings(config),
        versions=summary.versions(record),
        made=summary.moment(now_s),
    )


def is_diary(record: Record) -> bool:
    """Of some days, or with something noted."""
    return record.since is not None or bool(record.notes)


def has_curves(record: Record) -> bool:
    """Enough labels for a line."""
    return any(len(trace) > FIRST_SHOWN for trace in record.traces.values())


def _inline(picture: Picture) -> Markup:
    """Charts escape the names that people gave."""
    return Markup(picture.svg())

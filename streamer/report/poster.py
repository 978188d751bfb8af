"""A report's charts on one sheet, as PNG."""

import re
from collections.abc import Sequence
from typing import Final

from streamer.errors import StreamerError
from streamer.report import summary
from streamer.report.bars import questions, samples
from streamer.report.charts import Picture, rect, text
from streamer.report.curves import coverage, learning_curve
from streamer.report.fan import fan_picture
from streamer.report.page import HERE, MOST_FANS, has_curves
from streamer.report.plane import plane
from streamer.report.record import Record
from streamer.report.timeline import timeline

WIDTH: Final = 1100
_MARGIN: Final = 44
_GUTTER: Final = 36
_HEADING: Final = 24
_PIXELS_A_UNIT: Final = 2
_FANS_A_ROW: Final = 3
_VARIABLE: Final = re.compile(r"var\((--[\w-]+)\)")
_COLOUR: Final = re.compile(r"(--[\w-]+): (#\w+);")

# Number of columns, and the charts with their headings.
Row = tuple[int, Sequence[tuple[str, Picture]]]


def poster(record: Record) -> bytes:
    """PNG bytes, in light colours. Raises StreamerError where the machine has no font."""
    return png(_sheet(record))


def png(picture: Picture) -> bytes:
    """A chart as PNG bytes, on white. Raises StreamerError where the machine has no font."""
    if _png(Picture("", 20, 20, text("x", 5, 15))) == _png(Picture("", 20, 20, "")):
        raise StreamerError(
            "this machine has no font for the PNG: install one "
            "(apt install fonts-dejavu-core), or write the page with --out"
        )
    ground = rect("paper", 0, 0, picture.width, picture.height)
    return _png(Picture(picture.title, picture.width, picture.height, ground + picture.body))


def _sheet(record: Record) -> Picture:
    """The rows from top to bottom."""
    parts = [
        text(summary.title(record), _MARGIN, 62, "title"),
        text(summary.subtitle(record), _MARGIN, 88, "said"),
    ]
    y = 124.0
    for columns, row in _rows(record):
        width = (WIDTH - 2 * _MARGIN - (columns - 1) * _GUTTER) / columns
        for column, (heading, picture) in enumerate(row):
            x = _MARGIN + column * (width + _GUTTER)
            height = width * picture.height / picture.width
            place = f' x="{x:.1f}" y="{y + _HEADING:.1f}" width="{width:.1f}" height="{height:.1f}"'
            parts += [text(heading, x, y + 8, "heading"), picture.svg(place)]
        tallest = max(width * picture.height / picture.width for _, picture in row)
        y += _HEADING + tallest + _GUTTER
    return Picture(summary.title(record), WIDTH, round(y), "".join(parts))


def _rows(record: Record) -> list[Row]:
    if not record.heard:
        return []
    on_plane = ("Valence and arousal", plane(record))
    asked, went = questions(record), samples(record)
    rows: list[Row] = [(1, [("Timeline", timeline(record))])]
    if has_curves(record):
        learning = _over(learning_curve(record.traces), coverage(record))
        rows.append((2, [on_plane, ("Learning curve", learning)]))
        rows.append((2, [("Utterances", asked), ("Samples", went)]))
    else:
        rows.append((2, [on_plane, ("Utterances and samples", _over(asked, went, _GUTTER // 2))]))
    fans = [("", fan_picture(fan)) for fan in record.fans[:MOST_FANS]]
    if fans:
        fans[0] = ("Enrolled emotions", fans[0][1])
    for at in range(0, len(fans), _FANS_A_ROW):
        rows.append((_FANS_A_ROW, fans[at : at + _FANS_A_ROW]))
    return rows


def _over(upper: Picture, lower: Picture, gap: int = 0) -> Picture:
    """Two pictures of the same width, one above the other."""
    y = upper.height + gap
    below = f' x="0" y="{y}" width="{lower.width}" height="{lower.height}"'
    above = f' x="0" y="0" width="{upper.width}" height="{upper.height}"'
    body = upper.svg(above) + lower.svg(below)
    return Picture(upper.title, upper.width, y + lower.height, body)


def _png(picture: Picture) -> bytes:
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=picture.svg(),
            style_sheet=_plain_style(),
            width=picture.width * _PIXELS_A_UNIT,
            font_family="DejaVu Sans",
            sans_serif_family="DejaVu Sans",
        )
    )


def _plain_style() -> str:
    """The charts' style sheet in the page's light colours: resvg has no CSS variables."""
    light = (HERE / "style.css").read_text(encoding="utf-8").split("}", 1)[0]
    colours = dict(_COLOUR.findall(light))
    drawing = (HERE / "drawing.css").read_text(encoding="utf-8")
    return _VARIABLE.sub(lambda found: colours[found[1]], drawing)

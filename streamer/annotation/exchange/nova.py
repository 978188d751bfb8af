"""NOVA's and SSI's annotation tracks: NAME.annotation (XML) and NAME.annotation~ (its rows).

The scheme says what a row is: DISCRETE ``from;to;class;confidence`` with numbered classes, FREE
``from;to;text;confidence``, CONTINUOUS ``value;confidence``, so many a second. A track holds one
scheme, so valence and arousal are two: tracks that lie beside one another as
ROLE.SCHEME.ANNOTATOR.annotation are read together.

References
----------
Heimerl, Baur et al. (2020), "NOVA: a tool for explainable multimodal behavior analysis"; the
format is that of the Social Signal Interpretation framework, version 3.
"""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from streamer.annotation.exchange.timed import TimedLabel, merged, number, read_text, write_text
from streamer.errors import UsageError
from streamer.system import make_private_file
from streamer.types import DIMENSIONS

SUFFIX: Final = ".annotation"
_REST: Final = -1  # the class of what no class was given to


def read(path: Path) -> list[TimedLabel]:
    """The track, and those beside it of the other dimensions by the same annotator."""
    labels: list[TimedLabel] = []
    for track in (path, *_beside(path)):
        labels += _read_track(track, path.name.split(".")[0])
    return merged(labels)


def write(path: Path, labels: Sequence[TimedLabel]) -> None:
    """A FREE scheme: each stretch with its text. Of one annotator."""
    whose = sorted({one.annotator or "" for one in labels})
    if len(whose) > 1:
        raise UsageError(
            f"a track of NOVA is of one annotator, not of {', '.join(whose)}: give --annotator"
        )
    root = ElementTree.Element("annotation", {"ssi-v": "3"})
    ElementTree.SubElement(root, "info", {"ftype": "ASCII", "size": str(len(labels))})
    ElementTree.SubElement(root, "meta", {"role": "", "annotator": whose[0] if whose else ""})
    ElementTree.SubElement(root, "scheme", {"name": "affect", "type": "FREE"})
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))
    rows = [f"{one.onset_s:.3f};{one.offset_s:.3f};{write_text(one)};1\n" for one in labels]
    make_private_file(_rows_file(path))
    _rows_file(path).write_text("".join(rows), "utf-8")


def _read_track(path: Path, source: str) -> Iterator[TimedLabel]:
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise UsageError(f"{path} is no annotation of NOVA ({error})") from error
    scheme, meta = root.find("scheme"), root.find("meta")
    if root.tag != "annotation" or scheme is None:
        raise UsageError(f"{path} is no annotation of NOVA: it has no scheme")
    info = root.find("info")
    if info is not None and info.get("ftype", "ASCII") != "ASCII":
        raise UsageError(f"{path}: its rows are binary: export it from NOVA as ASCII")
    name, kind = scheme.get("name", ""), scheme.get("type", "").upper()
    whose = (meta.get("annotator") or None) if meta is not None else None
    classes = {item.get("id"): item.get("name", "") for item in scheme.iter("item")}
    rate_hz = float(scheme.get("sr", "0") or 0)
    for count, line in enumerate(_rows(path)):
        cells = line.split(";")
        place = f"{_rows_file(path)}, line {count + 1}"
        try:
            if kind == "CONTINUOUS":
                value = float(cells[0].replace(",", "."))
                if math.isnan(value):
                    continue  # nothing was annotated there
                onset_s, offset_s = count / rate_hz, (count + 1) / rate_hz
                values, emotion = {name.lower(): value}, None
            else:
                onset_s, offset_s = number(cells[0]), number(cells[1])
                text = cells[2]
                if kind == "DISCRETE":
                    if text == str(_REST):
                        continue
                    text = classes[text]
                values, emotion = read_text(text, name)
        except (IndexError, KeyError, ValueError, ZeroDivisionError, UsageError) as error:
            raise UsageError(f"{place} ({line[:60]!r}) is no row of a {kind} scheme") from error
        if kind == "CONTINUOUS" and name.lower() not in DIMENSIONS:
            raise UsageError(
                f"{path}: its scheme {name!r} is continuous and no dimension: name it "
                f"{', '.join(DIMENSIONS)}"
            )
        yield TimedLabel(source, onset_s, offset_s, values, emotion, whose, place=place)


def _rows_file(path: Path) -> Path:
    return path.with_name(path.name + "~")


def _rows(path: Path) -> list[str]:
    try:
        text = _rows_file(path).read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"{_rows_file(path)}: {error.strerror}: put it beside {path.name}, as NOVA writes them"
        ) from error
    return [line for line in text.splitlines() if line.strip()]


def _beside(path: Path) -> list[Path]:
    """The tracks of other schemes, by the same role and annotator."""
    parts = path.name.removesuffix(SUFFIX).split(".")
    if len(parts) != 3:
        return []
    role, _, whose = parts
    names = {*DIMENSIONS, "emotion"} - {parts[1].lower()}
    others = sorted(path.parent.glob(f"*{SUFFIX}"))
    wanted = [(role, name, whose) for name in names]
    split = [tuple(other.name.removesuffix(SUFFIX).split(".")) for other in others]
    return [
        other
        for other, found in zip(others, split, strict=True)
        if len(found) == 3 and (found[0], found[1].lower(), found[2]) in wanted
    ]

import csv
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.evaluation.drawing import HEIGHT, WIDTH, Axis, draw
from streamer.evaluation.grid import Cell
from streamer.evaluation.leaderboard import Board, boards_of
from streamer.evaluation.page import ExperimentSummary, answer, page
from streamer.evaluation.run import Outcome
from streamer.evaluation.table_files import write_tables

ABOUT = ExperimentSummary("made <corpus>", "Stream.", "plain", "quick")
LABELS = [10, 20, 30, 40]


def results(gain: float = 0.1, runs: int = 8) -> dict[Cell, Outcome]:
    """`quick` is at each point what random is one point later, and a bit more."""
    found = {}
    for seed in range(runs):
        base = np.array([0.1, 0.3, 0.4, 0.45]) + 0.01 * seed
        ahead = np.array([0.3, 0.4, 0.46, 0.5]) + 0.01 * seed + 0.001 * seed + gain - 0.1
        for name, heights in (("random", base), ("quick", ahead), ("slow", base - 0.05)):
            values = {"arousal/ccc": heights.tolist(), "arousal/rmse": (1 - heights).tolist()}
            found[Cell("", "plain", name, seed)] = Outcome(LABELS, values)
    return found


def board(name: str = "arousal/ccc", **settings) -> Board:
    return next(b for b in boards_of(results(**settings)) if b.name == name)


def test_a_board_holds_every_strategy_against_random():
    found = board()
    assert [s.strategy for s in found.standings] == ["quick", "random", "slow"]
    quick, random, slow = found.standings
    assert random.compared is None
    assert (quick.compared.mark, slow.compared.mark) == ("+", "-")
    assert (found.passive_labels, quick.needed, slow.needed) == (40.0, 30.0, None)
    assert quick.part == 0.75


def test_errors_are_better_when_smaller():
    found = board("arousal/rmse")
    assert [s.strategy for s in found.standings] == ["quick", "random", "slow"]
    assert found.standings[0].compared.mark == "+"
    assert found.standings[0].needed == 30.0


def test_strategies_are_compared_as_far_as_all_reach():
    longer = results()
    for cell in longer:
        if cell.strategy == "quick":
            values = {name: [*v, 1e6] for name, v in longer[cell].values.items()}
            longer[cell] = Outcome([*LABELS, 50], values)
    found = next(b for b in boards_of(longer) if b.name == "arousal/ccc")
    assert found.standings[0].area == pytest.approx(board().standings[0].area)


def test_a_measure_that_a_run_lacks_has_no_board():
    some = results()
    some[Cell("", "plain", "quick", 0)].values["arousal/ccc"] = [float("nan")] * 4
    assert [b.name for b in boards_of(some)] == ["arousal/rmse"]


def test_the_sentence_says_what_came_out():
    assert "with 30 labels instead of 40; it is significantly better" in answer("quick", board())
    assert "never reaches" in answer("slow", board())
    assert "is not significant" in answer("quick", board(runs=3))
    assert "passive learning is best (0.485) with 40" in answer("random", board())


def test_a_strategy_with_nothing_to_go_on_is_said_to_have_none():
    found = results()
    found |= {Cell("", "plain", "idle", s): found[Cell("", "plain", "random", s)] for s in range(8)}
    (idle,) = (b for b in boards_of(found) if b.name == "arousal/ccc")
    assert "asked the same as passive learning" in answer("idle", idle)


def test_the_drawing_is_xml_within_its_frame():
    tree = ElementTree.fromstring(draw(board(), ["quick", "slow"]))
    lines = tree.findall("{*}polyline")
    assert len(lines) == 3
    for line in lines:
        points = [tuple(map(float, p.split(","))) for p in line.get("points").split()]
        assert len(points) == len(LABELS)
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    quick = next(line for line in lines if line.get("class") == "c0")
    heights = [float(p.split(",")[1]) for p in quick.get("points").split()]
    assert heights == sorted(heights, reverse=True)  # up is smaller in SVG
    names = {text.text for text in tree.findall("{*}text")}
    assert {"quick", "slow", "random", "labels given"} <= names


def test_names_at_the_ends_do_not_overlap():
    same = {
        Cell("", "plain", name, 0): Outcome(LABELS, {"x/ccc": [0.1, 0.2, 0.3, 0.4]})
        for name in ("random", "a", "b", "c", "d")
    }
    tree = ElementTree.fromstring(draw(boards_of(same)[0], ["a", "b", "c", "d"]))
    heights = sorted(float(t.get("y")) for t in tree.findall("{*}text") if "name" in t.get("class"))
    assert len(heights) == 5
    assert min(np.diff(heights)) >= 14.0


@given(st.floats(-5, 5), st.floats(1e-3, 1e4))
def test_ticks_are_a_few_and_within_the_axis(low, width):
    ticks = Axis(low, low + width, 0.0, 100.0).ticks()
    assert 2 <= len(ticks) <= 11
    slack = 1e-6 * max(1.0, width)
    assert all(low - slack <= tick <= low + width + slack for tick in ticks)


class Strict(HTMLParser):
    """Collects what a page would load, and what is open."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.loads += [v for k, v in attrs if k in ("src", "href")]
        if tag not in ("meta", "line", "path", "polyline", "polygon"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.loads += [v for k, v in attrs if k in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_loads_nothing_and_escapes_names():
    text = page(ABOUT, boards_of(results()))
    parser = Strict()
    parser.feed(text)
    assert parser.open == []
    assert parser.loads == []
    assert "<script" not in text
    assert "url(" not in text
    assert "made &lt;corpus&gt;" in text
    assert text.index("concordance (CCC)") < text.index("root mean squared error")
    assert len(re.findall("<svg", text)) == 2


def test_the_tables_hold_all_points(tmp_path):
    write_tables(tmp_path, boards_of(results()))
    with (tmp_path / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * len(LABELS)
    one = next(
        r for r in rows
        if (r["measure"], r["strategy"], r["labels"]) == ("arousal/ccc", "random", "40")
    )  # fmt: skip
    assert float(one["mean"]) == pytest.approx(0.485)
    assert float(one["deviation"]) == pytest.approx(np.std(0.01 * np.arange(8), ddof=1))
    with (tmp_path / "strategies.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [r["strategy"] for r in rows[:3]] == ["quick", "random", "slow"]
    assert rows[1]["p_holm"] == ""
    assert rows[2]["labels_to_passive_best"] == ""

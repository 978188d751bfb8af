"""The report's page and sheet: complete, self-contained and safe."""

import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

from streamer.annotation.labels import give
from streamer.cli.reporting import report
from streamer.config import Config
from streamer.errors import NotFound, UsageError
from streamer.report.page import page
from streamer.report.poster import _rows, poster
from streamer.report.record import Record, read_record
from streamer.store.profile import Profile
from tests.conftest import Streamer
from tests.report.making import NASTY, lived_in
from tests.support import HOLDER, bound_profile, label_of, store_utterance
from tests.web.browser import chromium, open_page

HEADINGS = (
    "Timeline", "Valence and arousal", "Learning curve", "Interval coverage", "Utterances",
    "Samples", "Enrolled emotions", "Annotators", "Drift", "Sessions", "Configuration", "Versions",
)  # fmt: skip


@pytest.fixture
def profile(tmp_path):
    opened = bound_profile(tmp_path / "told")
    yield opened
    opened.close()


@pytest.fixture
def record(profile: Profile) -> Record:
    lived_in(profile)
    return read_record(profile)


def drawings(html: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]


def test_everything_is_on_the_page(record):
    html = page(record, Config(annotator="somebody"), 0.0)
    for heading in HEADINGS:
        assert heading in html
    titles = [svg.get("aria-label") for svg in drawings(html)]
    assert titles[:6] == [
        "Valence and arousal of every utterance", "Utterances and labels on the plane",
        "Learning curve: CCC over labels", "Interval coverage over labels",
        "Utterances by fate", "Samples",
    ]  # fmt: skip
    assert titles.count("Angles around joy") == 1
    for told in (
        "35 samples of silence",
        "5 samples dropped",
        "ab" * 32,
        "1:15",
        "somebody",
        "Arousal, all utterances: not known yet",
    ):
        assert told in html


def test_as_many_marks_as_shown_utterances_and_labels(record):
    shown = [row for row in record.heard if row.id not in record.hidden]
    assert 0 < len(shown) < len(record.heard)  # predictions of open questions are hidden
    timeline, plane = drawings(page(record, Config(), 0.0))[:2]
    kinds = [node.get("class") for node in timeline.iter("{http://www.w3.org/2000/svg}circle")]
    assert kinds.count("dot") == 2 * len(shown)
    assert kinds.count("label") == 2 * len(record.labels)
    kinds = [node.get("class") for node in plane.iter("{http://www.w3.org/2000/svg}circle")]
    assert (kinds.count("guess"), kinds.count("label")) == (len(shown), len(record.labels))


def test_it_needs_nothing_but_itself(record):
    html = page(record, Config(), 0.0)
    assert "<script" not in html
    assert not re.search(r"(src|href)=|url\(|@import", html)
    assert set(re.findall(r"https?://[^\"' <]+", html)) == {"http://www.w3.org/2000/svg"}
    assert len(html) < 300_000


def test_names_are_shown_as_text(record):
    html = page(record, Config(annotator=NASTY, device=NASTY), 0.0)
    assert NASTY not in html
    assert html.count("&lt;script&gt;alert(1)") >= 5


def test_neither_folders_nor_ways_in_are_told(record):
    secret = {name: "hush-hush" for name in Config.model_fields if "password" in name}
    html = page(record, Config(home="/home/hush-hush", **secret), 0.0)
    assert "hush-hush" not in html
    assert "/home/somebody" not in html


def test_what_is_not_the_default_is_marked(record):
    html = page(record, Config(buffer=7), 0.0)
    assert html.count('class="changed"') == 1


def test_an_empty_profile_says_how_to_begin(tmp_path):
    opened = Profile(tmp_path / "new")
    record = read_record(opened)
    html = page(record, Config(), 0.0)
    assert "No utterance yet" in html
    assert "streamer run" in html
    assert poster(record).startswith(b"\x89PNG")
    opened.close()


def test_a_single_label_is_no_figure_yet(profile):
    store_utterance(profile)
    give(profile, [label_of(1, valence=0.5, arousal=0.5)])
    record = read_record(profile)
    html = page(record, Config(), 0.0)
    assert "nan" not in re.sub(r"\w{4,}", "", html)
    assert "Too few labels" in html
    assert "agree with" not in html
    assert poster(record).startswith(b"\x89PNG")
    # Nothing on the sheet is blank, beside the plane neither.
    assert all(heading and picture.body for _, row in _rows(record) for heading, picture in row)


def test_thousands_of_utterances_are_drawn_as_a_band(record):
    many = Record(
        **{name: getattr(record, name) for name in Record.__dataclass_fields__ if name != "heard"},
        heard=[*record.heard] * 400,
    )
    html = page(many, Config(), 0.0)
    assert len(html) < 300_000
    assert "10,000 utterances" in html


def test_the_verb_writes_both_while_somebody_listens(record, profile, streamer: Streamer, tmp_path):
    command = [sys.executable, "-c", HOLDER, str(profile.folder)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"True\n"
    done = streamer(
        "report", "--out", "r.html", "--png", "r.png", "--session", "-2",
        "--profile", profile.folder,
    )  # fmt: skip
    holder.communicate(b"\n")
    assert done.returncode == 0, done.stderr
    assert "Session 1 of profile told" in (tmp_path / "r.html").read_text(encoding="utf-8")
    png = (tmp_path / "r.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 2200
    assert all((tmp_path / name).stat().st_mode & 0o777 == 0o600 for name in ("r.html", "r.png"))


def test_what_cannot_be_written_is_told(record, profile, tmp_path):
    with pytest.raises(UsageError, match="nothing to write"):
        report()
    with pytest.raises(UsageError, match="cannot write"):
        report(out=tmp_path / "none" / "r.html", profile=str(profile.folder))
    with pytest.raises(UsageError, match="cannot write"):
        report(out=tmp_path / "r.html", png=tmp_path / "no" / "r.png", profile=str(profile.folder))
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(UsageError, match="it is a folder"):
        report(out=tmp_path / "folder.html", profile=str(profile.folder))
    with pytest.raises(NotFound, match="no session 9"):
        report(out=tmp_path / "r.html", session=9, profile=str(profile.folder))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.html", "told"]


@pytest.mark.parametrize(("option", "ending"), [("out", r"\.html or \.htm"), ("png", r"\.png")])
def test_what_is_no_report_is_not_written_over(profile, tmp_path, option, ending):
    database = profile.folder / "profile.db"
    before = database.read_bytes()
    for path in (database, tmp_path / "r", tmp_path / f"r.{'html' if option == 'png' else 'png'}"):
        with pytest.raises(UsageError, match=f"--{option} .*: give a name that ends in {ending}$"):
            report(**{option: path}, profile=str(profile.folder))
    assert database.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["told"]


def test_nothing_keeps_anybody_from_reading_it(record, tmp_path):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe (pip)")
    path = tmp_path / "r.html"
    path.write_text(page(record, Config(), 0.0), encoding="utf-8")
    with chromium() as browser:
        for scheme, width in (("light", 320), ("dark", 1280)):
            opened, faults = open_page(
                browser, path.as_uri(), color_scheme=scheme,
                viewport={"width": width, "height": 800},
            )  # fmt: skip
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
            found = axe.Axe().run(opened).response["violations"]
            serious = [fault for fault in found if fault["impact"] in ("serious", "critical")]
            assert not [(f["id"], [node["html"] for node in f["nodes"]]) for f in serious]
            assert not faults

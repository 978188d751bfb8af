"""The diary: days, notes, and how sure an agreement is."""

import time
from datetime import datetime

import numpy as np
import pytest

from streamer.annotation.labels import give
from streamer.config import Config
from streamer.errors import UsageError
from streamer.learners.metrics import concordance_cc
from streamer.report.diary import days, first_moment
from streamer.report.page import page
from streamer.report.record import read_record
from streamer.text import note_text
from tests.support import bound_profile, label_of, store_utterance

NOW_S = datetime(2026, 3, 12, 15, 30).timestamp()
DAY_S = 86_400.0


@pytest.fixture
def lived(tmp_path):
    """One utterance a day for ten days, the last one today; number 9 is of yesterday."""
    opened = bound_profile(tmp_path / "profile")
    for number in range(1, 11):
        store_utterance(opened)
        at_s = NOW_S - (10 - number) * DAY_S
        opened.database.write("UPDATE utterances SET heard_at = ?, state = 'released' "
                              "WHERE id = ?", at_s, number)  # fmt: skip
    yield opened
    opened.close()


def test_a_week_is_seven_days_with_today(lived):
    record = read_record(lived, since=first_moment(7, NOW_S))
    assert [row.id for row in record.heard] == [4, 5, 6, 7, 8, 9, 10]
    found = days(record)
    assert [day.title for day in found][::6] == [
        "Friday, 6 March 2026", "Thursday, 12 March 2026"
    ]  # fmt: skip
    assert all("1 utterance, 0 labels, predicted on average +0.10 valence" in d.summary
               for d in found)  # fmt: skip
    assert [row.id for row in read_record(lived, since=first_moment(1, NOW_S)).heard] == [10]


def test_what_is_hidden_is_on_no_day(lived):
    lived.utterances.select("made", "for a test", [(9, 0.0, None)], [], NOW_S)
    record = read_record(lived, blind=True, since=first_moment(7, NOW_S))
    yesterday = days(record)[-2]
    assert yesterday.summary == "1 utterance, 0 labels"
    assert 'class="guess"' not in yesterday.picture.svg()


def test_notes_are_shown_escaped_and_go_with_their_utterance(lived, tmp_path):
    lived.notes.put(9, "after <b>the</b> meeting", NOW_S)
    lived.notes.put(2, "older", NOW_S)
    record = read_record(lived, since=first_moment(7, NOW_S))
    assert days(record)[-2].notes == [("15:30", 9, "after <b>the</b> meeting")]
    written = page(record, Config(home=tmp_path), time.time())
    assert "after &lt;b&gt;the&lt;/b&gt; meeting" in written
    assert "Diary of profile" in written
    lived.notes.put(9, "", NOW_S)
    assert list(lived.notes.all()) == [2]
    lived.utterances.delete(2)
    assert lived.notes.all() == {}


def test_an_agreement_has_an_interval_that_holds_it(lived):
    rng = np.random.default_rng(8)
    own = rng.uniform(-1, 1, 10)
    other = np.clip(own + rng.normal(0, 0.3, 10), -1, 1)
    labels = [label_of(n + 1, "ann", valence=float(own[n]), arousal=0.0) for n in range(10)]
    labels += [label_of(n + 1, "ben", valence=float(other[n]), arousal=0.0) for n in range(10)]
    give(lived, labels)
    ann = next(rater for rater in read_record(lived).raters if rater.name == "ann")
    low, high = ann.uncertainty["valence"]
    assert ann.agreement["valence"] == pytest.approx(concordance_cc(own, other))
    assert -1 <= low < ann.agreement["valence"] < high <= 1
    assert high - low > 0.05
    assert "arousal" not in ann.uncertainty  # nobody's arousal varies, so there is no agreement


def test_a_note_is_one_line_of_words():
    assert note_text("  a\nb ") == "a b"
    with pytest.raises(UsageError, match="500"):
        note_text("x" * 501)

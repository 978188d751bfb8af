"""What a report says, against the learner, the store and plain arithmetic."""

import numpy as np
import pytest

from streamer.annotation.labels import give
from streamer.config import Config
from streamer.errors import NotFound
from streamer.learners.metrics import concordance_cc
from streamer.learners.prototypes import build_prototypes
from streamer.loop.profile_model import ProfileModel
from streamer.report.angles import fans
from streamer.report.bars import questions
from streamer.report.page import page
from streamer.report.prequential import traces
from streamer.report.raters import raters
from streamer.report.record import read_record
from streamer.report.summary import MOST_SOUNDINGS, answer, sessions, soundings, tiles
from streamer.store.profile import Profile
from streamer.types import DIMENSIONS
from tests.report.making import ACCOUNT, NASTY, lived_in
from tests.support import bound_profile, label_of


@pytest.fixture
def profile(tmp_path):
    opened = bound_profile(tmp_path / "told")
    lived_in(opened)
    yield opened
    opened.close()


def test_the_curves_end_where_the_learner_stands(profile):
    profile_model = ProfileModel(profile)
    profile_model.follow()
    for name, trace in traces(profile).items():
        learner = profile_model.model.learner.dimensions[name]
        assert len(trace) == 10
        assert trace.agreement[-1] == pytest.approx(learner.agreement.ccc, abs=1e-12)
        assert trace.coverage[-1] == pytest.approx(learner.interval.coverage)
        assert trace.agreement[6] == pytest.approx(
            concordance_cc(trace.means[:7], trace.truths[:7]), abs=1e-12
        )
        assert np.isnan(trace.agreement[0])


def test_what_stood_out_is_listed_and_never_of_an_open_question(profile):
    for number in profile.utterances.numbers():
        profile.acoustics.add(number, {"level_dbfs": -20.0 if number % 2 else -40.0})
    record = read_record(profile)
    assert record.soundings
    assert not set(record.soundings) & record.hidden
    rows = soundings(record)
    stand_out = [number for number, said in record.soundings.items() if said.numbers]
    assert [row["id"] for row in rows] == sorted(stand_out, reverse=True)[:MOST_SOUNDINGS]
    assert {row["text"] for row in rows} <= {"louder than usual", "quieter than usual"}
    assert rows[0]["numbers"].startswith("level -")
    assert rows[0]["text"] in page(record, Config(), 0.0)


def test_without_learning_the_first_label_is_predicted_alike_and_the_last_is_not(profile):
    for trace in traces(profile).values():
        assert trace.untaught[0] == trace.means[0]
        assert not np.isclose(trace.untaught[-1], trace.means[-1])


def test_reading_writes_nothing_while_somebody_listens(profile):
    listener = Profile(profile.folder)
    try:
        assert listener.take_over("streamer run")
        before = listener.database.row("PRAGMA data_version")[0]
        assert read_record(profile).heard
        assert listener.database.row("PRAGMA data_version")[0] == before
        profile.set_meta("this", "is seen")
        assert listener.database.row("PRAGMA data_version")[0] != before
    finally:
        listener.close()


def test_every_utterance_has_one_fate(profile):
    record = read_record(profile)
    assert record.fates() == {
        "answered": 10, "open": 1, "closed": 1, "answered unasked": 0, "in the buffer": 13,
        "let go": 0,
    }  # fmt: skip
    assert sum(record.fates().values()) == len(record.heard) == 25
    assert [row.accounting for row in record.sessions] == [ACCOUNT, None]


def test_only_what_has_a_query_was_asked(profile):
    profile.utterances.select("made", "for a test", [], [13, 14], 2.0)
    give(profile, [label_of(13, valence=0.5, arousal=0.5), label_of(15, emotion="joy")])
    record = read_record(profile)
    asked = profile.database.row("SELECT count(*) FROM queries")[0]
    fates = record.fates()
    assert fates["answered"] + fates["open"] + fates["closed"] == asked == 12
    assert (fates["answered unasked"], fates["in the buffer"], fates["let go"]) == (2, 10, 1)
    assert sum(fates.values()) == len(record.heard)
    assert answer(record).startswith(
        "Streamer asked about 12 of 25 utterances; 10 were answered; 2 more were labelled unasked."
    )
    bar = questions(record).body
    assert "10 asked and answered" in bar
    assert "2 answered unasked" in bar


def test_a_session_tells_of_itself_alone(profile):
    record = read_record(profile, -1)
    assert (record.session, len(record.heard), record.labels) == (2, 1, [])
    assert not record.traces
    assert read_record(profile, 1).labels
    for missing in (0, 3, -3):
        with pytest.raises(NotFound, match="no session"):
            profile.sessions.get(missing)


def test_raters_are_measured_against_themselves_and_the_others(profile):
    bad, ann = raters(profile)
    assert (bad.name, bad.labels, bad.shared) == (NASTY, 6, 6)
    assert (ann.name, ann.labels, ann.shared) == ("ann", 10, 6)
    first, again = ann.repeats[0]
    assert ann.difference["valence"] == abs(first.valence - again.valence)
    assert "dominance" not in ann.difference
    own = [profile.labels.answer_of(n, "ann").label for n in range(1, 7)]
    others = [profile.labels.answer_of(n, NASTY).label for n in range(1, 7)]
    for name in DIMENSIONS:
        mine, theirs = (np.array([getattr(x, name) for x in side]) for side in (own, others))
        assert ann.agreement[name] == pytest.approx(concordance_cc(mine, theirs))
    assert bad.difference == {}


def test_angles_are_those_between_the_vectors():
    rng = np.random.default_rng(2)
    enrolled = {"joy": rng.normal(size=(3, 5)), "woe": rng.normal(size=(2, 5))}
    usual = rng.normal(size=5) / 5
    prototypes = build_prototypes(enrolled, usual)
    joy, woe = fans(enrolled, prototypes, usual)
    assert (joy.emotion, woe.emotion) == ("joy", "woe")

    def angle(one, other):
        cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
        return np.degrees(np.arccos(cosine))

    centred = enrolled["joy"] - usual
    assert joy.own[0] == pytest.approx(angle(centred[0], centred[1] + centred[2]))
    assert joy.strangers == pytest.approx(
        [angle(vector, prototypes["joy"].mean) for vector in enrolled["woe"] - usual]
    )
    between = angle(prototypes["joy"].mean, prototypes["woe"].mean)
    assert joy.prototypes["woe"] == pytest.approx(between)
    assert woe.prototypes["joy"] == pytest.approx(between)


def test_a_running_session_has_the_audio_that_was_heard_so_far(profile):
    running = profile.sessions.begin("microphone", "USB", 3e9)
    profile.database.write("UPDATE utterances SET session = ? WHERE session = 2", running)
    profile.database.write("UPDATE utterances SET heard_at = 3000000095 WHERE session = ?", running)
    record = read_record(profile)
    assert sessions(record)[0]["length"] == "1:35 so far"
    assert sessions(record)[1]["length"] == "–"  # a recording whose end was not reached
    assert tiles(record)[0]["value"] == "2:50"


def test_predictions_of_open_questions_are_hidden_and_those_of_the_buffer_too_where_wanted(profile):
    (open_one,) = [row.id for row in read_record(profile).heard if row.fate == "open"]
    assert read_record(profile).hidden == {open_one}
    assert read_record(profile, blind=False).hidden == set()
    assert len(read_record(profile, blind=True).hidden) == 14
    shown = [row.id for _, row in read_record(profile).predicted()]
    assert shown == [row.id for row in read_record(profile).heard if row.id != open_one]

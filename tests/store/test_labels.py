"""The label log: what is kept, what counts, what is refused, and that nothing is lost."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.errors import NotFound, UsageError
from streamer.store.database import Database
from streamer.store.labels import KEEP_ANSWERED, Labels
from streamer.store.profile import FILE_NAME, Profile
from tests.support import bound_profile, label_of, store_utterance

CLIP = bytes(range(7, 250)) * 90


@pytest.fixture
def numbers(profile):
    return [store_utterance(profile) for _ in range(4)]


def ask(profile, *utterances, clip=CLIP):
    asked = [(number, float(-number), clip) for number in utterances]
    profile.utterances.select("random", "at random", asked, [], 1.0)


def counting(profile):
    return [(entry.label.utterance, entry.label.annotator, entry.label.valence)
            for entry in profile.labels.effective()]  # fmt: skip


def test_a_label_is_given_back_as_it_was_given(profile, numbers):
    label = label_of(numbers[1], "anna", valence=-0.25, arousal=1.0, dominance=None, emotion="joy")
    (seq,) = profile.labels.add([label], 12.5)
    (entry,) = profile.labels.log()
    assert entry.label == label
    assert (entry.seq, entry.given_at, entry.retracts) == (seq, 12.5, None)
    assert entry.effective
    assert entry.first
    assert entry.features is None


def test_the_last_answer_of_each_annotator_counts(profile, numbers):
    one, two = numbers[:2]
    for utterance, annotator, valence in [
        (one, "me", 0.1), (one, "anna", 0.2), (two, "me", 0.3), (one, "me", 0.4),
    ]:  # fmt: skip
        profile.labels.add([label_of(utterance, annotator, valence=valence)], 0.0)
    assert counting(profile) == [(one, "anna", 0.2), (two, "me", 0.3), (one, "me", 0.4)]
    assert [entry.first for entry in profile.labels.effective()] == [True, True, False]
    assert [entry.effective for entry in profile.labels.log()] == [False, True, True, True]
    assert profile.labels.count() == 3
    assert profile.labels.count_of(one) == 2


def test_undo_takes_back_the_last_that_stand_and_bears_up_what_they_replaced(profile, numbers):
    one, two = numbers[:2]
    for utterance, valence in [(one, 0.1), (one, 0.2), (two, 0.3)]:
        profile.labels.add([label_of(utterance, valence=valence)], 0.0)
    undone = profile.labels.undo(2, 5.0)
    assert [entry.label.valence for entry in undone] == [0.3, 0.2]
    assert counting(profile) == [(one, "me", 0.1)]
    assert [entry.label.valence for entry in profile.labels.undo(9, 6.0)] == [0.1]
    assert counting(profile) == []
    assert profile.labels.undo(1, 7.0) == []
    log = profile.labels.log()
    assert [entry.retracts for entry in log] == [None, None, None, 3, 2, 1]
    assert [entry.given_at for entry in log] == [0.0, 0.0, 0.0, 5.0, 5.0, 6.0]


def test_an_undo_is_no_answer_and_cannot_itself_be_undone(profile, numbers):
    profile.labels.add([label_of(numbers[0], valence=0.1)], 0.0)
    profile.labels.undo(1, 0.0)
    profile.labels.add([label_of(numbers[1], valence=0.2)], 0.0)
    profile.labels.undo(1, 0.0)
    assert counting(profile) == []
    assert profile.labels.undo(1, 0.0) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(1, 3), st.sampled_from(["me", "anna"]), st.floats(-1, 1)),
            st.integers(1, 4),
        ),
        max_size=14,
    )
)
def test_what_counts_is_what_a_plain_replay_says(steps):
    """A plain list of standing answers beside the views of SQL."""
    database = Database(":memory:")
    database.write("INSERT INTO sessions (kind, source, started_at) VALUES ('file', 'a', 0)")
    for _ in range(3):
        database.write(
            """INSERT INTO utterances (session, source, onset_s, offset_s, heard_at, quality,
                   embedding, emotion, prediction, verdict, state)
               VALUES (1, 'a', 0, 1, 0, '{}', x'', x'', '{}', '{}', 'released')"""
        )
    labels, standing, seq = Labels(database), [], 0
    for step in steps:
        if isinstance(step, int):
            taken = [standing.pop() for _ in range(min(step, len(standing)))]
            assert [entry.seq for entry in labels.undo(step, 0.0)] == [row[0] for row in taken]
            seq += len(taken)
        else:
            seq += 1
            assert labels.add([label_of(step[0], step[1], valence=step[2])], 0.0) == [seq]
            standing.append((seq, *step))
    last = {(utterance, annotator): (at, utterance, annotator, valence)
            for at, utterance, annotator, valence in standing}  # fmt: skip
    expected = sorted(last.values())
    found = labels.effective()
    assert [(e.seq, e.label.utterance, e.label.annotator, e.label.valence) for e in found] == (
        expected
    )
    assert labels.count() == len(expected)
    assert labels.newest() == seq
    for through in range(seq + 1):
        assert [e.seq for e in labels.effective(through)] == [
            row[0] for row in expected if row[0] <= through
        ]
        assert [e.seq for e in labels.log(through, 3)] == list(range(through + 1, seq + 1))[:3]
    seen = set()
    for entry in found:
        assert entry.first == (entry.label.utterance not in seen)
        seen.add(entry.label.utterance)
    database.close()


@pytest.mark.parametrize(
    ("given_value", "unit"), [(1.0, -1.0), (5.0, 1.0), (3.0, 0.0), (4.0, 0.5), (1.5, -0.75)]
)
def test_another_scale_is_stored_as_given_and_read_on_ours(profile, numbers, given_value, unit):
    profile.labels.add([label_of(numbers[0], valence=given_value)], 0.0, (1.0, 5.0))
    row = profile.database.row("SELECT * FROM labels")
    assert (row["valence"], row["scale_low"], row["scale_high"]) == (given_value, 1.0, 5.0)
    assert profile.labels.effective()[0].label.valence == pytest.approx(unit, abs=1e-12)


def test_the_widest_scale_has_its_ends_where_any_has(profile, numbers):
    profile.labels.add([label_of(numbers[0], valence=1e308)], 0.0, (0.0, 1e308))
    assert profile.labels.effective()[0].label.valence == 1.0


@given(low=st.floats(-1e9, 1e9), span=st.floats(1e-6, 1e9), part=st.floats(0, 1))
def test_any_value_on_any_scale_becomes_one_on_ours(low, span, part):
    high = low + span
    value = min(max(low + part * span, low), high)
    database = Database(":memory:")
    database.write("INSERT INTO sessions (kind, source, started_at) VALUES ('file', 'a', 0)")
    database.write(
        """INSERT INTO utterances (session, source, onset_s, offset_s, heard_at, quality,
               embedding, emotion, prediction, verdict, state)
           VALUES (1, 'a', 0, 1, 0, '{}', x'', x'', '{}', '{}', 'released')"""
    )
    Labels(database).add([label_of(1, valence=value)], 0.0, (low, high))
    found = Labels(database).effective()[0].label.valence
    assert -1.0 <= found <= 1.0
    assert found == pytest.approx(2 * (value - low) / (high - low) - 1, abs=1e-9)
    database.close()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1.0000001, -2.0])
@pytest.mark.parametrize("name", ["valence", "arousal", "dominance"])
def test_a_value_off_the_scale_is_refused(profile, numbers, name, value):
    with pytest.raises(UsageError, match=f"{name} .* of utterance {numbers[0]} is outside"):
        profile.labels.add([label_of(numbers[0], **{name: value})], 0.0)
    assert profile.labels.newest() == 0


@pytest.mark.parametrize(
    "scale",
    [(1.0, 1.0), (5.0, 1.0), (float("nan"), 1.0), (1.0, float("nan")),
     (-float("inf"), 1.0), (0.0, float("inf")), (-1e308, 1e308)],
)  # fmt: skip
def test_a_scale_without_an_extent_is_refused(profile, numbers, scale):
    with pytest.raises(UsageError, match="scale"):
        profile.labels.add([label_of(numbers[0], valence=1.0)], 0.0, scale)
    assert profile.labels.newest() == 0


@pytest.mark.parametrize("number", [0, -1, 5, 2**63 - 1, 2**63, 10**30])
def test_an_unknown_utterance_is_refused(profile, numbers, number):
    with pytest.raises(NotFound):
        profile.labels.add([label_of(number, valence=0.0)], 0.0)


def test_an_empty_answer_is_refused(profile, numbers):
    with pytest.raises(UsageError, match="empty"):
        profile.labels.add([label_of(numbers[0])], 0.0)


@pytest.mark.parametrize("bad", [label_of(99, valence=0.0), label_of(1, valence=9.0), label_of(1)])
def test_many_are_added_all_or_none(profile, numbers, bad):
    ask(profile, *numbers)
    good = [label_of(number, valence=0.1) for number in numbers]
    with pytest.raises((UsageError, NotFound)):
        profile.labels.add([*good, bad], 0.0)
    assert profile.labels.log() == []
    assert profile.audio.clip(numbers[0]) == CLIP
    assert profile.labels.add(good, 0.0) == [1, 2, 3, 4]


def test_seqs_are_not_used_again(profile, numbers):
    profile.labels.add([label_of(numbers[3], valence=0.1)], 0.0)
    profile.utterances.delete(numbers[3])
    assert profile.labels.log() == []
    assert profile.labels.add([label_of(numbers[0], valence=0.1)], 0.0) == [2]


def test_a_query_closes_with_its_answer_and_opens_again_when_that_is_taken_back(profile, numbers):
    ask(profile, *numbers[:2])
    profile.labels.add([label_of(numbers[0], valence=0.1)], 0.0)
    assert [query.utterance.id for query in profile.queries.open()] == [numbers[1]]
    profile.labels.undo(1, 0.0)
    again = profile.queries.open()
    assert [(q.utterance.id, q.has_clip) for q in again] == [
        (numbers[0], False),
        (numbers[1], True),
    ]


def test_after_an_answer_the_audio_is_nowhere_on_disk(tmp_path):
    profile = Profile(tmp_path / "p")
    number = store_utterance(profile)
    ask(profile, number)
    before = b"".join(path.read_bytes() for path in profile.folder.iterdir())
    assert CLIP[:200] in before
    profile.labels.add([label_of(number, valence=0.1)], 0.0)
    assert profile.audio.clip(number) is None
    profile.close()
    after = b"".join(path.read_bytes() for path in profile.folder.iterdir())
    assert (profile.folder / FILE_NAME).stat().st_size
    assert not any(CLIP[at : at + 16] in after for at in range(0, len(CLIP) - 16, 243))
    assert CLIP[:16] not in after


def test_what_a_label_was_learned_with_is_kept_to_the_last_bit(profile, numbers):
    (seq,) = profile.labels.add([label_of(numbers[0], valence=0.1)], 0.0)
    features = np.random.default_rng(0).normal(size=6)
    profile.labels.learned_with(seq, features)
    assert profile.labels.log()[0].features.tobytes() == features.tobytes()


WRITER = """
import sys
from pathlib import Path
from streamer.types import Label
from streamer.store.profile import Profile

profile = Profile(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for step in range(int(sys.argv[3])):
    profile.labels.add([Label(1, step / 1000, None, None, None, sys.argv[2])], float(step))
profile.close()
"""


def test_two_processes_that_write_at_once_lose_nothing(tmp_path):
    profile = bound_profile(tmp_path / "p")
    store_utterance(profile)
    count = 60
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(Path(profile.folder)), name, str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("anna", "ben")
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for step in range(count):
        profile.labels.add([label_of(1, "me", valence=step / 1000)], 0.0)
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    log = profile.labels.log()
    assert [entry.seq for entry in log] == list(range(1, 3 * count + 1))
    for name in ("anna", "ben", "me"):
        own = [entry.label.valence for entry in log if entry.label.annotator == name]
        assert own == [step / 1000 for step in range(count)]
    profile.close()


@pytest.mark.parametrize("kept", ["yes", "no", None])
def test_an_answered_clip_is_kept_only_for_a_tuning(profile, kept):
    number = store_utterance(profile)
    profile.utterances.select("random", "why", [(number, 0.5, b"flac")], [], 1.0)
    if kept:
        profile.set_meta(KEEP_ANSWERED, kept)
    profile.labels.add([label_of(number, valence=0.5)], 2.0)
    assert profile.audio.clip(number) == (b"flac" if kept == "yes" else None)
    profile.labels.add([label_of(number, "anna", valence=0.1)], 3.0)
    assert profile.audio.kept() == (1 if kept == "yes" else 0)

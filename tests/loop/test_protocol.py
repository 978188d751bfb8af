"""The protocol of a session: read strictly, followed to the sample."""

import pytest

from streamer.errors import UsageError
from streamer.events import Heard, Marked, Noticed, Selected
from streamer.loop.loop import Loop
from streamer.loop.protocol import Protocol, ProtocolRun

MADE = """\
title = "Mood induction"

[[phase]]
name = "baseline"
prompt = "Describe your way here."
seconds = 10
questions = 0

[[phase]]
name = "talk"
seconds = 15
questions = 1
until = "next"

[[phase]]
name = "free"
seconds = 5
"""


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("questions = 1", "questons = 1", "line 12: unknown key questons: choose from name, pro"),
        ("seconds = 15", 'seconds = "15"', "line 11: seconds = '15': input should be a valid nu"),
        ("seconds = 15", "seconds = 0", "line 11: seconds = 0: input should be greater than 0"),
        ("questions = 1", "questions = 1.5", "line 12: questions = 1.5: input should be a valid"),
        ('name = "free"', "", "line 15: name is missing: add it"),
        ('name = "free"', 'name = "end"', "phase 3: no phase may be called 'end'"),
        ('title = "Mood induction"', "titel = 1", "line 1: unknown key titel: choose from title"),
        ("seconds = 10", "", "phase 1 (baseline) never ends: give it seconds, or until"),
        ("seconds = 10", "seconds == 10", "at line 6"),
        (MADE, 'title = "a"', "phase is missing"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(tmp_path, before, after, says):
    path = tmp_path / "p.toml"
    assert before in MADE
    path.write_text(MADE.replace(before, after))
    with pytest.raises(UsageError) as error:
        Protocol.load(path)
    assert says in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"--protocol .*none\.toml"):
        Protocol.load(tmp_path / "none.toml")


def test_phases_end_by_time_or_by_a_marker():
    run = ProtocolRun(Protocol.parse(MADE))
    begun = []
    for heard_s, names in [(0.5, []), (9.9, ["next"]), (10.3, []), (12.0, ["next"]), (17.1, [])]:
        while (at_s := run.change_s(heard_s, names)) is not None:
            names = []
            run.begin_next(at_s)
            begun.append((at_s, run.phase.name if run.phase else "over"))
    assert begun == [(0.0, "baseline"), (10.0, "talk"), (12.0, "free"), (17.0, "over")]
    assert run.is_over


def test_a_run_follows_it_and_logs_it(session_file, tmp_path):
    """12 utterances in 46 s: none may be asked about in the first phase, one in the second."""
    path = tmp_path / "p.toml"
    path.write_text(MADE)
    loop = Loop(session_file, tmp_path / "profile", encoder="acoustic", buffer=4, protocol=path)
    events = list(loop)
    marked = [(e.name, e.at_s) for e in events if isinstance(e, Marked)]
    assert marked[0][0].startswith("Mood induction ")
    assert marked[1:] == [("baseline", 0.0), ("talk", 10.0), ("free", 25.0), ("end", 30.0)]
    told = [e.text for e in events if isinstance(e, Noticed) and e.kind == "protocol"]
    assert told[0] == "phase 1 of 3, baseline, 10 s: Describe your way here."
    assert told[-1] == "the protocol is done"
    asked = {"baseline": 0, "talk": 0, "free": 0, "end": 0}
    phase = "baseline"
    for event in events:
        if isinstance(event, Selected):
            asked[phase] += len(event.asked)
        elif isinstance(event, Marked) and event.name in asked:
            phase = event.name
    assert (asked["baseline"], asked["talk"], asked["end"]) == (0, 1, 0)
    assert loop.ended is not None
    assert 30.0 <= loop.ended.audio_s < 31.0  # the rest of the recording is not heard
    heard = [e for e in events if isinstance(e, Heard)]
    assert heard
    assert all(e.onset_s < 31 for e in heard)


def test_a_mistake_ends_a_run_before_anything_is_opened(session_file, tmp_path):
    path = tmp_path / "p.toml"
    path.write_text("phase = 3\n")
    with pytest.raises(UsageError, match="line 1"):
        list(Loop(session_file, tmp_path / "profile", protocol=path))
    assert not (tmp_path / "profile" / "profile.db").exists()

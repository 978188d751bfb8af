"""The verbs enroll, verify and emotions, as a user meets them."""

import json
from pathlib import Path

from streamer.testing import Spoken
from streamer.types import Samples
from tests.conftest import Streamer
from tests.support import events_of, named


def test_an_emotion_is_enrolled_and_verified(
    streamer: Streamer, session_file: Path, spoken_session: tuple[Samples, list[Spoken]]
) -> None:
    streamer("run", "--input", session_file)
    truth = spoken_session[1]
    for name in ("angry", "sad"):
        numbers = [n for n, spoken in enumerate(truth, start=1) if spoken.emotion == name]
        done = streamer("enroll", name, "--utterances", ",".join(map(str, numbers)))
        assert f"enrolled {len(numbers)} utterances as {name}" in done.stderr
        assert f"{10 - len(numbers)} more would help" in done.stderr
        assert "enroll neutral next" in done.stderr
    rows = events_of(streamer("emotions", "--json").stdout)
    assert [row["emotion"] for row in rows] == ["angry", "sad"]
    assert all(0 <= row["eer"] <= 1 for row in rows)
    assert all(0 <= row["open_set_false_accepts"] <= 1 for row in rows)
    assert "; not enrolled, " in streamer("emotions").stdout
    done = streamer("verify", session_file, "--json")
    assert done.returncode == 0
    found = events_of(done.stdout)
    assert len(found) == 12
    for row, spoken in zip(found, truth, strict=True):
        distances = row["verdict"]["distances"]
        if spoken.emotion in ("angry", "sad"):
            assert min(distances, key=distances.__getitem__) == spoken.emotion
    assert json.loads(streamer("status", "--json").stdout)["utterances"]["asked"] == 6
    assert streamer("enroll", "calm", session_file).returncode == 0


def test_without_the_population_nothing_has_a_name_until_it_is_enrolled(
    streamer: Streamer, session_file: Path
) -> None:
    done = streamer("run", "--input", session_file, "--json", "--no-population")
    for event in named(events_of(done.stdout), "utterance"):
        assert event["verdict"] == {
            "emotion": None, "distance": None, "distances": {}, "own": True
        }  # fmt: skip
    # And so says who asks later, without that flag.
    found = events_of(streamer("verify", session_file, "--json").stdout)
    assert all(row["verdict"]["distances"] == {} for row in found)


def test_five_clips_that_sound_like_another_emotion_are_questioned(
    streamer: Streamer, session_file: Path
) -> None:
    heard = named(events_of(streamer("run", "--input", session_file, "--json").stdout), "utterance")
    farthest: dict[str, list[int]] = {}
    for event in heard:
        distances = event["verdict"]["distances"]
        nearest = min(distances, key=distances.__getitem__)
        farthest.setdefault(nearest, []).append(event["id"])
    nearest, numbers = max(farthest.items(), key=lambda pair: len(pair[1]))
    assert len(numbers) >= 5
    other = "happiness" if nearest != "happiness" else "sadness"
    words = ["enroll", other, "--utterances", ",".join(map(str, numbers))]
    # A program is told; at a terminal somebody is asked (`tests/annotation/test_enrolment.py`).
    assert f"sound more like {nearest} than like {other}" in streamer(*words).stderr
    assert "sound more like" not in streamer(*words, "--yes").stderr


def test_what_is_wrong_with_a_file_is_told_when_it_is_enrolled(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "cut.wav").write_bytes(session_file.read_bytes()[:400_000])
    done = streamer("enroll", "calm", "cut.wav")
    assert done.returncode == 0
    assert "cut.wav" in done.stderr

"""Labelling by keys: what each key does to the store."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from streamer.audio.clips import to_flac
from streamer.learners.prior import Prior
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import DIMENSION, Profile
from streamer.terminal.annotate import label_by_keys
from streamer.types import Encoding, Quality, Utterance
from tests.conftest import Streamer
from tests.support import label_of


@pytest.fixture
def asked(profile: Profile) -> Profile:
    """A profile with three open queries: 1, then 2, then 3."""
    profile.bind("fake", "f" * 64, Prior.uninformed(4, 2))
    session = profile.sessions.begin("microphone", "m", 0.0)
    profile_model = ProfileModel(profile)
    rng = np.random.default_rng(0)
    for number in (1, 2, 3):
        audio = rng.standard_normal(8_000).astype(np.float32) / 10
        heard = Utterance("m", number, number + 0.5, audio, Quality(-20.0, 30.0, False))
        embedding, emotion = rng.standard_normal((2, 4)).astype(np.float32)
        encoding = Encoding(embedding, emotion[:2])
        profile_model.adapt(encoding)
        prediction, verdict = (
            profile_model.model.predict(encoding),
            profile_model.model.verdict(encoding),
        )
        added = profile.utterances.add(
            session, heard, embedding, emotion[:2], prediction, verdict, None, 0.0
        )
        assert added == number
        clip = to_flac(audio)
        profile.utterances.select("random", "at random", [(number, -number / 10, clip)], [], 0.0)
    return profile


def press(
    profile: Profile, keys: str, capsys: pytest.CaptureFixture[str], *names: str
) -> tuple[list, str]:
    """Press keys, and type names where they are asked for; what was played, and what was printed.

    Running out of keys ends it.
    """
    played: list[bytes] = []
    pending, typed = list(keys), iter(names)

    def key() -> str:
        if not pending:
            raise EOFError
        return pending.pop(0)

    def play(clip: bytes) -> str:
        played.append(clip)
        return "playing"

    label_by_keys(profile, "ann", key=key, line=lambda: next(typed), play=play)
    return played, capsys.readouterr().out


def test_answers_are_stored_and_learned(asked: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    played, told = press(asked, "19\r", capsys)
    (entry,) = asked.labels.log()
    assert (entry.label.utterance, entry.label.valence, entry.label.arousal) == (1, -1.0, 1.0)
    assert entry.label.emotion is None
    assert entry.label.annotator == "ann"
    assert entry.features is not None
    assert len(played) == 2
    assert "1 answered in this session · 2 open, 1 answered" in told


def test_the_prediction_is_told_only_after_the_answer(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "predicted" not in press(asked, "1", capsys)[1]
    told = press(asked, "19\r", capsys)[1]
    assert "you -1.00  predicted" in told
    assert "now" in told


def test_an_emotion_key_enrolls(asked: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    told = press(asked, "551", capsys)[1]
    assert "1 neutral" in told
    assert list(asked.emotions.enrolled()) == ["neutral"]


def test_a_new_emotion_is_typed_and_has_a_key_from_then_on(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    told = press(asked, "55+55", capsys, "[Weary")[1]
    assert list(asked.emotions.enrolled()) == ["[weary"]
    assert "a [weary" in told  # after the nine that were shown before
    press(asked, "55+", capsys, " ")
    assert asked.labels.answer_of(2, "ann").label.emotion is None


def test_a_name_that_cannot_be_one_is_asked_for_again(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    told = press(asked, "73+", capsys, "x" * 70, "weary")[1]
    assert "64" in told
    assert asked.labels.answer_of(1, "ann").label.emotion == "weary"


def test_dominance_is_asked_where_it_is_wanted(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    press(asked, "d357\r", capsys)
    label = asked.labels.answer_of(1, "ann").label
    assert (label.valence, label.arousal, label.dominance) == (-0.5, 0.0, 0.5)


def test_the_oldest_can_come_first(asked: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    asked.database.write("UPDATE queries SET score = utterance")
    assert "#3" in press(asked, "q", capsys)[1]
    assert "#1" in press(asked, "oq", capsys)[1]


def test_skipped_ones_wait_until_they_are_asked_for_and_cannot_tell_closes(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    press(asked, "sx", capsys)
    assert [query.utterance.id for query in asked.queries.open()] == [1, 3]
    assert asked.audio.clip(2) is None
    assert asked.labels.log() == []
    told = press(asked, "55\rq", capsys)[1]
    assert asked.labels.effective()[0].label.utterance == 3
    assert "No open questions: space asks the 1 skipped again" in told
    press(asked, " 55\rz", capsys)
    assert [entry.label.utterance for entry in asked.labels.effective()] == [3]
    assert [query.utterance.id for query in asked.queries.open()] == [1]


def test_undo_brings_the_question_back_and_it_can_still_be_heard(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = asked.audio.clip(1)
    played, told = press(asked, "55\rz", capsys)
    assert "#1 is open again" in told
    assert "your earlier answer: valence +0.00, arousal +0.00" in told
    assert played[-1] == clip
    assert asked.labels.count() == 0
    assert asked.utterances.open_query_count() == 3


def test_undo_outlives_a_restart_and_annotators_do_not_undo_each_other(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    press(asked, "55\r55\r", capsys)
    asked.labels.add([label_of(3, "bob", valence=0.0, arousal=0.0)], time.time())
    assert "Labelling as ann · 0 open" in press(asked, "z", capsys)[1]
    asked.labels.undo(1, time.time())
    told = press(asked, "zz", capsys)[1]
    assert "#2 is open again" in told
    assert "its audio is no longer kept" in told
    assert "#1 is open again" in told
    assert asked.labels.count() == 0


def test_space_plays_again_and_other_keys_do_nothing(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    played, told = press(asked, " 0\x1b[A?  q", capsys)
    assert len(played) == 4
    assert asked.labels.log() == []
    assert "asked a second time" in told


def test_one_in_twenty_comes_again_and_that_is_said(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4, 31):
        stored = asked.utterances.get(1)
        asked.database.write(
            "INSERT INTO utterances (id, session, source, onset_s, offset_s, heard_at, "
            "quality, embedding, emotion, prediction, verdict, informativeness, state, selection) "
            "SELECT ?, session, source, onset_s, offset_s, heard_at, "
            "quality, embedding, emotion, prediction, verdict, informativeness, 'asked', selection "
            "FROM utterances WHERE id = ?",
            number,
            stored.id,
        )
        asked.database.write(
            "INSERT INTO queries (utterance, score, clip, asked_at) VALUES (?, ?, ?, 0)",
            number,
            -float(number),
            asked.audio.clip(3),
        )
    told = press(asked, "64\r" * 31, capsys)[1]
    assert told.count("a repeat; your first answer: valence +0.25, arousal -0.25") == 1
    assert "consistent to ±0.00 over 1 repeat" in told
    assert len(asked.labels.log()) == 30


def test_a_terminal_that_gives_nothing_any_more_ends_it(asked: Profile) -> None:
    keys = iter([""])
    label_by_keys(asked, "ann", key=lambda: next(keys), play=lambda clip: "playing")
    assert asked.labels.log() == []


def test_in_a_real_terminal(
    asked: Profile, streamer_environment: dict[str, str], tmp_path: Path, streamer: Streamer
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", "label", "--profile", str(asked.folder)],
        stdin=theirs, stdout=theirs, stderr=theirs, env=streamer_environment,
    )  # fmt: skip
    os.close(theirs)
    wait = partial(read_until, ours)
    wait("negative")
    os.write(ours, b"2")
    wait("calm")
    os.write(ours, b"8")
    wait("emotion")
    os.write(ours, b"+")
    wait("name of the emotion")
    os.write(ours, b"fed up\n")
    wait("#2")
    os.write(ours, b"q")
    assert process.wait(20) == 0
    os.close(ours)
    (entry,) = asked.labels.log()
    label = entry.label
    assert (label.valence, label.arousal, label.emotion) == (-0.75, 0.75, "fed up")


@pytest.fixture
def without_sound(streamer_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment in which there is no PortAudio library, as on a bare server."""
    missing = tmp_path / "missing"
    missing.mkdir()
    (missing / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    return {**streamer_environment, "PYTHONPATH": str(missing)}


def test_none_is_written_where_no_audio_may_lie_on_the_disk(
    asked: Profile, without_sound: dict[str, str]
) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", "label", "--profile", str(asked.folder)],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env={**without_sound, "STREAMER_PRIVACY": "embeddings"},
    )  # fmt: skip
    os.close(theirs)
    read_until(ours, "cannot be played")
    assert not list(asked.folder.glob("playing-*"))
    os.write(ours, b"q")
    assert process.wait(20) == 0
    os.close(ours)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, None])
def test_a_clip_that_lies_on_the_disk_to_be_heard_is_deleted_however_it_ends(
    asked: Profile,
    without_sound: dict[str, str],
    end: signal.Signals | None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """end: a signal; None: the terminal is closed, as when its window or connection goes."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamer", "label", "--profile", str(asked.folder)],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env=without_sound, preexec_fn=partial(fcntl.ioctl, 0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(theirs)
    read_until(ours, "negative")
    (clip,) = asked.folder.glob("playing-*/*")
    assert clip.read_bytes() == asked.audio.clip(1)
    assert (clip.parent.stat().st_mode & 0o777, clip.stat().st_mode & 0o777) == (0o700, 0o600)
    if end is None:
        os.close(ours)
        assert process.wait(20) == 0
    else:
        process.send_signal(end)
        assert process.wait(20) == (-end if end == signal.SIGKILL else 0)
        os.close(ours)
    if end == signal.SIGKILL:
        assert clip.exists()
        press(asked, "q", capsys)
    assert not list(asked.folder.glob("playing*"))


def read_until(terminal: int, text: str) -> None:
    output = b""
    deadline_s = time.monotonic() + 20
    while text.encode() not in output:
        assert time.monotonic() < deadline_s, output.decode()
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                output += os.read(terminal, 4_096)
            except OSError:  # it has ended
                raise AssertionError(output.decode()) from None
    time.sleep(0.2)  # what is typed before the terminal turns to single keys is dropped by it


@pytest.fixture
def expecting(profile: Profile) -> Profile:
    """One open query, whose answers are expected within about 0.25 of 0.6."""
    sure = replace(Prior.uninformed(4, 2), intercept=np.full(3, 0.6), noise=np.full(3, 0.05))
    profile.bind("fake", "f" * 64, sure)
    session = profile.sessions.begin("microphone", "m", 0.0)
    audio = np.random.default_rng(0).standard_normal(8_000).astype(np.float32) / 10
    heard = Utterance("m", 1.0, 1.5, audio, Quality(-20.0, 30.0, False))
    encoding = Encoding(np.zeros(4, np.float32), np.ones(2, np.float32))
    model = ProfileModel(profile).model
    number = profile.utterances.add(
        session, heard, encoding.embedding, encoding.emotion, model.predict(encoding),
        model.verdict(encoding), None, 0.0,
    )  # fmt: skip
    profile.utterances.select("random", "r", [(number, 0.0, to_flac(audio))], [], 0.0)
    return profile


def test_an_answer_far_outside_its_interval_is_confirmed_once(
    expecting: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    # 1 is -1 where 0.6 is expected: another key asks again, and then it is taken as it is.
    _, printed = press(expecting, "18\r" + "n" + "18\r" + "q", capsys)
    assert printed.count("far outside the predicted interval:") == 1
    assert [entry.label.valence for entry in expecting.labels.effective()] == [-1.0]


def test_what_was_meant_is_kept_by_one_key(
    expecting: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    _, printed = press(expecting, "18\r" + "\r" + "q", capsys)
    assert "far outside the predicted interval:" in printed
    assert [entry.label.valence for entry in expecting.labels.effective()] == [-1.0]


def test_an_answer_near_its_interval_is_not_questioned(
    expecting: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    _, printed = press(expecting, "78\r" + "q", capsys)
    assert "surprises" not in printed
    assert expecting.labels.count() == 1


def test_one_dimension_alone_is_asked_where_the_listening_process_asks_only_it(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    asked.set_meta(DIMENSION, "valence")
    _, printed = press(asked, "7\rq", capsys)
    (entry,) = asked.labels.effective()
    assert (entry.label.valence, entry.label.arousal) == (0.5, None)
    assert "arousal" not in printed.split("#1")[1].split("#2")[0]

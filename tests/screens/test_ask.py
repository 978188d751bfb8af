"""Labelling by keys: what each key does to the store."""

import os
import pty
import select
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from streamer.audio.clip import to_flac
from streamer.core.prior import Prior
from streamer.learning import Learning
from streamer.messages import Quality, Utterance
from streamer.screens.ask import label_by_keys
from streamer.store.profile import Profile
from tests.conftest import Streamer


@pytest.fixture
def asked(profile: Profile) -> Profile:
    """A profile with three open queries: 1, then 2, then 3."""
    profile.bind("fake", "f" * 64, Prior.uninformed(4, 2))
    session = profile.begin_session("microphone", "m", 0.0)
    learning = Learning(profile)
    rng = np.random.default_rng(0)
    for number in (1, 2, 3):
        audio = rng.standard_normal(8_000).astype(np.float32) / 10
        heard = Utterance("m", number, number + 0.5, audio, Quality(-20.0, 30.0, False))
        embedding, emotion = rng.standard_normal((2, 4)).astype(np.float32)
        learning.adapt(embedding, emotion[:2])
        prediction, verdict = learning.predict(embedding), learning.verdict(emotion[:2])
        added = profile.utterances.add(
            session, heard, embedding, emotion[:2], prediction, verdict, None, 0.0
        )
        assert added == number
        clip = to_flac(audio)
        profile.utterances.select("random", "at random", [(number, -number / 10, clip)], [], 0.0)
    return profile


def press(profile: Profile, keys: str, capsys: pytest.CaptureFixture[str]) -> tuple[list, str]:
    """Press keys; what was played, and what was printed. Running out of keys ends it."""
    played: list[bytes] = []
    pending = list(keys)

    def key() -> str:
        if not pending:
            raise EOFError
        return pending.pop(0)

    def play(clip: bytes) -> str:
        played.append(clip)
        return "playing"

    label_by_keys(profile, "ann", key=key, play=play)
    return played, capsys.readouterr().out


def test_answers_are_stored_and_learned(asked: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    played, told = press(asked, "19\r", capsys)
    (entry,) = asked.labels.log()
    assert (entry.label.utterance, entry.label.valence, entry.label.arousal) == (1, -1.0, 1.0)
    assert entry.label.emotion is None
    assert entry.label.annotator == "ann"
    assert entry.features is not None
    assert len(played) == 2
    assert "1 answered, 2 still open" in told


def test_the_prediction_is_told_only_after_the_answer(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "predicted" not in press(asked, "1", capsys)[1]
    assert "predicted" in press(asked, "19\r", capsys)[1]


def test_an_emotion_key_enrolls(asked: Profile, capsys: pytest.CaptureFixture[str]) -> None:
    told = press(asked, "551", capsys)[1]
    assert "1 neutral" in told
    assert list(asked.emotions.enrolled()) == ["neutral"]


def test_skip_asks_again_next_time_and_cannot_tell_never(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    press(asked, "sx", capsys)
    assert [query.utterance.id for query in asked.utterances.open_queries()] == [1, 3]
    assert asked.utterances.clip(2) is None
    assert asked.labels.log() == []


def test_undo_brings_the_question_back_and_it_can_still_be_heard(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    clip = asked.utterances.clip(1)
    played, told = press(asked, "55\rz", capsys)
    assert "1 label taken back (#1)" in told
    assert played[-1] == clip
    assert asked.labels.count() == 0
    assert asked.utterances.open_query_count() == 3


def test_space_plays_again_and_other_keys_do_nothing(
    asked: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    played, _ = press(asked, " 0a?  q", capsys)
    assert len(played) == 4
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
    wait("valence")
    os.write(ours, b"2")
    wait("arousal")
    os.write(ours, b"8")
    wait("emotion")
    os.write(ours, b"\r")
    wait("#2")
    os.write(ours, b"q")
    assert process.wait(20) == 0
    os.close(ours)
    (entry,) = asked.labels.log()
    assert (entry.label.valence, entry.label.arousal) == (-0.75, 0.75)


def read_until(terminal: int, text: str) -> None:
    output = b""
    deadline_s = time.monotonic() + 20
    while text.encode() not in output:
        assert time.monotonic() < deadline_s, output.decode()
        if select.select([terminal], [], [], 0.2)[0]:
            output += os.read(terminal, 4_096)
    time.sleep(0.2)  # what is typed before the terminal turns to single keys is dropped by it

"""Carrying a profile over to another encoder."""

import json
from pathlib import Path

import numpy as np
import soundfile

from streamer.config import Config
from streamer.encoders.registry import BUILT_IN, find_encoder
from streamer.encoders.vector_map import file_name, write_map
from streamer.loop.compose import make_encoder
from streamer.store.profile import Profile
from streamer.training.export.vector_map import fit_map
from tests.conftest import Streamer

# The sha256 that the first version of the acoustic encoder bound a profile to.
ACOUSTIC_1 = "146be24d49388e9c06eea72bc230c4fa1991a832ceb64bb1f8a7fa9230487a87"


def test_a_profile_is_carried_over_to_another_encoder(
    heard: Path, streamer: Streamer, session_file: Path
) -> None:
    done = streamer("reembed", "--encoder", "acoustic")
    assert done.returncode == 0, done.stderr
    assert "12 utterances carried over, 0 without audio" in done.stderr
    status = json.loads(streamer("status", "--json").stdout)
    assert status["encoder"] == "acoustic"
    assert status["labels"] == {"given": 3, "learned": 3}
    assert streamer("run", "--input", session_file).returncode == 0
    refused = streamer("run", "--input", session_file, "--encoder", "streamer-small")
    assert refused.returncode == 5
    assert len(list(heard.glob("profile-*.db"))) == 1


def test_a_profile_of_an_earlier_acoustic_encoder_is_refused_with_the_way_out(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    """Version 1 had 88 functionals of its own; its vectors mean nothing to version 2."""
    listen = ("run", "--input", session_file, "--max-seconds", 12, "--encoder", "acoustic")
    assert streamer(*listen).returncode == 0
    profile = Profile(tmp_path / "profiles" / "default")
    profile.rebind("acoustic", ACOUSTIC_1, profile.prior())
    profile.close()
    for words in (listen, listen[:-2]):
        refused = streamer(*words)
        assert refused.returncode == 5
        assert "`streamer reembed --encoder acoustic`" in refused.stderr
    done = streamer("reembed", "--encoder", "acoustic")
    assert done.returncode == 0, done.stderr
    assert streamer(*listen).returncode == 0


def test_recordings_are_found_from_another_folder(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "session.wav").write_bytes(session_file.read_bytes())
    streamer("run", "--input", "here/session.wav")
    streamer("label", 1, "--emotion", "joy")
    (tmp_path / "elsewhere").mkdir()
    done = streamer("reembed", "--encoder", "acoustic", cwd=tmp_path / "elsewhere")
    assert "12 utterances carried over, 0 without audio" in done.stderr


def test_what_has_no_audio_is_left_behind_in_a_copy(
    heard: Path, streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    # As if it had been heard through a microphone: the labelled ones have no clip any more.
    profile = Profile(heard)
    profile.database.write("UPDATE sessions SET kind = 'microphone'")
    profile.close()
    refused = streamer("reembed", "--encoder", "acoustic")
    assert refused.returncode == 2
    assert "3 utterances with 3 labels would be left behind" in refused.stderr
    assert not list(heard.glob("profile-*.db"))
    done = streamer("reembed", "--encoder", "acoustic", "--yes")
    assert "9 utterances carried over, 3 without audio left behind with 3 labels" in done.stderr
    (copy,) = heard.glob("profile-*.db")
    (tmp_path / "old").mkdir()
    copy.rename(tmp_path / "old" / "profile.db")
    old = Profile(tmp_path / "old")
    assert old.labels.count() == 3
    old.close()


def test_what_has_no_audio_is_mapped_where_there_is_a_map_and_marked(
    heard: Path, streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    """A map between the two real encoders, fitted on this session's own audio in windows of 2 s."""
    former = find_encoder()
    audio, rate = soundfile.read(session_file, dtype="float32")
    windows = np.array_split(audio[:: rate // 16_000], 24)
    tables = []
    for name in (former.name, BUILT_IN.name):
        encoder = make_encoder(Config(), name)
        vectors = [encoder.encode(window) for window in windows]
        tables.append((encoder.sha256, *(np.array(part) for part in zip(*vectors, strict=True))))
    (tmp_path / "models").mkdir()
    path = tmp_path / "models" / file_name(former.sha256, BUILT_IN.sha256)
    write_map(path, fit_map(*tables, [f"v{n % 4}" for n in range(24)]))
    profile = Profile(heard)
    assert profile.meta("encoder_sha256") == former.sha256
    profile.database.write("UPDATE sessions SET kind = 'microphone'")
    before = [profile.utterances.get(n) for n in profile.utterances.numbers()]
    profile.close()
    done = streamer("reembed", "--encoder", "acoustic")
    assert done.returncode == 0, done.stderr
    assert "3 utterances without audio carried over by a learned map" in done.stderr
    assert "12 utterances carried over, 0 without audio left behind" in done.stderr
    status = json.loads(streamer("status", "--json").stdout)
    assert status["mapped"] == 3
    assert status["labels"] == {"given": 3, "learned": 3}
    assert "mapped: 3 utterances without audio" in streamer("status").stdout
    profile = Profile(heard)
    marked = profile.database.rows("SELECT id, carried_from FROM utterances ORDER BY id")
    assert {row["carried_from"] for row in marked} == {None, former.sha256}
    for row, old in zip(marked, before, strict=True):
        new = profile.utterances.get(row["id"])
        assert new.embedding.shape == (BUILT_IN.embedding_size,)
        if row["carried_from"]:
            assert profile.labels.count_of(old.id) == 1
            assert abs(np.linalg.norm(new.emotion) - 1.0) < 1e-5
    profile.close()
    listed = streamer("models", "list").stdout
    assert f"map {former.name} ({former.sha256[:12]}) to acoustic" in listed


def test_a_recording_that_cannot_be_read_any_more_is_not_left_behind_untold(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    recording = tmp_path / "own.wav"
    recording.write_bytes(session_file.read_bytes())
    streamer("run", "--input", recording)
    recording.write_text("gone")
    refused = streamer("reembed", "--encoder", "acoustic")
    assert refused.returncode == 2
    assert "cannot be read any more" in refused.stderr
    profile = Profile(tmp_path / "profiles" / "default")
    assert not list(profile.folder.glob("profile-*.db"))
    assert profile.utterances.count() == 12
    profile.close()


def test_the_encoder_that_it_has_already_changes_nothing(heard: Path, streamer: Streamer) -> None:
    refused = streamer("reembed", "--yes")
    assert refused.returncode == 2
    assert "already" in refused.stderr
    profile = Profile(heard)
    assert profile.utterances.count() == 12
    profile.close()
    assert not list(heard.glob("profile-*.db"))


def test_an_empty_profile_has_nothing_to_carry_over(streamer: Streamer) -> None:
    refused = streamer("reembed")
    assert refused.returncode == 5
    assert "empty" in refused.stderr

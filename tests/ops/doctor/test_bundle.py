"""The support bundle tells nothing of what was said, and the verb what it found."""

import json
import stat
import zipfile
from pathlib import Path

import pytest

from streamer.audio.clips import to_flac
from streamer.config import Config
from streamer.errors import UsageError
from streamer.ops.doctor import examine
from streamer.ops.doctor.bundle import write_bundle
from streamer.testing import synthetic_speech
from streamer.types import Label
from tests.support import bound_profile, events_of, store_utterance

# All that somebody may have said or named; none of it is a word of the program's.
PRIVATE = ("grumblish", "annabel", "0.8125", "kitchen-diary", "my-therapist", "RIFF", "fLaC")

OWN_ENCODER = """
[[encoder]]
name = "mumblecore"
file = "mumblecore.onnx"
sha256 = "abcd"
licence = "my own"
embedding_size = 8
emotion_size = 4
"""


@pytest.fixture
def lived_in(tmp_path: Path) -> Config:
    import numpy as np

    config = Config(
        profile=str(tmp_path / "my-therapist"), home=tmp_path, annotator="annabel",
        models=tmp_path / "models",
    )  # fmt: skip
    profile = bound_profile(Path(config.profile))
    number = store_utterance(profile)
    profile.sessions.begin("file", "/home/annabel/kitchen-diary.wav", 100.0)
    clip = to_flac(synthetic_speech(np.random.default_rng(0), "happy", 1.0))
    profile.utterances.select("made", "for a test", [(number, -0.1, clip)], [], 200.0)
    profile.labels.add([Label(number, 0.8125, -0.8125, None, "grumblish", "annabel")], 300.0)
    profile.close()
    return config


def test_the_bundle_holds_no_audio_no_label_and_no_name(lived_in, tmp_path):
    file = tmp_path / "bundle.zip"
    write_bundle(file, list(examine(lived_in)), lived_in)
    with zipfile.ZipFile(file) as bundle:
        told = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert set(told) == {
        "findings.json", "versions.json", "settings.json", "encoders.json", "profile.json"
    }  # fmt: skip
    for private in PRIVATE:
        assert not [name for name, text in told.items() if private in text], private
        assert private.encode() not in file.read_bytes()
    assert json.loads(told["profile.json"])["labels"] == 1
    assert json.loads(told["versions.json"])["numpy"]
    assert str(Path.home()) not in "".join(told.values())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_name_of_somebodys_own_encoder_is_in_no_part(lived_in, tmp_path):
    own = lived_in.models
    own.mkdir()
    (own / "manifest.toml").write_text(OWN_ENCODER)
    file = tmp_path / "bundle.zip"
    findings = list(examine(lived_in))
    assert any("mumblecore" in f"{found}" for found in findings)
    write_bundle(file, findings, lived_in)
    with zipfile.ZipFile(file) as bundle:
        assert not [n for n in bundle.namelist() if b"mumblecore" in bundle.read(n)]


def test_a_bundle_replaces_no_file(lived_in, tmp_path):
    file = tmp_path / "thesis.zip"
    file.write_bytes(b"years of work")
    with pytest.raises(UsageError, match="exists already"):
        write_bundle(file, [], lived_in)
    assert file.read_bytes() == b"years of work"


def test_the_verb_tells_in_json_and_exits_by_what_failed(streamer, tmp_path):
    good = streamer("doctor", "--json")
    rows = events_of(good.stdout)
    failed = [row["exit_code"] for row in rows if row["state"] == "fail"]
    assert good.returncode == (failed[0] if failed else 0)
    assert set(failed) <= {3}  # a machine of tests may have no microphone
    assert {row["check"]: row["state"] for row in rows}["encoder"] == "ok"

    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "profile.db").write_bytes(b"this is no database, " * 500)
    bad = streamer("doctor", "--json", "--profile", tmp_path / "broken")
    (profile,) = [row for row in events_of(bad.stdout) if row["check"] == "profile"]
    assert (profile["state"], profile["exit_code"]) == ("fail", 5)
    assert bad.returncode in {3, 5}

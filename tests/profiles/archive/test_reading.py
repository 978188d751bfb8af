"""Import: the same profile again, or a typed error and nothing changed."""

import io
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.errors import OtherEncoder, ProfileDamaged, ProfileError, ProfileTooNew
from streamer.loop.profile_model import ProfileModel
from streamer.profiles.archive.reading import import_profile
from streamer.profiles.archive.writing import export_profile
from streamer.store.profile import Profile
from tests.conftest import Streamer
from tests.profiles.archive.making import (
    SETTINGS,
    edit_row,
    everything,
    exported,
    lived_in,
    rewrite,
)
from tests.support import bound_profile, store_utterance


def test_it_is_the_same_profile_to_the_last_bit(tmp_path: Path) -> None:
    mine = lived_in(tmp_path / "lived in")
    export_profile(mine, tmp_path / "exported", SETTINGS)
    other = Profile(tmp_path / "other")
    counts = import_profile(other, tmp_path / "exported", {"ab" * 32})
    assert counts["utterances"] == 12
    assert everything(other) == everything(mine)
    one, two = ProfileModel(mine).model, ProfileModel(other).model
    for number in mine.utterances.numbers():
        stored = mine.utterances.get(number)
        assert two.predict(stored) == one.predict(stored)
        assert two.verdict(stored) == one.verdict(stored)
    export_profile(other, tmp_path / "again", SETTINGS)
    sums = [(tmp_path / name / "SHA256SUMS").read_text() for name in ("exported", "again")]
    assert sums[0] == sums[1]
    assert store_utterance(other) == store_utterance(mine) == 14
    mine.close()
    other.close()


def test_an_empty_profile_is_carried_too(tmp_path: Path) -> None:
    mine, other = Profile(tmp_path / "mine"), Profile(tmp_path / "other")
    export_profile(mine, tmp_path / "exported", SETTINGS)
    assert not any(import_profile(other, tmp_path / "exported", set()).values())
    assert other.is_empty()
    mine.close()
    other.close()


def test_a_profile_that_holds_something_is_given_up_only_when_told(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    other = bound_profile(tmp_path / "other")
    store_utterance(other, np.full(6, 7.25, np.float32))
    before = everything(other)
    with pytest.raises(ProfileError, match="--replace"):
        import_profile(other, folder, None)
    assert everything(other) == before
    import_profile(other, folder, None, replace=True)
    assert other.utterances.numbers() == list(range(1, 13))
    other.close()
    raw = b"".join(path.read_bytes() for path in (tmp_path / "other").glob("profile.db*"))
    assert np.full(6, 7.25, "<f4").tobytes() not in raw


def test_another_encoder_and_a_newer_version_are_refused_with_the_way_out(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    other = Profile(tmp_path / "other")
    with pytest.raises(OtherEncoder, match=r"'made' \(abababababab\).*models add.*--any-encoder"):
        import_profile(other, folder, {"cd" * 32})
    for key in ("version", "database"):
        manifest = json.loads((folder / "manifest.json").read_text())
        rewrite(folder, "manifest.json", json.dumps({**manifest, key: 99}).encode())
        with pytest.raises(ProfileTooNew, match="upgrade streamer"):
            import_profile(other, folder, None)
        rewrite(folder, "manifest.json", json.dumps(manifest).encode())
    assert other.is_empty()
    other.close()


def bomb() -> bytes:
    """Eleven minutes of silence in a few kilobytes."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", 16_000, 1, "PCM_16", format="FLAC") as sound:
        for _ in range(11):
            sound.write(np.zeros(60 * 16_000, np.int16))
    return file.getvalue()


def changed_row(table: str, line: int, **values: object) -> Callable[[Path], None]:
    return lambda folder: edit_row(folder, table, line, lambda row: row.update(values))


def link(name: str, target: str) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        (folder / name).rename(folder / "aside")
        (folder / name).symlink_to(target)

    return spoil


def pipe(folder: Path) -> None:
    (folder / "labels.jsonl").unlink()
    os.mkfifo(folder / "labels.jsonl")


def no_spread(folder: Path) -> None:
    prior = json.loads((folder / "prior.json").read_text())
    rewrite(folder, "prior.json", json.dumps({**prior, "noise": [0.0, 0.0, 0.0]}).encode())


def one_label_more(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["rows"]["labels"] += 1
    rewrite(folder, "manifest.json", json.dumps(manifest).encode())


HARM: dict[str, Callable[[Path], object]] = {
    "a path that leads out": changed_row("queries", 3, clip="../../../../etc/passwd"),
    "an absolute path": changed_row("queries", 3, clip="/etc/passwd"),
    "a number that leads out": changed_row("queries", 3, utterance="../a", clip="clips/../a.flac"),
    "another one's audio": changed_row("queries", 3, clip="clips/5.flac"),
    "a linked table": link("labels.jsonl", "/etc/passwd"),
    "a linked folder": link("clips", "aside"),
    "a linked clip": link("clips/4.flac", "5.flac"),
    "a pipe": pipe,
    "a folder for a file": lambda f: ((f / "prior.json").unlink(), (f / "prior.json").mkdir()),
    "a clip of eleven minutes": lambda f: rewrite(f, "clips/4.flac", bomb()),
    "a clip that is none": lambda f: rewrite(f, "clips/4.flac", b"RIFF0000WAVE"),
    "a long line": lambda f: rewrite(f, "labels.jsonl", b"[" * 2_000_000),
    "deep JSON": lambda f: rewrite(f, "labels.jsonl", b"[" * 500_000 + b"\n"),
    "half a vector": lambda f: rewrite(f, "utterances.embedding.f32", b"\0" * 25),
    "too few vectors": lambda f: rewrite(f, "utterances.embedding.f32", b"\0" * 24),
    "too many vectors": lambda f: rewrite(f, "utterances.embedding.f32", b"\0" * 24 * 13),
    "a vector of NaN": lambda f: rewrite(f, "utterances.embedding.f32", b"\xff" * 24 * 12),
    "a changed bit": lambda f: (f / "utterances.embedding.f32").write_bytes(b"\1" * 24 * 12),
    "a missing file": lambda f: (f / "lessons.jsonl").unlink(),
    "no sums": lambda f: (f / "SHA256SUMS").unlink(),
    "sums that are none": lambda f: (f / "SHA256SUMS").write_bytes(b"\xff\xfe"),
    "a label off its scale": changed_row("labels", 0, valence=7.0),
    "a label of NaN": changed_row("labels", 0, valence=float("nan")),
    "a label of a list": changed_row("labels", 0, valence=[1]),
    "a label of nobody": changed_row("labels", 0, annotator="\x1b[2J"),
    "a label of no utterance": changed_row("labels", 0, utterance=999),
    "a retraction of itself": changed_row("labels", 1, retracts=99),
    "an unknown column": changed_row("labels", 0, **{"a) VALUES (1); DROP TABLE labels; --": 1}),
    "an emotion that is no name": changed_row("enrollments", 0, emotion="\x00"),
    "the largest number": changed_row("utterances", 11, id=2**63 - 1),
    "a number too large for any": changed_row("utterances", 11, id=2**70),
    "half a letter": changed_row("sessions", 0, source="\ud800"),
    "a prediction of words": changed_row("utterances", 0, prediction={"valence": "good"}),
    "a quality of another shape": changed_row("utterances", 0, quality={"level_dbfs": 1.0}),
    "another state": changed_row("utterances", 0, state="hidden"),
    "a prior of no spread": no_spread,
    "a prior that is none": lambda f: rewrite(f, "prior.json", b"[]"),
    "a manifest that counts otherwise": one_label_more,
    "an encoder that leads out": lambda f: rewrite(
        f,
        "manifest.json",
        (f / "manifest.json").read_bytes().replace(b'"encoder": "', b'"encoder": "x/../../out'),
    ),
    "a manifest that is none": lambda f: rewrite(f, "manifest.json", b'{"format": "zip"}'),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported(tmp_path_factory.mktemp("sound"))


@pytest.mark.parametrize("harm", HARM)
def test_what_means_harm_is_refused_and_nothing_changed(
    tmp_path: Path, sound: Path, harm: str
) -> None:
    folder = Path(shutil.copytree(sound, tmp_path / "exported"))
    HARM[harm](folder)
    other = Profile(tmp_path / "other")
    before = everything(other)
    with pytest.raises(ProfileDamaged, match="export it again"):
        import_profile(other, folder, None)
    assert everything(other) == before
    other.close()


def test_the_command_line_carries_a_profile_and_keeps_it_private(
    streamer: Streamer, session_file: Path, tmp_path: Path
) -> None:
    def call(*words: object) -> subprocess.CompletedProcess[str]:
        # As on a machine where files are for everybody unless said otherwise.
        return streamer(*words, preexec_fn=lambda: os.umask(0))

    before = set(tmp_path.rglob("*"))
    log = ("--log", "logs/of runs/run.log")
    assert call("run", "--input", session_file, "--max-seconds", 6, *log).returncode == 0
    assert call("label", 1, "--valence", 0.5, "--arousal", 0.5).returncode == 0
    assert call("label", "--export", "session.annotation").returncode == 0
    assert call("export", "above/out").returncode == 0
    (tmp_path / "above" / "out").rename(tmp_path / "out")
    assert call("import", "out", "--profile", "two").returncode == 0
    made = set(tmp_path.rglob("*")) - before
    assert {"run.log", "profile.db", "session.annotation", "manifest.json", "above"} <= {
        p.name for p in made
    }
    for path in made:
        mode = path.stat().st_mode & 0o777
        assert mode == (0o700 if path.is_dir() else 0o600), (path, oct(mode))
    (tmp_path / "out" / "labels.jsonl").write_bytes(b"spoiled")
    refused = call("import", "out", "--profile", "three")
    assert refused.returncode == 5
    assert "SHA256SUMS says" in refused.stderr
    assert call("export", "out").returncode == 2


def test_an_import_names_no_file_of_this_machine(tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"RIFF")
    profile = lived_in(tmp_path / "lived in")
    with profile.database.transaction():
        profile.database.write(
            "UPDATE sessions SET kind = 'file', source = ?", str(tmp_path / "secret.wav")
        )
    assert profile.recording_of(1) == tmp_path / "secret.wav"  # its own session may
    export_profile(profile, tmp_path / "out", SETTINGS)
    profile.close()
    other = Profile(tmp_path / "other")
    import_profile(other, tmp_path / "out", None)
    assert {other.recording_of(number) for number in other.utterances.numbers()} == {None}
    other.close()

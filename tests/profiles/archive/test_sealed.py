"""Encrypted exports: only who has the key reads them, and nothing plain is left beside them."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

import pyrage
import pytest

from streamer.errors import ProfileDamaged, ProfileError, UsageError
from streamer.profiles.archive.sealed import Secret, export_sealed, identities_in, import_sealed
from streamer.store.profile import Profile
from tests.conftest import Streamer
from tests.profiles.archive.making import SETTINGS, everything, lived_in
from tests.support import store_utterance

KEY = pyrage.x25519.Identity.generate()
OTHER = pyrage.x25519.Identity.generate()
ANYONE = {"ab" * 32}
LOCKED = Secret(keys=[str(KEY.to_public())])
OPENED = Secret(keys=[str(KEY)])
SPOKEN = Secret(passphrase="korrekt horse")


@pytest.fixture
def mine(tmp_path: Path) -> Profile:
    return lived_in(tmp_path / "mine")


@pytest.mark.parametrize(("lock", "key"), [(LOCKED, OPENED), (SPOKEN, SPOKEN)])
def test_there_and_back_is_the_same_profile_to_the_last_bit(tmp_path, mine, lock, key):
    counts = export_sealed(mine, tmp_path / "all.age", SETTINGS, lock)
    other = Profile(tmp_path / "other")
    assert import_sealed(other, tmp_path / "all.age", ANYONE, key) == counts
    assert everything(other) == everything(mine)


def test_an_ssh_key_locks_and_opens_too(tmp_path, mine):
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed")
    words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"]
    subprocess.run(words, check=True)
    public = (tmp_path / "key.pub").read_text()
    export_sealed(mine, tmp_path / "all.age", SETTINGS, Secret(keys=[public]))
    other = Profile(tmp_path / "other")
    import_sealed(other, tmp_path / "all.age", ANYONE, Secret(identities_in(tmp_path / "key")))
    assert everything(other) == everything(mine)


@pytest.mark.parametrize("lock", [LOCKED, SPOKEN])
def test_nothing_can_be_read_and_nothing_plain_is_left(tmp_path, mine, lock):
    before = set(tmp_path.rglob("*"))
    export_sealed(mine, tmp_path / "all.age", SETTINGS, lock)
    file = tmp_path / "all.age"
    assert set(tmp_path.rglob("*")) - before == {file}
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_bytes()
    assert content.startswith(b"age-encryption.org/v1\n")
    assert not any(plain in content for plain in (b"joy", b"anger", b"fLaC", b"manifest"))


@pytest.mark.parametrize(
    ("lock", "key"),
    [(LOCKED, Secret(keys=[str(OTHER)])), (LOCKED, SPOKEN), (SPOKEN, Secret(passphrase="wrong"))],
)
def test_without_the_key_it_does_not_open_and_the_profile_is_as_it_was(tmp_path, mine, lock, key):
    export_sealed(mine, tmp_path / "all.age", SETTINGS, lock)
    other = Profile(tmp_path / "other")
    with pytest.raises(ProfileError, match="does not open"):
        import_sealed(other, tmp_path / "all.age", ANYONE, key)
    assert other.is_empty()
    assert not list(other.folder.glob("scratch-*"))


@pytest.mark.parametrize("cut", [0, 40, 300, -1])
def test_what_is_cut_does_not_open(tmp_path, mine, cut):
    file = tmp_path / "all.age"
    export_sealed(mine, file, SETTINGS, LOCKED)
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(ProfileError, match="does not open"):
        import_sealed(Profile(tmp_path / "other"), file, ANYONE, OPENED)


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


@pytest.mark.parametrize(
    "members",
    [
        [member("../escaped")],
        [member("/etc/escaped")],
        [member("clips/../../escaped")],
        [member("clips/../escaped")],
        [member("prior.json", tarfile.SYMTYPE, "/etc/passwd")],
        [member("prior.json", tarfile.LNKTYPE, "../mine/profile.db")],
        [member("clips", tarfile.SYMTYPE, "/tmp"), member("clips/1.flac")],
        [member("prior.json", tarfile.FIFOTYPE)],
        [member("prior.json", tarfile.GNUTYPE_SPARSE)],
        [member("clips", tarfile.DIRTYPE)],
        [member("prior.json", tarfile.CHRTYPE)],
        [member("prior.json"), member("prior.json")],
        [member("clips"), member("clips/1.flac")],
    ],
)
def test_a_tar_made_to_harm_writes_nothing_outside(tmp_path, members):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for made in members:
            tar.addfile(made, io.BytesIO())
    file = tmp_path / "harm.age"
    file.write_bytes(pyrage.encrypt(plain.getvalue(), [KEY.to_public()]))
    profile = Profile(tmp_path / "other")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ProfileError):
        import_sealed(profile, file, ANYONE, OPENED)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("plain", [b"", b"no tar at all" * 100, b"\0" * 10_240])
def test_what_is_encrypted_but_no_export_is_refused(tmp_path, plain):
    file = tmp_path / "odd.age"
    file.write_bytes(pyrage.encrypt(plain, [KEY.to_public()]))
    with pytest.raises(ProfileDamaged):
        import_sealed(Profile(tmp_path / "other"), file, ANYONE, OPENED)


def test_keys_that_are_none_are_told(tmp_path, mine):
    with pytest.raises(UsageError, match="--to age1nonsense"):
        export_sealed(mine, tmp_path / "all.age", SETTINGS, Secret(keys=["age1nonsense"]))
    (tmp_path / "empty").write_text("# a comment\n\n")
    with pytest.raises(UsageError, match="holds no key"):
        identities_in(tmp_path / "empty")
    with pytest.raises(UsageError, match="cannot be read"):
        identities_in(tmp_path / "missing")
    export_sealed(mine, tmp_path / "all.age", SETTINGS, LOCKED)
    with pytest.raises(UsageError, match="--identity"):
        import_sealed(
            Profile(tmp_path / "other"), tmp_path / "all.age", ANYONE, Secret(keys=["nonsense"])
        )
    with pytest.raises(UsageError, match="exists already"):
        export_sealed(mine, tmp_path / "all.age", SETTINGS, LOCKED)


def test_other_programs_unpack_it_where_they_are_and_learn_no_name(tmp_path, mine):
    export_sealed(mine, tmp_path / "all.age", SETTINGS, LOCKED)
    plain = pyrage.decrypt((tmp_path / "all.age").read_bytes(), [KEY])
    (tmp_path / "here").mkdir(mode=0o755)
    (tmp_path / "here").chmod(0o755)
    subprocess.run(["tar", "x"], input=plain, cwd=tmp_path / "here", check=True)
    assert (tmp_path / "here").stat().st_mode & 0o777 == 0o755
    checked = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=tmp_path / "here")
    assert checked.returncode == 0
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        assert {(m.uid, m.uname, m.gname) for m in tar} == {(0, "", "")}


def test_a_sparse_file_may_not_say_how_large_it_gets(tmp_path):
    packed = tmp_path / "sparse.tar"
    with (tmp_path / "prior.json").open("wb") as file:
        file.truncate(300_000_000)
    words = ["tar", "c", "--sparse", "-f", packed, "-C", tmp_path, "prior.json"]
    subprocess.run(words, check=True)
    assert packed.stat().st_size < 100_000
    (tmp_path / "bomb.age").write_bytes(pyrage.encrypt(packed.read_bytes(), [KEY.to_public()]))
    with pytest.raises(ProfileDamaged, match=r"prior\.json"):
        import_sealed(Profile(tmp_path / "other"), tmp_path / "bomb.age", ANYONE, OPENED)


def test_the_verbs_take_keys_and_passphrases(streamer: Streamer, tmp_path: Path) -> None:
    profile = lived_in(tmp_path / "mine")
    store_utterance(profile)
    profile.close()
    mine = ("--profile", f"{tmp_path}/mine")
    (tmp_path / "key").write_text(f"# public key: {KEY.to_public()}\n{KEY}\n")
    locked, spoken = tmp_path / "locked.age", tmp_path / "spoken.age"
    assert streamer("export", locked, "--to", str(KEY.to_public()), *mine).returncode == 0
    assert streamer("export", spoken, *mine, input="korrekt horse\n").returncode == 0
    for number, words, said in (
        (1, (locked, "--identity", tmp_path / "key"), None),
        (2, (spoken,), "korrekt horse\n"),
    ):
        other = ("--profile", f"{tmp_path}/other{number}", "--any-encoder")
        done = streamer("import", *words, *other, input=said)
        assert done.returncode == 0, done.stderr
        assert "13 utterances" in done.stderr
    assert streamer("export", tmp_path / "x.age", *mine, input="").returncode == 2
    assert streamer("export", tmp_path / "x", "--to", str(KEY.to_public()), *mine).returncode == 2

"""What strangers' bytes may bring about: a StreamerError, or nothing. Everything else is a crash.

Each target takes any bytes and an empty folder of its own. The tests feed them what hypothesis
makes up and what once crashed; `benchmarks/fuzz.py` feeds them for as long as one likes.
"""

import asyncio
import base64
import io
import os
import shutil
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from streamer.annotation.csv import read_labels
from streamer.annotation.exchange.open import read_timed
from streamer.annotation.labels import give
from streamer.audio.clips import from_flac
from streamer.audio.sources.files import FileSource
from streamer.audio.sources.stdin import StdinSource
from streamer.audio.sources.wav_stream import decode_header
from streamer.config import Config
from streamer.encoders.onnx import open_session
from streamer.encoders.probe_outputs import choose_outputs
from streamer.encoders.registry import read_manifest
from streamer.errors import StreamerError
from streamer.profiles.archive.reading import import_profile
from streamer.profiles.archive.sealed import unpack
from streamer.store.profile import Profile
from streamer.types import Chunk
from streamer.web.auth import Auth
from streamer.web.events import EventHub
from streamer.web.site import make_site
from streamer.web.store_worker import StoreWorker
from tests.profiles.archive.making import exported, rewrite
from tests.web.conftest import fill

Target = Callable[[bytes, Path], None]


def wav_header(content: bytes, folder: Path) -> None:
    """A header from a pipe, and the samples behind it."""
    header = decode_header(content, "it")
    if header is None:  # not all of it is there
        return
    pcm, size, start = header
    rest = content[start:][: 4096 if size is None else min(size, 4096)]
    samples = pcm.decode(rest[: len(rest) - len(rest) % pcm.frame_bytes])
    assert samples.shape[1] == pcm.channels


def recording(content: bytes, folder: Path) -> None:
    """A file of whatever format, by its content: WAV, FLAC, Ogg, MP3."""
    path = folder / "it.wav"
    path.write_bytes(content)
    source = FileSource(path)
    try:
        for heard, item in enumerate(source):
            if isinstance(item, Chunk):
                assert item.samples.dtype == np.float32
            if heard > 20:
                break
    finally:
        source.close()


def clip(content: bytes, folder: Path) -> None:
    """What a query's row holds as its audio."""
    from_flac(content)


def standard_input(content: bytes, folder: Path) -> None:
    """Bytes from a pipe: raw samples, a WAV, or neither."""
    reader, writer = os.pipe()
    os.write(writer, content[:60_000])
    os.close(writer)
    try:
        source = StdinSource(reader)
        try:
            for item in source:
                if isinstance(item, Chunk):
                    assert item.samples.ndim == 2
        finally:
            source.close()
    finally:
        os.close(reader)


def label_csv(content: bytes, folder: Path) -> None:
    """A file for `label --import`; what can be read is stored."""
    path = folder / "labels.csv"
    path.write_bytes(content)
    read = read_labels(path, "me")
    profile = _profile_with_questions(folder)
    try:
        give(profile, read.labels, read.scale)
    finally:
        profile.close()


def settings(content: bytes, folder: Path) -> None:
    """A TOML file for `--config`."""
    path = folder / "config.toml"
    path.write_bytes(content)
    Config.load(path)


def manifest(content: bytes, folder: Path) -> None:
    """A models folder's manifest."""
    (folder / "manifest.toml").write_bytes(content)
    read_manifest(folder)


def import_folder(content: bytes, folder: Path) -> None:
    """An exported profile in which the first byte names the file that the others replace."""
    spoiled = _copy_of("exported", folder, lambda place: exported(place))
    names = sorted(str(p.relative_to(spoiled)) for p in spoiled.rglob("*") if p.is_file())
    name = names[content[0] % len(names)] if content else names[0]
    if name == "SHA256SUMS":
        (spoiled / name).write_bytes(content[1:])
    else:
        rewrite(spoiled, name, content[1:])
    profile = Profile(folder / "imported")
    try:
        import_profile(profile, spoiled, None)
    finally:
        profile.close()


def sealed_import(content: bytes, folder: Path) -> None:
    """The tar that is inside an encrypted export."""
    tar = folder / "it.tar"
    tar.write_bytes(content)
    unpack(tar, folder / "plain", tar)
    written = [path.lstat() for path in folder.rglob("*") if path != tar and not path.is_dir()]
    assert all(stat.S_ISREG(found.st_mode) for found in written)
    assert sum(found.st_size for found in written) <= len(content)


def web_request(content: bytes, folder: Path) -> None:
    """METHOD PATH, headers and a body, line by line; the first byte says who asks."""
    site = _Site.of(folder)
    status = site.ask(content)
    assert status < 500, f"the server failed with {status}"


# The waveform itself as the embedding, in ONNX.
SMALL_MODEL = base64.b64decode(
    "CAgSADpbChwKBWF1ZGlvEgllbWJlZGRpbmciCElkZW50aXR5EgFnWhkKBWF1ZGlvEhAKDggBEgoKAxIB"
    "YgoDEgFuYh0KCWVtYmVkZGluZxIQCg4IARIKCgMSAWIKAxIBbkIECgAQEQ=="
)
# By the first byte of the content.
ENDINGS = (".csv", ".txt", ".eaf", ".TextGrid", ".annotation", ".json")


def timed_labels(content: bytes, folder: Path) -> None:
    """A file of labels by time, in one of the formats of other programs."""
    path = folder / f"labels{ENDINGS[content[0] % len(ENDINGS)] if content else '.txt'}"
    path.write_bytes(content[1:])
    read_timed(path)


def model_file(content: bytes, folder: Path) -> None:
    """An ONNX file of a stranger's, as far as it is looked at before it runs."""
    choose_outputs(open_session(content), None, None)


TARGETS: dict[str, Target] = {
    "wav_header": wav_header,
    "recording": recording,
    "clip": clip,
    "standard_input": standard_input,
    "label_csv": label_csv,
    "settings": settings,
    "manifest": manifest,
    "import_folder": import_folder,
    "sealed_import": sealed_import,
    "web_request": web_request,
    "timed_labels": timed_labels,
    "model_file": model_file,
}


def try_one(name: str, content: bytes, folder: Path) -> bool:
    """Whether the target took it; False where it refused as it should. Raises where it crashed."""
    try:
        TARGETS[name](content, folder)
    except StreamerError:
        return False
    return True


def seeds(name: str) -> list[bytes]:
    """Something sound of every kind, to spoil."""
    audio = np.sin(np.arange(4_000) / 7).astype(np.float32) * 0.5
    match name:
        case "wav_header" | "standard_input":
            return [_sound(audio, "WAV", kind) for kind in ("PCM_16", "PCM_24", "FLOAT")]
        case "recording" | "clip":
            kinds = (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"))
            return [_sound(audio, *kind) for kind in kinds]
        case "label_csv":
            return [b"utterance,valence,arousal\n1,0.5,-0.5\n", b"utterance,emotion\n2,joy\n"]
        case "settings":
            return [b'buffer = 20\nstrategy = "margin"\n[segmentation]\n', b'privacy = "clips"\n']
        case "manifest":
            return [b'[[encoder]]\nname = "a"\nfile = "a.onnx"\nsha256 = "00"\nlicence = "x"\n']
        case "timed_labels":
            return [
                b"\0source,onset,offset,valence,arousal\na.wav,0.5,1.5,0.5,-0.5\n",
                b"\0010.5\t1.5\tjoy valence=0.5 arousal=-0.5\n",
                b'\5[{"data": {"audio": "a.wav"}, "annotations": [{"result": []}]}]',
                b'\4<?xml version="1.0"?><annotation><scheme name="a" type="FREE"/></annotation>',
                b'\3File type = "ooTextFile"\nObject class = "TextGrid"\n\n0\n2\n<exists>\n0\n',
            ]
        case "model_file":
            return [SMALL_MODEL]
        case "import_folder":
            return [bytes([n]) + b'{"id": 1, "utterance": 1}\n' for n in range(20)]
        case "sealed_import":
            return [_packed(kind) for kind in (tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT)]
        case _:
            return [
                b"\1GET /api/next?annotator=me\n\n",
                b'\1POST /api/labels\n\n{"utterance": 1, "annotator": "me", "valence": 0.5}',
                b'\1POST /api/asides\n\n{"kind": "skip", "utterance": 2, "annotator": "me"}',
                b'\1POST /api/undo\n\n{"annotator": "me"}',
                b"\1GET /clips/1/picture\n\n",
                b"\0GET /?token=abc\nhost: elsewhere\n\n",
            ]


def _packed(format: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as tar:
        for name in ("labels.jsonl", "clips/7.flac"):
            member = tarfile.TarInfo(name)
            member.size, member.mtime = 12, 0.5  # a fraction takes a header of its own, in PAX
            tar.addfile(member, io.BytesIO(b"twelve bytes"))
    return file.getvalue()


def _sound(audio: np.ndarray, format: str, subtype: str) -> bytes:
    file = io.BytesIO()
    soundfile.write(file, audio, 16_000, subtype, format=format)
    return file.getvalue()


def _profile_with_questions(folder: Path) -> Profile:
    def made(place: Path) -> Path:
        fill(place / "asked", 5, 2)
        return place / "asked"

    return Profile(_copy_of("asked", folder, made))


_made: dict[str, Path] = {}


def _copy_of(name: str, folder: Path, make: Callable[[Path], Path]) -> Path:
    """What takes long to make is made once a process, and copied."""
    if name not in _made or not _made[name].is_dir():
        place = folder.parent / f"made-{name}-{os.getpid()}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        _made[name] = make(place)
    return Path(shutil.copytree(_made[name], folder / name))


class _Site:
    """The pages of a profile with questions, asked in this process, without a socket."""

    _one: "_Site | None" = None

    def __init__(self, folder: Path) -> None:
        profile = _profile_with_questions(folder)
        profile.close()
        worker = StoreWorker(Config(profile=str(profile.folder)), profile.folder, EventHub())
        self._auth = Auth(
            make_site(worker), is_ours=lambda host: host == "me", scheme="http", cookie="c"
        )
        self._loop = asyncio.new_event_loop()

    @classmethod
    def of(cls, folder: Path) -> "_Site":
        if cls._one is None:
            home = folder.parent / f"site-{os.getpid()}"
            home.mkdir(exist_ok=True)
            cls._one = cls(home)
        return cls._one

    def ask(self, content: bytes) -> int:
        head, _, body = content[1:].partition(b"\n\n")
        first, *lines = head.split(b"\n")
        method, _, target = first.partition(b" ")
        path, _, query = target.partition(b"?")
        headers = [tuple(line.split(b": ", 1)) for line in lines if b": " in line]
        if content[:1] == b"\1":
            cookie = f"c={self._auth._key}".encode()
            headers += [(b"host", b"me"), (b"origin", b"http://me"), (b"cookie", cookie)]
            headers += [(b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method.decode("latin-1"),
            "path": path.decode("latin-1") or "/",
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "scheme": "http",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        if path == b"/events":
            return 200  # it never ends
        return self._loop.run_until_complete(self._send(scope, body))

    async def _send(self, scope: dict[str, object], body: bytes) -> int:
        statuses: list[int] = []

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(int(str(message["status"])))

        await self._auth(scope, receive, send)  # type: ignore[arg-type]
        return statuses[0]

"""Whatever a header says: all samples are heard, by file and by pipe, or the rest is named."""

import os
import shutil
import struct
import subprocess
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.sources.ogg import PageCounter
from streamer.audio.sources.open import open_source
from streamer.audio.sources.stdin import StdinSource
from streamer.errors import UnreadableAudio
from streamer.types import Samples
from tests.audio.hearing import HeardAll, hear_all

RATE_HZ = 16_000
SECONDS = 9


def tone(seconds: float = SECONDS) -> Samples:
    """What no decoder can take for something else: a sweep, with a little noise."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    rng = np.random.default_rng(4)
    sweep = 0.3 * np.sin(2 * np.pi * (200 * t + 20 * t**2))
    return (sweep + 0.001 * rng.standard_normal(len(t))).astype(np.float32)


RAW = (tone() * 32767).astype("<i2").tobytes()


def wav(size: int, tail: bytes = b"", magic: bytes = b"RIFF", ds64: int | None = None) -> bytes:
    fmt = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, RATE_HZ * 2, 2, 16)
    long = b"" if ds64 is None else b"ds64" + struct.pack("<IQQQI", 28, 0, ds64, 0, 0)
    data = b"data" + struct.pack("<I", size)
    return (
        magic
        + struct.pack("<I", (36 + size) & 0xFFFF_FFFF)
        + b"WAVE"
        + long
        + fmt
        + data
        + RAW
        + tail
    )


GARBAGE = np.random.default_rng(5).bytes(40_000)
LIST = b"LIST" + struct.pack("<I", 26) + b"INFOISFT" + struct.pack("<I", 14) + b"Lavf61.7.100\0\0"
WHOLE = len(RAW) // 2

# content, samples that are to be heard, and what is to be said of them.
WAVS: dict[str, tuple[bytes, int, list[str]]] = {
    "right": (wav(len(RAW)), WHOLE, []),
    "size 0": (wav(0), WHOLE, []),
    "size all ones": (wav(0xFFFF_FFFF), WHOLE, []),
    "size of 3 s": (wav(3 * RATE_HZ * 2), WHOLE, ["general"]),
    "size of half a sample more": (wav(len(RAW) - 1), WHOLE - 1, []),
    "size absurd": (wav(0x6000_0000), WHOLE, ["undecoded"]),
    "metadata after": (wav(len(RAW), LIST), WHOLE, []),
    "garbage after": (wav(len(RAW), GARBAGE), WHOLE, ["undecoded"]),
    "joined": (wav(len(RAW)) * 2, 2 * WHOLE, []),
    "joined with metadata": (wav(len(RAW), LIST) * 3, 3 * WHOLE, []),
    "RF64 by a pipe": (wav(0xFFFF_FFFF, magic=b"RF64", ds64=0), WHOLE, []),
    "RF64": (wav(0xFFFF_FFFF, magic=b"RF64", ds64=len(RAW)), WHOLE, []),
    "RF64 all ones": (wav(0xFFFF_FFFF, magic=b"RF64", ds64=2**64 - 1), WHOLE, []),
}


def piped(content: bytes) -> HeardAll:
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return hear_all(StdinSource(reading))
    finally:
        writer.join()
        os.close(reading)


def filed(path: Path, content: bytes) -> HeardAll:
    path.write_bytes(content)
    return hear_all(open_source(path))


@pytest.mark.parametrize("name", WAVS)
def test_a_wav_is_heard_whole_whatever_its_header_says(tmp_path: Path, name: str) -> None:
    content, count, said = WAVS[name]
    expected = np.frombuffer(RAW, "<i2")[:count] / np.float32(32768)
    for heard in (filed(tmp_path / "a.wav", content), piped(content)):
        (samples,) = heard.samples.values()
        assert len(samples) == count
        np.testing.assert_array_equal(samples[: len(expected), 0], expected)
        assert len(heard.notices) == len(said)


def made(tmp_path: Path, name: str, *options: str) -> bytes:
    """The tone, as ffmpeg writes it."""
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("needs ffmpeg, to write the file")
    soundfile.write(tmp_path / "tone.wav", tone(), RATE_HZ)
    out = tmp_path / name
    words = [program, "-v", "error", "-y", "-i", str(tmp_path / "tone.wav"), *options, str(out)]
    subprocess.run(words, check=True)
    return out.read_bytes()


def seconds_of(heard: HeardAll) -> float:
    (samples,) = heard.samples.values()
    (rate_hz,) = heard.rates_hz.values()
    return len(samples) / rate_hz


@pytest.mark.parametrize("quality", ["0", "4", "9"])
def test_mp3_of_variable_rate_without_a_length(tmp_path: Path, quality: str) -> None:
    content = made(tmp_path, "a.mp3", "-q:a", quality, "-write_xing", "0")
    heard = filed(tmp_path / "b.mp3", content)
    assert seconds_of(heard) == pytest.approx(SECONDS, abs=0.15)
    assert heard.notices == []


@pytest.mark.parametrize("tail", [b"", GARBAGE, b"TAG" + bytes(125)], ids=["", "garbage", "tag"])
@pytest.mark.parametrize("times", [1, 2, 3])
def test_joined_mp3(tmp_path: Path, times: int, tail: bytes) -> None:
    content = made(tmp_path, "a.mp3", "-b:a", "48k") * times + tail
    heard = filed(tmp_path / "b.mp3", content)
    assert seconds_of(heard) == pytest.approx(times * SECONDS, abs=0.15 * times)
    assert len(heard.notices) == (tail == GARBAGE)


@pytest.mark.parametrize(("name", "codec"), [("a.ogg", "libvorbis"), ("a.opus", "libopus")])
def test_chained_ogg(tmp_path: Path, name: str, codec: str) -> None:
    content = made(tmp_path, name, "-c:a", codec)
    heard = filed(tmp_path / f"b{name}", content * 3)
    assert seconds_of(heard) == pytest.approx(3 * SECONDS, abs=0.05)
    assert heard.notices == []


@pytest.mark.parametrize("before", [b"", GARBAGE], ids=["alone", "in the middle too"])
def test_an_ogg_pipe_names_what_is_no_page(tmp_path: Path, before: bytes) -> None:
    one = made(tmp_path, "a.ogg", "-c:a", "libvorbis")
    content = one + before + one + GARBAGE
    heard = filed(tmp_path / "b.ogg", content), piped(content)
    expected = [f"{len(before + GARBAGE):,} bytes are not audio and were skipped"]
    for one_heard in heard:
        assert seconds_of(one_heard) == pytest.approx(2 * SECONDS, abs=0.1)
        assert [text.partition(": ")[2] for text in one_heard.notices] == expected
    assert piped(one).notices == []


@settings(max_examples=20)
@given(cuts=st.lists(st.integers(0, 700), max_size=12))
def test_pages_are_counted_whatever_the_reads(cuts: list[int]) -> None:
    page = b"OggS" + bytes(22) + bytes([2, 100, 7]) + bytes(107)
    content = b"xxOg" + page + page + b"OggX" + page + b"OggS" + bytes(5)
    counter = PageCounter()
    for start, end in pairwise([0, *sorted(cuts), len(content)]):
        counter.feed(content[start:end])
    counter.finish()
    assert counter.unknown == 4 + 4 + 9


def test_joined_flac(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", tone(), RATE_HZ)
    heard = filed(tmp_path / "b.flac", (tmp_path / "a.flac").read_bytes() * 3)
    assert seconds_of(heard) == 3 * SECONDS
    assert heard.notices == []


def test_chained_ogg_of_two_rates(tmp_path: Path) -> None:
    first = made(tmp_path, "a.ogg", "-c:a", "libvorbis", "-ar", "22050")
    second = made(tmp_path, "b.ogg", "-c:a", "libvorbis")
    (tmp_path / "c.ogg").write_bytes(first + second)
    rates: dict[int, int] = {}
    for chunk in open_source(tmp_path / "c.ogg"):
        rates[chunk.rate_hz] = rates.get(chunk.rate_hz, 0) + len(chunk.samples)
    assert rates == {
        22_050: pytest.approx(SECONDS * 22_050, abs=500),
        16_000: pytest.approx(SECONDS * 16_000, abs=500),
    }


MEDIA = [
    ("phone.m4a", ["-c:a", "aac"]),
    ("lossless.m4a", ["-c:a", "alac"]),
    ("adts.aac", ["-c:a", "aac"]),
    ("browser.webm", ["-c:a", "libopus"]),
    ("windows.wma", []),
    ("dvd.ac3", ["-ar", "48000"]),
    ("mac.caf", []),
    ("unix.au", []),
    ("sony.w64", []),
    ("apple.aiff", []),
    ("a.flac", []),
    ("a.ogg", ["-c:a", "libvorbis"]),
    ("a.mp3", []),
    ("law.wav", ["-c:a", "pcm_mulaw"]),
    ("adpcm.wav", ["-c:a", "adpcm_ms"]),
]


@pytest.mark.parametrize(("name", "options"), MEDIA, ids=[name for name, _ in MEDIA])
@pytest.mark.parametrize("how", ["file", "pipe"])
def test_what_phones_browsers_and_macs_record(
    tmp_path: Path, name: str, options: list[str], how: str
) -> None:
    pytest.importorskip("av", reason="needs PyAV: pip install 'streamer[media]'")
    content = made(tmp_path, name, *options)
    heard = piped(content) if how == "pipe" else hear_all(open_source(tmp_path / name))
    assert seconds_of(heard) == pytest.approx(SECONDS, abs=0.15)
    (samples,) = heard.samples.values()
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.3 / np.sqrt(2), rel=0.1)
    assert heard.notices == []


@pytest.mark.parametrize("how", ["file", "pipe"])
def test_without_a_decoder_it_is_refused_by_what_it_is(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = made(tmp_path, "phone.m4a", "-c:a", "aac")
    from streamer.audio.sources import recording

    monkeypatch.setattr(recording, "can_open_media", lambda: False)
    with pytest.raises(UnreadableAudio, match=r"is MPEG-4 audio.*streamer\[media\]"):
        piped(content) if how == "pipe" else open_source(tmp_path / "phone.m4a")


def test_the_program_ffmpeg_stands_in_for_pyav(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, "phone.m4a", "-c:a", "aac")
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    heard = hear_all(open_source(tmp_path / "phone.m4a"))
    assert seconds_of(heard) == pytest.approx(SECONDS, abs=0.15)


@pytest.mark.parametrize("scale", [30_000.0, 8_000_000.0, 2_000_000_000.0])
@pytest.mark.parametrize("how", ["file", "pipe"])
def test_float_samples_that_are_integers_are_scaled_and_said(
    tmp_path: Path, scale: float, how: str
) -> None:
    quiet = np.zeros(RATE_HZ, np.float32)
    samples = np.concatenate([quiet, tone()]) * np.float32(scale)
    soundfile.write(tmp_path / "a.wav", samples, RATE_HZ, subtype="FLOAT")
    path = tmp_path / "a.wav"
    heard = piped(path.read_bytes()) if how == "pipe" else hear_all(open_source(path))
    (found,) = heard.samples.values()
    assert 0.2 < np.abs(found).max() <= 1.0
    assert len(heard.notices) == 1
    assert "divided by" in heard.notices[0]


OTHERS: dict[str, Callable[[], bytes]] = {
    "a PDF document": lambda: b"%PDF-1.4\n" + GARBAGE,
    "a ZIP archive": lambda: b"PK\x03\x04" + GARBAGE,
    "text": lambda: b"nothing that sounds\n" * 300,
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_is_no_sound_is_refused_by_what_it_is(tmp_path: Path, what: str) -> None:
    content = OTHERS[what]()
    for listen in (lambda: filed(tmp_path / "a.wav", content), lambda: piped(content)):
        with pytest.raises(UnreadableAudio, match=what):
            listen()

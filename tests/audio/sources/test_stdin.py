import contextlib
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.audio.sources.stdin import StdinSource
from streamer.errors import UnreadableAudio
from streamer.types import Chunk
from tests.audio.hearing import HeardAll, hear_all, noise


def piped(content: bytes, *, piece: int = 10_000) -> HeardAll:
    """Hears `content` through a real pipe, written in pieces."""
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb", buffering=0) as pipe:
            for start in range(0, len(content), piece):
                pipe.write(content[start : start + piece])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        return hear_all(StdinSource(reading))
    finally:
        writer.join()
        os.close(reading)


@pytest.fixture
def open_pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        with contextlib.suppress(OSError):
            os.close(end)


def wav(
    samples: bytes, size: int, *, encoding: int = 1, bits: int = 16, channels: int = 1
) -> bytes:
    frame = channels * bits // 8
    header = struct.pack("<IHHIIHH", 16, encoding, channels, 16_000, 16_000 * frame, frame, bits)
    return b"RIFF\xff\xff\xff\xffWAVEfmt " + header + b"data" + struct.pack("<I", size) + samples


@pytest.mark.parametrize("piece", [1, 3, 999, 100_000])
def test_raw_samples_are_heard_however_they_are_cut(piece: int) -> None:
    samples = noise(5_000)
    raw = (samples * 32768).astype("<i2").tobytes()
    heard = piped(raw, piece=piece)
    assert np.array_equal(heard.samples["stdin"], samples)
    assert heard.rates_hz == {"stdin": 16_000}
    odd = piped(raw + b"\x01", piece=piece)
    assert np.array_equal(odd.samples["stdin"], samples)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize(("format_name", "channels"), [("WAV", 1), ("WAVEX", 2), ("RF64", 2)])
def test_wav_is_heard_as_from_a_file(
    tmp_path: Path, format_name: str, channels: int, subtype: str
) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(9_001, channels), 22_050, format=format_name, subtype=subtype)
    heard = piped(path.read_bytes(), piece=777)
    from_file, _ = soundfile.read(path, dtype="float32", always_2d=True)
    assert np.array_equal(heard.samples["stdin"], from_file)
    assert heard.rates_hz == {"stdin": 22_050}
    assert heard.notices == []


@pytest.mark.parametrize("size", [0, 0xFFFF_FFFF, 0x7FFF_FFFF, 0x8000_0000])
def test_wav_of_unknown_length_lasts_until_the_pipe_ends(size: int) -> None:
    samples = noise(4_000)
    heard = piped(wav((samples * 32768).astype("<i2").tobytes() + b"\x07", size))
    assert np.array_equal(heard.samples["stdin"], samples)
    assert heard.notices == []


def test_chunks_after_the_samples_are_no_sound_and_a_second_file_is() -> None:
    samples = (noise(4_000) * 32768).astype("<i2").tobytes()
    heard = piped(wav(samples, len(samples)) + b"LIST\x04\x00\x00\x00abcd")
    assert len(heard.samples["stdin"]) == 4_000
    assert heard.notices == []
    twice = piped(2 * wav(samples, len(samples)))
    assert np.array_equal(twice.samples["stdin"], np.tile(heard.samples["stdin"], (2, 1)))
    assert twice.notices == []


def test_wav_that_is_cut_short_is_said() -> None:
    heard = piped(wav(bytes(16_000), 64_000))
    assert len(heard.samples["stdin"]) == 8_000
    assert heard.notices == ["standard input: cut short: 2.00 s promised, 0.50 s there"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\x01", "is empty"),
        (wav(b"", 0), "held no samples"),
        (wav(b"\x01", 0), "held no samples"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "standard input cannot be read as audio"),
        (wav(b"", 8)[:30], "header ends before its samples"),
        (wav(b"", 8)[:40], "header ends before its samples"),
        (b"RIFF\x00\x00\x00\x00WAVEdata\x08\x00\x00\x00" + bytes(8), "does not say"),
        (wav(bytes(100), 100, encoding=0x5555, bits=8), "standard input cannot be read as audio"),
        (wav(bytes(100), 100, channels=0), "0 channels"),
        (b"RIFF\x00\x00\x00\x00WAVEjunk\xff\xff\xff\x7f", "bytes of b'junk'"),
        (b"fLaC" + bytes(100), "standard input (cannot be|is FLAC)"),
        (b"OggS" + bytes(100), "standard input (cannot be|is Ogg)"),
        (b"ID3\x04" + bytes(100), "standard input (cannot be|is MP3)"),
        (b"%PDF-1.7" + bytes(100), "is a PDF document, not audio"),
        (b"\x89PNG" + bytes(100), "is a PNG picture, not audio"),
        (b"utterance,valence\n1,0.5\n" * 9, "is text, not audio"),
        (np.random.default_rng(0).bytes(9_000), "no format that is known"),
    ],
)
def test_what_cannot_be_heard_is_refused_with_the_remedy(content: bytes, said: str) -> None:
    with pytest.raises(UnreadableAudio, match=said) as refused:
        piped(content)
    assert "; " in str(refused.value)


def test_a_slow_pipe_ticks(open_pipe: tuple[int, int]) -> None:
    reading, writing = open_pipe
    os.write(writing, bytes(640))
    source = StdinSource(reading)
    began_s = time.monotonic()
    lengths = []
    for item in source:
        assert isinstance(item, Chunk)
        lengths.append(len(item.samples))
        if time.monotonic() - began_s > 0.5:
            break
    assert lengths[0] == 320
    assert 4 <= lengths.count(0) <= 7
    source.close()
    source.close()


def test_memory_is_bounded_where_the_writer_is_fast(open_pipe: tuple[int, int]) -> None:
    reading, writing = open_pipe
    os.set_blocking(writing, False)
    os.write(writing, bytes(1000))
    source = StdinSource(reading)
    written = idle = 0
    while idle < 30:
        try:
            written += os.write(writing, bytes(65_536))
            idle = 0
        except BlockingIOError:
            idle += 1
            time.sleep(0.01)
    assert written < 4_000_000
    os.close(writing)
    assert (
        sum(len(item.samples) for item in source if isinstance(item, Chunk)) * 2 == written + 1000
    )


def test_a_real_process_hears_its_standard_input(tmp_path: Path) -> None:
    program = (
        "from streamer.audio.sources.open import open_source\n"
        "from streamer.types import Chunk\n"
        "source = open_source('-')\n"
        "print(source.kind, source.name, source.rate_hz, source.channels)\n"
        "print(sum(len(item.samples) for item in source if isinstance(item, Chunk)))\n"
    )
    soundfile.write(tmp_path / "a.wav", noise(50_000, 2), 48_000)
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=(tmp_path / "a.wav").read_bytes(),
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[3],
        timeout=30,
    )
    assert done.stdout.decode().split() == ["stdin", "stdin", "48000", "2", "50000"]

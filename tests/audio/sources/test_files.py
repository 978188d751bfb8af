import math
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from streamer.audio.sources import libsndfile, wav_file
from streamer.audio.sources.files import FileSource
from streamer.audio.sources.open import open_source
from streamer.audio.sources.recording import Recording
from streamer.errors import UnreadableAudio, UsageError
from streamer.types import Chunk
from tests.audio.hearing import hear_all, noise

SUFFIX = {"WAVEX": "wav"}
FORMATS = [
    (format_name, subtype)
    for format_name in ("WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64")
    for subtype in soundfile.available_subtypes(format_name)
    # libsndfile lists these and cannot write them, or cannot read back what it wrote.
    if subtype not in ("MPEG_LAYER_I", "MPEG_LAYER_II") and not subtype.startswith("DWVW")
    if (format_name, subtype) != ("WAV", "MPEG_LAYER_III")
]


@pytest.mark.parametrize(("format_name", "subtype"), FORMATS)
def test_every_format_that_can_be_written_is_heard_whole(
    tmp_path: Path, format_name: str, subtype: str
) -> None:
    path = tmp_path / f"noise.{SUFFIX.get(format_name, format_name.lower())}"
    soundfile.write(path, noise(40_017), 16_000, format=format_name, subtype=subtype)
    heard = hear_all(open_source(path))
    whole, _ = soundfile.read(path, dtype="float32", always_2d=True)
    assert heard.samples["noise" + path.suffix].shape == whole.shape
    assert len(whole) >= 40_017
    assert np.abs(heard.samples[path.name] - whole).max() < 1e-6
    assert heard.notices == []
    assert heard.longest_chunk_s <= 0.5


@pytest.mark.parametrize("channels", [1, 2, 8])
@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_every_rate_and_channel_is_delivered_bit_for_bit(
    tmp_path: Path, rate_hz: int, channels: int
) -> None:
    samples = noise(rate_hz + 13, channels)
    soundfile.write(tmp_path / "a.flac", samples, rate_hz)
    source = open_source(tmp_path / "a.flac")
    assert (source.kind, source.rate_hz, source.channels) == ("file", rate_hz, channels)
    heard = hear_all(source)
    assert np.array_equal(heard.samples["a.flac"], samples)
    assert heard.rates_hz == {"a.flac": rate_hz}


@pytest.mark.parametrize(
    ("suffix", "rate_hz"), [("opus", 48_000), ("ogg", 44_100), ("mp3", 44_100)]
)
def test_compressed_audio_keeps_its_sound(tmp_path: Path, suffix: str, rate_hz: int) -> None:
    seconds = np.arange(3 * rate_hz) / rate_hz
    tone = (0.4 * np.sin(2 * np.pi * 440 * seconds)).astype(np.float32)
    path = tmp_path / f"tone.{suffix}"
    options = {"format": "OGG", "subtype": "OPUS"} if suffix == "opus" else {}
    soundfile.write(path, tone, rate_hz, **options)
    samples = hear_all(open_source(path)).samples[path.name][:, 0]
    middle = slice(rate_hz // 4, -rate_hz // 4)
    assert np.abs(samples[middle] - tone[middle]).max() < 0.02


def test_folder_is_heard_in_the_order_of_its_paths(tmp_path: Path) -> None:
    rates_hz = {"b.wav": 8_000, "a/z.flac": 16_000, "c/d/e.ogg": 22_050}
    for name, rate_hz in rates_hz.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(tmp_path / name, noise(rate_hz), rate_hz)
    (tmp_path / "a" / "broken.wav").write_bytes(b"RIFF, not really")
    (tmp_path / "c" / "empty.flac").touch()
    (tmp_path / "notes.txt").write_text("no audio")
    (tmp_path / ".hidden").mkdir()
    soundfile.write(tmp_path / ".hidden" / "h.wav", noise(100), 8_000)
    soundfile.write(tmp_path / ".h.wav", noise(100), 8_000)
    source = open_source(tmp_path)
    assert (source.rate_hz, source.channels) == (16_000, 1)
    heard = hear_all(source)
    assert list(heard.rates_hz.items()) == [
        ("a/z.flac", 16_000), ("b.wav", 8_000), ("c/d/e.ogg", 22_050)
    ]  # fmt: skip
    assert {name: len(samples) for name, samples in heard.samples.items()} == heard.rates_hz
    assert [text.split()[:2] for text in heard.notices] == [
        ["skipped,", "not"],
        ["skipped:", str(tmp_path / "a" / "broken.wav")],
        ["skipped:", str(tmp_path / "c" / "empty.flac")],
    ]


def test_what_a_folder_holds_beside_audio_is_counted_and_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(1_000), 16_000)
    soundfile.write(tmp_path / "no suffix", noise(1_000), 16_000, format="FLAC")
    for k in range(7):
        (tmp_path / f"labels{k}.csv").write_text("utterance,valence\n")
    heard = hear_all(open_source(tmp_path))
    assert list(heard.samples) == ["a.wav", "no suffix"]
    (said,) = heard.notices
    assert "7 files" in said
    assert "labels0.csv" in said
    assert "and 2 more" in said


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("none.wav", None, "does not exist; give a file or folder"),
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"this is a text, and no audio at all" * 10, "cannot be read as audio"),
        ("sound.raw", bytes(1000), "pipe it as raw"),
        ("sound.mp3", b"ID3" + bytes(500), "cannot be read as audio"),
    ],
)
def test_what_is_no_audio_is_refused_with_the_remedy(
    tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnreadableAudio, match=said) as refused:
        open_source(tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == 3


def test_recording_without_samples_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(0), 16_000)
    with pytest.raises(UnreadableAudio, match=r"a\.wav holds no samples"):
        open_source(tmp_path / "a.wav")


def test_folder_without_audio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableAudio, match="no file has a known suffix"):
        open_source(tmp_path)
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(UnreadableAudio, match=r"broken\.wav cannot be read"):
        open_source(tmp_path)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT"])
def test_wav_that_is_cut_short_is_heard_to_its_end_and_said(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "cut.wav"
    samples = noise(32_000, 2)
    soundfile.write(path, samples, 16_000, subtype=subtype)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 6 // 10])
    heard = hear_all(open_source(path))
    there = heard.samples["cut.wav"]
    assert 19_000 < len(there) <= 19_200
    assert np.array_equal(there, samples[: len(there)])
    assert heard.notices == [
        f"cut.wav: cut short: 2.00 s promised, {len(there) / 16_000:.2f} s there"
    ]


def test_flac_that_breaks_off_is_heard_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "cut.flac"
    samples = noise(160_000)
    soundfile.write(path, samples, 16_000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    heard = hear_all(open_source(tmp_path))
    there = heard.samples["cut.flac"]
    assert len(there) > 70_000
    assert np.array_equal(there, samples[: len(there)])
    assert len(heard.notices) == 1
    assert "cut.flac: broken after" in heard.notices[0]


def test_single_file_of_which_nothing_decodes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.flac"
    soundfile.write(path, noise(16_000), 16_000)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(UnreadableAudio, match=r"cut\.flac"):
        hear_all(open_source(path))


@pytest.mark.parametrize("size", [0xFFFF_FFFF, 0x7FFF_FFFF])
def test_wav_of_unknown_length_is_no_cut_one(tmp_path: Path, size: int) -> None:
    path = tmp_path / "pipe.wav"
    soundfile.write(path, noise(16_000), 16_000, subtype="PCM_16")
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", size)
    path.write_bytes(content)
    heard = hear_all(open_source(path))
    assert np.array_equal(heard.samples["pipe.wav"], noise(16_000))
    assert heard.notices == []


def test_samples_that_are_no_numbers_are_silence_and_said(tmp_path: Path) -> None:
    samples = noise(32_000, 2)
    samples[10, 0] = np.nan
    samples[11, 1] = np.inf
    samples[20_000] = -np.inf
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "b.wav", noise(100), 16_000)
    heard = hear_all(open_source(tmp_path))
    expected = np.where(np.isfinite(samples), samples, 0)
    assert np.array_equal(heard.samples["a.wav"], expected)
    assert heard.notices == [
        "a.wav: 2 samples are not numbers and replaced by silence",
        "a.wav: 4 samples are not numbers and replaced by silence",
    ]


def test_float_samples_beyond_full_scale_are_kept(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", 8 * noise(1_000), 16_000, subtype="FLOAT")
    heard = hear_all(open_source(tmp_path / "loud.wav"))
    assert np.array_equal(heard.samples["loud.wav"], 8 * noise(1_000))


def test_realtime_hands_out_each_block_when_a_microphone_would(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, noise(8_000), 16_000)
    now_s = 50.0
    longest_sleep_s = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now_s, longest_sleep_s
        now_s += seconds
        longest_sleep_s = max(longest_sleep_s, seconds)

    source = FileSource(tmp_path, realtime=True, clock=lambda: now_s, sleep=sleep)
    heard = 0
    for item in source:
        assert isinstance(item, Chunk)
        heard += len(item.samples)
        assert now_s == pytest.approx(50 + heard / 16_000)
    assert heard == 16_000
    assert longest_sleep_s <= 0.1 + 1e-9


def test_a_long_recording_needs_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    minute = noise(8_000 * 60)
    with soundfile.SoundFile(tmp_path / "long.flac", "w", 8_000, 1) as file:
        for _ in range(20):
            file.write(minute)
    tracemalloc.start()
    heard = sum(
        len(item.samples) for item in open_source(tmp_path / "long.flac") if isinstance(item, Chunk)
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert heard == 20 * len(minute)
    assert peak < 2_000_000


def test_closing_ends_the_iteration_and_may_be_repeated(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(160_000), 16_000)
    source = open_source(tmp_path)
    heard = 0
    for item in source:
        assert isinstance(item, Chunk)
        heard += len(item.samples)
        source.close()
        source.close()
    assert heard == 8_000


def test_a_channel_that_is_not_there_is_refused_at_once(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(100, 2), 16_000)
    open_source(tmp_path / "a.wav", channel=2).close()
    with pytest.raises(UsageError, match="channels 1 to 2"):
        open_source(tmp_path / "a.wav", channel=3)


def test_shared_recordings_are_heard_to_the_last_sample() -> None:
    folder = Path(__file__).parents[3] / "../shared/data/wav"
    if not folder.is_dir():
        pytest.skip("no shared recordings here")
    heard = hear_all(open_source(folder))
    assert len(heard.samples) > 20
    for name, samples in heard.samples.items():
        described = soundfile.info(folder / name)
        assert samples.shape == (described.frames, described.channels)
        assert math.isfinite(float(samples.sum()))
    assert heard.notices == ["skipped, not audio: 1 file (session_48k.csv)"]


@pytest.mark.parametrize("rate_hz", [8, 999, 768_001, 1_179_205_248])
def test_a_rate_that_no_microphone_has_is_refused(tmp_path, rate_hz):
    path = tmp_path / "odd.wav"
    soundfile.write(path, np.zeros(1_000), 16_000)
    content = bytearray(path.read_bytes())
    content[24:28] = rate_hz.to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(UnreadableAudio, match=f"{rate_hz:,} samples a second"):
        FileSource(path)


def test_many_channels_take_no_more_memory(tmp_path, monkeypatch):
    for module in (libsndfile, wav_file):
        monkeypatch.setattr(module, "MOST_VALUES", 4_000)
    path = tmp_path / "wide.wav"
    soundfile.write(path, np.zeros((1_000, 64)), 16_000)
    blocks = list(Recording(path).blocks(8_000))
    assert max(block.size for block in blocks) <= 4_000
    assert sum(len(block) for block in blocks) == 1_000

"""A table of recordings holds what `run` says of them, in whichever order and processes."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile

import streamer
from streamer.config import Config
from streamer.errors import UnreadableAudio, UsageError
from streamer.events import Heard
from streamer.loop.loop import Loop
from streamer.loop.table.columns import Contents
from streamer.loop.table.table import make_request, write_table
from streamer.testing import synthetic_session
from streamer.types import DIMENSIONS

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Two folders of two recordings, each of some utterances."""
    folder = tmp_path_factory.mktemp("recordings")
    for k, name in enumerate(["ann/1.wav", "ann/2.flac", "bea/1.wav", "bea/2.wav"]):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        audio, _ = synthetic_session(np.random.default_rng(k), 2)
        soundfile.write(path, audio, RATE_HZ)
    return folder


@pytest.fixture(scope="module")
def taught(tmp_path_factory, session_file):
    """A profile with labels on both sides of 0, and an enrolled emotion."""
    folder = tmp_path_factory.mktemp("profiles") / "taught"
    with Loop(session_file, folder, buffer=4, keep=1.0) as loop:
        for event in loop:
            if isinstance(event, Heard):
                high = event.id % 2 == 0
                loop.label(
                    event.id,
                    valence=0.6 if high else -0.6,
                    arousal=0.4 if high else -0.5,
                    emotion="joy" if high else None,
                )
    return folder


def heard(source, profile: Path, tmp_path: Path, **settings) -> list[dict]:
    """What a session says of each utterance, on a copy of the profile, as columns of a table."""
    copy = tmp_path / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(profile, copy)
    rows = []
    for event in Loop(source, copy, again=True, **settings):
        if isinstance(event, Heard):
            row = {"onset_s": event.onset_s, "offset_s": event.offset_s}
            for name in DIMENSIONS:
                one = getattr(event.prediction, name)
                row |= {name: one.mean, f"{name}_low": one.low, f"{name}_high": one.high}
            row |= {
                "emotion": event.verdict.emotion,
                "emotion_distance": event.verdict.distance,
                "emotion_own": event.verdict.own,
                "informativeness": event.informativeness,
                "level_dbfs": event.quality.level_dbfs,
                "snr_db": event.quality.snr_db,
                "clipped": event.quality.clipped,
                "trust": event.quality.trust,
            }
            rows.append(row | {f"distance_{n}": d for n, d in event.verdict.distances.items()})
    return rows


def without(rows: list[dict], *names: str) -> list[dict]:
    return [{k: v for k, v in row.items() if k not in names} for row in rows]


def test_each_recording_has_the_rows_that_run_gives_it(recordings, taught, tmp_path):
    rows = list(streamer.table(recordings, profile=taught))
    files = sorted({row["file"] for row in rows})
    assert len(files) == 4
    assert any(row["emotion_own"] for row in rows)  # what the profile enrolled
    assert all(row["informativeness"] is not None for row in rows)  # and what it was answered
    for file in files:
        of_file = [row for row in rows if row["file"] == file]
        assert without(of_file, "file") == heard(Path(file), taught, tmp_path)


def test_a_folder_as_one_speaker_is_what_run_hears_of_the_folder(recordings, taught, tmp_path):
    rows = list(streamer.table(recordings, profile=taught, speaker="folder"))
    assert [Path(row["speaker"]).name for row in rows] == ["ann"] * 4 + ["bea"] * 4
    for name in ("ann", "bea"):
        of_folder = [row for row in rows if Path(row["speaker"]).name == name]
        expected = heard(recordings / name, taught, tmp_path)
        assert without(of_folder, "file", "speaker") == expected
    alone = list(streamer.table(recordings, profile=taught))
    assert without(rows, "speaker") != alone


def test_a_channel_as_one_speaker_is_what_run_hears_of_the_channel(recordings, taught, tmp_path):
    path = tmp_path / "both.wav"
    ann, _ = soundfile.read(recordings / "ann/1.wav")
    bea, _ = soundfile.read(recordings / "bea/1.wav")
    size = min(len(ann), len(bea))
    soundfile.write(path, np.stack([ann[:size], bea[:size]], axis=1), RATE_HZ)
    rows = list(streamer.table(path, profile=taught, speaker="channel"))
    for channel in (1, 2):
        of_channel = [row for row in rows if row["speaker"] == str(channel)]
        assert of_channel
        expected = heard(path, taught, tmp_path, channel=channel)
        assert without(of_channel, "file", "speaker") == expected


def test_the_profile_is_not_changed_and_a_missing_one_is_not_made(recordings, taught, tmp_path):
    before = (taught / "profile.db").stat().st_size
    list(streamer.table(recordings / "ann", profile=taught))
    assert (taught / "profile.db").stat().st_size == before
    missing = tmp_path / "missing"
    assert list(streamer.table(recordings / "ann/1.wav", profile=missing))
    assert not missing.exists()


def test_a_new_profile_and_none_say_the_same(recordings, tmp_path):
    path = recordings / "ann/1.wav"
    none = list(streamer.table(path))
    assert none == list(streamer.table(path, profile=tmp_path / "missing"))


def test_the_whole_recording_is_one_row_with_the_vector_of_all_of_it(recordings):
    path = recordings / "ann/1.wav"
    (row,) = streamer.table(path, whole=True, embeddings=True)
    audio, rate_hz = soundfile.read(path, dtype="float32")
    assert (row["onset_s"], row["offset_s"]) == (0.0, len(audio) / rate_hz)
    encoder = streamer.load_encoder()
    alike = np.corrcoef(row["embedding"], encoder(audio, rate_hz).embedding)[0, 1]
    assert alike > 0.999  # all but the offset and the hum that are removed


def test_a_recording_too_long_for_one_row_is_named(tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, np.random.default_rng(0).normal(0, 0.01, 61 * RATE_HZ), RATE_HZ)
    rows = streamer.table(path, whole=True)
    with pytest.warns(UserWarning, match="longer than 60 s"):
        assert list(rows) == []
    assert [fault.file for fault in rows.faults] == [str(path)]


def test_embeddings_and_functionals_are_those_of_the_encoders(recordings):
    rows = list(streamer.table(recordings / "ann/1.wav", embeddings=True, acoustic=True))
    named = list(streamer.table(recordings / "ann/1.wav", encoder="acoustic", embeddings=True))
    for row, acoustic in zip(rows, named, strict=True):
        assert len(row["embedding"]) == streamer.load_encoder().embedding_size
        assert row["sounds"].endswith("than usual") or row["sounds"] == "about as usual"
        functionals = [v for n, v in row.items() if n.startswith("acoustic_")]
        assert len(functionals) == len(acoustic["embedding"]) == 112
        for one, other in zip(functionals, acoustic["embedding"], strict=True):
            assert one is None or one == pytest.approx(other, rel=1e-6)
        assert np.array(row["embedding"], np.float32).astype(str).tolist() == [
            str(np.float32(v)) for v in row["embedding"]
        ]


def test_the_columns_are_those_of_the_rows_and_each_is_explained(recordings):
    rows = streamer.table(recordings / "ann", speaker="folder", embeddings=True)
    first = next(rows)
    rows.close()
    assert list(first) == [column.name for column in rows.columns]
    assert all(column.meaning for column in rows.columns)
    assert {c.unit for c in rows.columns if c.name.endswith("_s")} == {"s"}


def test_pandas_takes_it_as_it_is(recordings):
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.DataFrame(streamer.table(recordings / "ann"))
    assert len(frame) == 4
    assert frame["valence"].dtype == float
    assert frame["valence"].between(-1, 1).all()


def test_processes_give_the_same_rows_in_the_same_order(recordings, taught):
    assert list(streamer.table(recordings, profile=taught, jobs=2)) == list(
        streamer.table(recordings, profile=taught)
    )


def test_what_cannot_be_read_is_named_and_the_rest_is_there(recordings, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF\x00\x00\x00\x00WAVEjunk")
    missing = tmp_path / "missing.wav"
    rows = streamer.table([broken, recordings / "ann/1.wav", missing])
    with pytest.warns(UserWarning, match="broken.wav"):
        assert len(list(rows)) == 2
    assert [fault.file for fault in rows.faults] == [str(broken), str(missing)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(streamer.table(recordings / "ann/1.wav"))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"speaker": "voice"}, "choose folder or channel"),
        ({"speaker": "channel", "channel": 1}, "leave out the setting channel"),
        ({"jobs": 0}, "give 1 or more"),
    ],
)
def test_what_cannot_be_meant_is_refused(recordings, settings, says):
    with pytest.raises(UsageError, match=says):
        list(streamer.table(recordings, **settings))


def test_nothing_to_hear_is_an_error(tmp_path):
    with pytest.raises(UnreadableAudio, match="no recordings found"):
        streamer.table(tmp_path)


def test_a_recording_given_twice_is_one(recordings):
    path = recordings / "ann/1.wav"
    assert list(streamer.table([path, path, path.parent / "." / "1.wav"])) == list(
        streamer.table(path)
    )


def test_a_resumed_table_reads_only_what_is_missing_or_changed(recordings, tmp_path, monkeypatch):
    folder = tmp_path / "some"
    shutil.copytree(recordings, folder)
    out = tmp_path / "table.jsonl"
    request = make_request(Config.load(), [folder], Contents(), has_profile=False)

    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done * 2 >= total:
            raise Stopped

    with pytest.raises(Stopped):
        write_table(request, out, progress=stop)
    assert not out.exists()
    left = []
    write_table(request, out, progress=lambda done, total: left.append((done, total)))
    assert left[0][0] > 0  # some was done
    assert left[-1][0] == left[-1][1]
    whole = tmp_path / "whole.jsonl"
    write_table(request, whole)
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "some",
        "table.jsonl",
        "whole.jsonl",
    ]

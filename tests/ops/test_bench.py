"""This machine, measured: what is told, and that the profile is left alone."""

from streamer.encoders.registry import find_encoder
from streamer.ops.bench import Result, table
from tests.support import events_of

RESULT = Result(
    encoder="made", embedding_size=256, encode_ms={1.0: 4.0, 3.0: 10.04, 10.0: 33.0},
    learn_ms=0.25, predict_ms=0.05, audio_s=45.0, realtime_factor=0.02, latency_ms=11.0,
    latency_worst_ms=17.0, loaded_bytes=None, peak_bytes=139_000_000,
)  # fmt: skip


def test_the_table_is_markdown_with_every_figure():
    lines = table(RESULT, "a board").splitlines()
    assert all(line.count("|") == 3 for line in lines)
    told = "\n".join(lines)
    for figure in ("a board", "4.0 / 10.0 / 33.0 ms", "0.25 ms", "0.050 ms", "50.0 times", "11 ms"):
        assert figure in told, figure
    assert "unknown / 139 MB" in told


def test_the_verb_measures_this_machine_and_makes_no_profile(streamer, tmp_path):
    done = streamer("bench", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = events_of(done.stdout)
    assert row["encoder"] == find_encoder().name
    assert 0 < row["encode_ms"]["1.0"] < row["encode_ms"]["10.0"]
    assert row["audio_s"] > 30
    assert row["realtime_factor"] > 0
    assert row["predict_ms"] < row["latency_ms"] <= row["latency_worst_ms"]
    assert not (tmp_path / "profiles").exists()

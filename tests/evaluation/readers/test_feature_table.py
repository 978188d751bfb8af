import gzip

import numpy as np
import pytest

from streamer.errors import CorpusError
from streamer.evaluation.readers import read_corpus, read_feature_table
from streamer.evaluation.scales import ONE_TO_FIVE, Rating
from streamer.evaluation.splits import leave_one_session_out
from tests.evaluation.readers.corpus_files import SHARED, text

IEMOCAP = SHARED / "features" / "iemocap_egemaps47.csv.gz"
HEADER = "utterance,speaker,session,emotion,valence,arousal,dominance,start,end,f00,f01"
ROWS = (
    "a_1,ann,1,ang,1,5,3,0.5,2.25,0.25,-1e3",
    "b_1,ben,1,xxx,3,3,,0,1,0.5,2",
    "b_2,ben,2,,2,,,,,0.5,2",
)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("packed", [False, True])
def test_columns_become_clips_and_features(tmp_path, delimiter, packed):
    lines = "\n".join(line.replace(",", delimiter) for line in (HEADER, *ROWS))
    path = tmp_path / ("table.csv.gz" if packed else "table.csv")
    path.write_bytes(gzip.compress(lines.encode()) if packed else lines.encode())
    corpus = read_corpus("auto", path, ONE_TO_FIVE)
    first, second, third = corpus.clips
    assert corpus.name == "table"
    assert (first.utterance, first.speaker, first.session) == ("a_1", "ann", "1")
    assert (first.emotion, first.start_s, first.end_s) == ("angry", 0.5, 2.25)
    assert first.affect == Rating(-1.0, 1.0, 0.0)
    assert second.affect == Rating(0.0, 0.0, None)
    assert third.affect == Rating(-0.5, None, None)
    assert third.end_s is None
    assert corpus.feature_names == ("f00", "f01")
    np.testing.assert_array_equal(corpus.features, np.float32([[0.25, -1e3], [0.5, 2], [0.5, 2]]))
    # Rows with the same values came from the same samples.
    assert second.recording == third.recording != first.recording


def test_the_scale_must_be_stated(tmp_path):
    path = text(tmp_path / "t.csv", HEADER, *ROWS)
    with pytest.raises(CorpusError, match="unstated scale; state it with --scale LOW:HIGH"):
        read_corpus("auto", path)
    with pytest.raises(CorpusError, match="has a scale of its own"):
        read_corpus("auto", tmp_path, ONE_TO_FIVE)
    without = text(tmp_path / "u.csv", "utterance,speaker,emotion,f0", "a,ann,joy,1")
    assert read_corpus("auto", without).clips[0].emotion == "happy"


def test_another_prefix(tmp_path):
    path = text(tmp_path / "t.csv", "utt,speaker,egemaps_0,egemaps_1", "a,ann,1,2")
    assert read_feature_table(path, prefix="egemaps_").feature_names == ("egemaps_0", "egemaps_1")
    with pytest.raises(CorpusError, match=r"none named f0, f1, \.\.\.: it has utt, speaker, egem"):
        read_feature_table(path)


def test_faulty_rows_are_told(tmp_path):
    path = text(
        tmp_path / "t.csv",
        HEADER,
        ROWS[0],
        ROWS[0],
        "c_1,cleo,1,hap,1,2,3,0,1,half,1",
        "c_2,cleo,1,hap,1,2,3,0,1,nan,1",
        "c_3,cleo,1,hap,1,2,3,0,1",
        "c_4,cleo,1,hap,9,2,3,0,1,1,1",
    )
    corpus = read_feature_table(path, ONE_TO_FIVE)
    assert [clip.utterance for clip in corpus.clips] == ["a_1", "c_4"]
    assert len(corpus.features) == 2
    assert corpus.clips[1].affect.valence == 1.0
    assert sorted(fault.problem for fault in corpus.faults) == [
        "a feature that is not finite",
        "a rating off the scale 1 to 5, taken as its nearer end",
        "a row of more or fewer fields than the header",
        "a second clip of the same name",
        "a value that is no number",
    ]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x1f\x8bdamaged"])
def test_a_file_that_is_no_table(tmp_path, content):
    path = tmp_path / ("t.csv.gz" if content.startswith(b"\x1f") else "t.csv")
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"t\.csv"):
        read_corpus("auto", path)


@pytest.mark.skipif(not IEMOCAP.is_file(), reason="needs ../shared/data/features")
def test_the_real_table_of_iemocap():
    corpus = read_corpus("auto", IEMOCAP, ONE_TO_FIVE)
    assert len(corpus) == 10_039
    assert len(corpus.speakers) == 10
    assert corpus.features.shape == (10_039, 47)
    assert np.isfinite(corpus.affect()).all()
    assert "2510 without a usable emotion (xxx: 2507, oth: 3)" in corpus.summary()
    assert len(corpus.faults) == 7
    splits = leave_one_session_out(corpus)
    assert [split.name for split in splits] == [f"session 0{k}" for k in range(1, 6)]
    assert sum(len(split.test) for split in splits) == len(corpus)

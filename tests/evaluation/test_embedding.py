from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from streamer.errors import CorpusError, UsageError
from streamer.evaluation.embedding import embed
from streamer.evaluation.embedding_cache import cache_key
from streamer.evaluation.readers import read_corpus
from streamer.evaluation.sound import ClipSound
from streamer.evaluation.splits import linked
from tests.evaluation.corpora import Level, clip, corpus_of
from tests.evaluation.readers.corpus_files import wav


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for k in range(70):
        name = f"{3 + k // 10:02d}a{k % 10:02d}Wa.wav"
        wav(tmp_path / "emodb" / name, seconds=0.02 + 0.001 * k, seed=k)
    return tmp_path / "emodb"


def test_each_clip_gets_its_own_row(folder, tmp_path):
    corpus = read_corpus("emodb", folder)
    seen: list[tuple[int, int]] = []
    embedded = embed(
        corpus, Level, tmp_path / "cache", progress=lambda done, total: seen.append((done, total))
    )
    assert seen == [(0, 70), (32, 70), (64, 70), (70, 70)]
    assert embedded.corpus.features.dtype == np.float32
    assert embedded.emotion.shape == (70, 1)
    sound = ClipSound()
    for one, row in zip(embedded.corpus.clips, embedded.corpus.features, strict=True):
        np.testing.assert_allclose(row, Level().encode(sound.read(one))[0], rtol=1e-6)
    assert not embedded.corpus.faults
    assert len({one.recording for one in embedded.corpus.clips}) == 70


def test_a_second_time_nothing_is_encoded(folder, tmp_path):
    corpus = read_corpus("emodb", folder)
    first = embed(corpus, Level, tmp_path / "cache")
    encoder = Level(stop_after=0)
    again = embed(corpus, lambda: encoder, tmp_path / "cache")
    assert encoder.encoded == 0
    np.testing.assert_array_equal(again.corpus.features, first.corpus.features)
    assert again.corpus.clips == first.corpus.clips
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_an_interrupted_run_resumes(folder, tmp_path):
    corpus = read_corpus("emodb", folder)
    with pytest.raises(KeyboardInterrupt):
        embed(corpus, partial(Level, stop_after=40), tmp_path / "cache")
    rest = Level()
    resumed = embed(corpus, lambda: rest, tmp_path / "cache")
    assert rest.encoded == 70 - 32  # the batch that was cut short is done again
    whole = embed(corpus, Level, tmp_path / "elsewhere")
    np.testing.assert_array_equal(resumed.corpus.features, whole.corpus.features)


def test_another_encoder_selection_or_file_is_another_cache(folder):
    corpus = read_corpus("emodb", folder)
    key = cache_key(corpus, "a" * 64)
    assert cache_key(read_corpus("emodb", folder), "a" * 64) == key
    assert cache_key(corpus, "b" * 64) != key
    assert cache_key(corpus.take(range(69)), "a" * 64) != key
    shorter = replace(corpus, clips=(replace(corpus.clips[0], end_s=0.01), *corpus.clips[1:]))
    assert cache_key(shorter, "a" * 64) != key
    wav(corpus.clips[0].path, seconds=0.5)
    assert cache_key(corpus, "a" * 64) != key


def test_a_damaged_cache_is_made_anew(folder, tmp_path):
    corpus = read_corpus("emodb", folder).take(range(5))
    embed(corpus, Level, tmp_path / "cache")
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(file.read_bytes()[:300])
    encoder = Level()
    assert len(embed(corpus, lambda: encoder, tmp_path / "cache").corpus) == 5
    assert encoder.encoded == 5


def test_unreadable_files_are_faults_now_and_later(folder, tmp_path):
    corpus = read_corpus("emodb", folder)
    corpus.clips[3].path.write_bytes(b"no sound")
    corpus.clips[4].path.write_bytes(b"")
    for _ in range(2):
        embedded = embed(corpus, Level, tmp_path / "cache")
        assert len(embedded.corpus) == len(embedded.emotion) == 68
        assert [fault.what for fault in embedded.corpus.faults] == [
            corpus.clips[3].utterance,
            corpus.clips[4].utterance,
        ]
        assert embedded.corpus.faults[0].problem.startswith("unreadable: ")
    with pytest.raises(CorpusError, match="no audio of emodb can be read"):
        embed(corpus.take([3, 4]), Level, tmp_path / "cache")


def test_copies_under_two_speakers_stay_on_one_side(folder, tmp_path):
    corpus = read_corpus("emodb", folder)
    corpus.clips[15].path.write_bytes(corpus.clips[5].path.read_bytes())
    found = embed(corpus, Level, tmp_path / "cache").corpus
    assert found.clips[15].recording == found.clips[5].recording == found.clips[5].utterance
    groups = linked(found)
    assert groups[15] == groups[5]


def test_several_workers_give_the_same(folder, tmp_path):
    corpus = read_corpus("emodb", folder).take(range(40))
    one = embed(corpus, Level, tmp_path / "one")
    two = embed(corpus, Level, tmp_path / "two", workers=2)
    np.testing.assert_array_equal(two.corpus.features, one.corpus.features)
    np.testing.assert_array_equal(two.emotion, one.emotion)
    assert two.corpus.clips == one.corpus.clips


def test_what_cannot_be_embedded(tmp_path):
    with pytest.raises(CorpusError, match="a table without audio"):
        embed(corpus_of(clip(0, "ann")), Level, tmp_path)
    with pytest.raises(UsageError, match="0 workers"):
        embed(corpus_of(), Level, tmp_path, workers=0)

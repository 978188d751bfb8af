"""The map between the vectors of two encoders: written, found, refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.encoders.registry import BUILT_IN
from streamer.encoders.vector_map import VectorMap, file_name, find_map, maps, read_map, write_map
from streamer.errors import EncoderError

SOURCE = "ab" * 32


def a_map(source: str = SOURCE) -> VectorMap:
    rng = np.random.default_rng(0)
    both = BUILT_IN.embedding_size + BUILT_IN.emotion_size
    weights = rng.normal(size=(3 + 2 + 1, both)).astype(np.float16).astype(np.float64)
    return VectorMap(source, BUILT_IN.sha256, weights, BUILT_IN.embedding_size, 0.7, 0.8)


def test_it_is_linear_with_an_intercept_and_gives_a_unit_emotion_vector() -> None:
    found = a_map()
    embedding, emotion = np.arange(3.0, dtype=np.float32), np.ones(2, np.float32)
    mapped, feeling = found.apply(embedding, emotion)
    by_hand = np.array([*embedding, *emotion, 1.0]) @ found.weights
    np.testing.assert_allclose(mapped, by_hand[: BUILT_IN.embedding_size], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(feeling), 1.0, rtol=1e-6)
    assert (mapped.dtype, feeling.dtype) == (np.float32, np.float32)
    assert feeling @ by_hand[BUILT_IN.embedding_size :] > 0.0


def test_written_it_is_found_by_both_encoders_and_by_no_others(tmp_path: Path) -> None:
    written = a_map()
    write_map(tmp_path / file_name(SOURCE, BUILT_IN.sha256), written)
    found = find_map(SOURCE, (3, 2), BUILT_IN, tmp_path)
    assert found is not None
    assert np.array_equal(found.weights, written.weights)
    assert (found.source, found.target, found.explained, found.cosine) == (
        SOURCE, BUILT_IN.sha256, 0.7, 0.8,
    )  # fmt: skip
    assert [one.source for one in maps(tmp_path)][:1] == [SOURCE]
    assert find_map("cd" * 32, (3, 2), BUILT_IN, tmp_path) is None
    assert find_map(SOURCE, (3, 2), replace(BUILT_IN, sha256="ef" * 32), tmp_path) is None


def test_one_of_other_encoders_or_sizes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / file_name(SOURCE, BUILT_IN.sha256)
    write_map(path, a_map(SOURCE[:12] + "0" * 52))
    with pytest.raises(EncoderError, match="not the map that its name says"):
        find_map(SOURCE, (3, 2), BUILT_IN, tmp_path)
    write_map(path, a_map())
    with pytest.raises(EncoderError, match="not the map that its name says"):
        find_map(SOURCE, (4, 2), BUILT_IN, tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"x" * 100])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / file_name(SOURCE, BUILT_IN.sha256)
    path.write_bytes(content)
    with pytest.raises(EncoderError, match="not a map"):
        read_map(path)

"""The manifest of encoders: read, searched and verified."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from streamer.encoders.registry import (
    BUILT_IN,
    MANIFEST,
    EncoderRow,
    find_encoder,
    known_encoders,
    load_prior,
    read_manifest,
    verify_files,
)
from streamer.errors import EncoderError
from streamer.learners.prior import UNINFORMED_NOISE

SIZES = {
    "embedding_mean": (4,),
    "embedding_std": (4,),
    "emotion_mean": (3,),
    "weights": (4, 3),
    "intercept": (3,),
    "noise_std": (3,),
}


def hash_of(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path):
    """Two encoders; `second` is the default. Their files are no models, only bytes."""
    entries = []
    for name in ("first", "second"):
        path = tmp_path / f"{name}.onnx"
        path.write_bytes(name.encode())
        entries.append(
            f'[[encoder]]\nname = "{name}"\nfile = "{path.name}"\nsha256 = "{hash_of(path)}"\n'
            'licence = "MIT"\nembedding_size = 4\nemotion_size = 3\n'
            f"default = {str(name == 'second').lower()}\n"
        )
    (tmp_path / MANIFEST).write_text("\n".join(entries))
    return tmp_path


@pytest.fixture
def row_with_prior(folder):
    def make(**changes):
        arrays = {name: np.ones(size, np.float32) for name, size in SIZES.items()}
        arrays = {k: v for k, v in {**arrays, **changes}.items() if v is not None}
        path = folder / "prior.npz"
        np.savez(path, **arrays)
        row = find_encoder("first", folder)
        return replace(row, prior=path.name, prior_sha256=hash_of(path))

    return make


def test_finds_encoders_by_name_the_default_without_one(folder):
    assert [row.name for row in read_manifest(folder)] == ["first", "second"]
    assert find_encoder("first", folder).path == folder / "first.onnx"
    assert find_encoder("", folder).name == "second"
    with pytest.raises(EncoderError, match=r"no encoder 'third'.*first, second, .*acoustic"):
        find_encoder("third", folder)


def test_of_two_defaults_and_two_rows_of_a_name_the_users_count(folder):
    rows = known_encoders(folder)
    assert [row.name for row in rows if row.default] == ["second"]
    shipped = {row.name for row in read_manifest()}
    assert {"first", "second", "acoustic", *shipped} == {row.name for row in rows}
    text = (folder / MANIFEST).read_text().replace("default = true", "default = false")
    (folder / MANIFEST).write_text(
        text.replace('name = "first"', f'name = "{find_encoder().name}"')
    )
    mine = find_encoder(find_encoder().name, folder)
    assert mine.path == folder / "first.onnx"
    assert len({row.name for row in known_encoders(folder)}) == len(known_encoders(folder))


def test_without_a_default_of_the_users_the_shipped_one_is_taken(folder):
    text = (folder / MANIFEST).read_text().replace("default = true", "default = false")
    (folder / MANIFEST).write_text(text)
    assert find_encoder("", folder) == find_encoder()


def test_a_models_folder_that_is_not_there_yet_is_empty(tmp_path):
    assert known_encoders(tmp_path / "nowhere") == known_encoders()


def test_the_built_in_encoder_needs_no_manifest_and_has_nothing_to_verify(tmp_path):
    assert find_encoder("acoustic", tmp_path / "nowhere") == BUILT_IN
    verify_files(BUILT_IN)


def test_a_manifest_that_is_missing_names_its_path_and_the_remedy(tmp_path):
    with pytest.raises(EncoderError, match=r"manifest\.toml.*STREAMER_MODELS"):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"[[encoder",
        b"\xff\xfe",
        b"encoder = 3",
        b'[[encoder]]\nname = "alone"',
        b'[[encoder]]\nfolder = "/elsewhere"',
        b'[[encoder]]\nname = "a"\ncolour = "green"',
    ],
)
def test_a_manifest_that_cannot_be_meant_is_one_clear_error(tmp_path, content):
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(EncoderError, match="correct the manifest"):
        read_manifest(tmp_path)


def test_the_shipped_manifest_holds_and_its_files_are_the_ones_it_names():
    rows = known_encoders()
    assert [row.name for row in rows if row.default] == [find_encoder().name]
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        verify_files(row)
        assert row.licence
        assert row.size_bytes == (row.path.stat().st_size if row.file else 0)


def test_verify_notices_every_file_that_was_changed(folder, row_with_prior):
    row = row_with_prior()
    verify_files(row)
    (folder / "prior.npz").write_bytes(b"other")
    with pytest.raises(EncoderError, match=r"prior\.npz.*altered"):
        verify_files(row)
    (folder / "first.onnx").unlink()
    with pytest.raises(EncoderError, match=r"cannot read the model .*first\.onnx"):
        verify_files(row)


def test_an_encoder_without_a_prior_has_an_uninformed_one(folder):
    prior = load_prior(find_encoder("first", folder))
    assert prior.weights.shape == (4, 3)
    assert not prior.weights.any()
    whole = np.sqrt(1.0 + prior.offset_variance + prior.weight_variance)
    np.testing.assert_allclose(prior.noise * whole, UNINFORMED_NOISE)


def test_a_prior_comes_back_in_double_precision(row_with_prior):
    prior = load_prior(row_with_prior(weights=np.full((4, 3), 0.25, np.float32)))
    kinds = {array.dtype.kind: array.dtype for array in prior.to_arrays().values()}
    assert kinds["f"] == np.float64
    assert (prior.weights == 0.25).all()


@pytest.mark.parametrize("name", list(SIZES))
def test_a_prior_that_lacks_or_bends_an_array_is_refused(row_with_prior, name):
    with pytest.raises(EncoderError, match="not a prior"):
        load_prior(row_with_prior(**{name: None}))
    with pytest.raises(EncoderError, match="export it again"):
        load_prior(row_with_prior(**{name: np.ones((7, 2))}))
    with pytest.raises(EncoderError, match="not finite numbers"):
        load_prior(row_with_prior(**{name: np.full(SIZES[name], np.nan)}))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"plain text"])
def test_a_prior_of_the_right_hash_that_is_no_archive_is_refused(folder, content):
    path = folder / "prior.npz"
    path.write_bytes(content)
    row: EncoderRow = find_encoder("first", folder)
    with pytest.raises(EncoderError, match="not a prior"):
        load_prior(replace(row, prior=path.name, prior_sha256=hash_of(path)))


def test_a_prior_with_pickled_objects_is_refused_and_not_run(row_with_prior):
    with pytest.raises(EncoderError, match="not a prior"):
        load_prior(row_with_prior(weights=np.array([{}], dtype=object)))


def test_a_single_array_in_place_of_a_prior_is_refused(folder):
    path = folder / "prior.npy"
    np.save(path, np.ones(3))
    row = replace(find_encoder("first", folder), prior=path.name, prior_sha256=hash_of(path))
    with pytest.raises(EncoderError, match="not a prior"):
        load_prior(row)

"""Bits that flip and files that are cut: told of by name, never believed."""

import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from streamer.audio.clips import from_flac, to_flac
from streamer.encoders.onnx import OnnxEncoder
from streamer.encoders.registry import find_encoder, load_prior
from streamer.errors import EncoderError, UnreadableAudio


def test_a_bit_that_flips_anywhere_in_an_encoder_is_noticed(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    shipped = find_encoder()
    row = replace(shipped, folder=tmp_path)
    for path, read in ((row.path, OnnxEncoder), (tmp_path / str(row.prior), load_prior)):
        shutil.copy(shipped.folder / path.name, path)
        sound = path.read_bytes()
        for at in rng.integers(0, len(sound), 6).tolist():
            flipped = bytearray(sound)
            flipped[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(flipped)
            with pytest.raises(EncoderError, match="altered or damaged"):
                read(row)
        path.write_bytes(sound[: len(sound) // 2])
        with pytest.raises(EncoderError, match="altered or damaged"):
            read(row)
        path.write_bytes(sound)
        read(row)


def test_a_clip_that_is_cut_or_spoiled_is_heard_as_far_as_it_goes_or_refused() -> None:
    rng = np.random.default_rng(9)
    whole = to_flac(rng.uniform(-0.5, 0.5, 8_000).astype(np.float32))
    for size in (0, 4, 40):
        with pytest.raises(UnreadableAudio, match="forget its utterance"):
            from_flac(whole[:size])
    for size in (90, len(whole) // 2, len(whole) - 1):
        with suppress(UnreadableAudio):
            assert len(from_flac(whole[:size])) <= 8_000
    for at in rng.integers(0, len(whole), 40).tolist():
        spoiled = bytearray(whole)
        spoiled[at] ^= 0xFF
        with suppress(UnreadableAudio):
            assert from_flac(bytes(spoiled)).ndim <= 2

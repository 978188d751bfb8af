"""Rows as they are written down: no bit lost, and damage told apart from mistakes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import ProfileDamaged
from streamer.store.records import decode_prediction, encode_prediction, encode_vector
from streamer.types import Estimate, Prediction
from tests.support import store_utterance

NUMBER = st.floats(-1.0, 1.0)
ESTIMATE = st.builds(Estimate, mean=NUMBER, low=NUMBER, high=NUMBER)


@given(st.builds(Prediction, valence=ESTIMATE, arousal=ESTIMATE, dominance=ESTIMATE))
def test_a_prediction_comes_back_to_the_last_bit(prediction):
    text = encode_prediction(prediction)
    assert decode_prediction(text) == prediction
    assert list(json.loads(text)) == ["valence", "arousal", "dominance"]


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_vectors_are_written_little_endian_whatever_they_come_as(kind):
    values = np.array([1.0, -2.5, 3e-5])
    expected = values.astype(kind).tobytes()
    assert encode_vector(values.astype(">f8"), kind) == expected
    assert encode_vector(np.repeat(values, 2)[::2], kind) == expected


@pytest.mark.parametrize(
    "change",
    [
        "quality = '{'", "quality = '{\"level_dbfs\": 1}'", "prediction = '[]'",
        "verdict = 'null'", "embedding = x'000000'",
    ],
)  # fmt: skip
def test_a_row_that_is_not_as_it_was_written_is_damage(profile, change):
    number = store_utterance(profile)
    profile.database.write(f"UPDATE utterances SET {change}")
    with pytest.raises(ProfileDamaged, match=f"utterance {number} cannot be read back"):
        profile.utterances.get(number)

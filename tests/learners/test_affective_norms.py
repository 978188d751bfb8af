"""The affective norms, number for number as printed, on [-1, 1]."""

import pytest

from streamer.learners.affective_norms import affective_norm

PRINTED = {
    "angry": (0.122, 0.830, 0.604),
    "happy": (1.000, 0.735, 0.772),
    "sad": (0.225, 0.333, 0.149),
    "disgusted": (0.051, 0.773, 0.274),
    "fearful": (0.083, 0.482, 0.278),
    "surprised": (0.784, 0.855, 0.539),
    "frustrated": (0.080, 0.651, 0.255),
    "neutral": (0.469, 0.184, 0.357),
}


@pytest.mark.parametrize("emotion", PRINTED)
def test_is_the_printed_number_between_minus_one_and_one(emotion):
    found = affective_norm(emotion)
    assert found == pytest.approx(tuple(2 * value - 1 for value in PRINTED[emotion]), abs=1e-12)
    assert all(-1.0 <= value <= 1.0 for value in found)


@pytest.mark.parametrize(
    ("noun", "adjective"),
    [
        ("anger", "angry"), ("Happiness", "happy"), (" joy ", "happy"), ("SADNESS", "sad"),
        ("disgust", "disgusted"), ("fear", "fearful"), ("surprise", "surprised"),
        ("frustration", "frustrated"), ("Neutral", "neutral"),
    ],
)  # fmt: skip
def test_nouns_case_and_blanks_do_not_matter(noun, adjective):
    assert affective_norm(noun) == affective_norm(adjective)


@pytest.mark.parametrize("name", ["", "bored", "angr", "happy sad"])
def test_a_name_without_a_norm_has_none(name):
    assert affective_norm(name) is None

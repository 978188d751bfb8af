import pytest

from streamer.evaluation import emotions
from streamer.learners.affective_norms import affective_norm

TABLES = {
    name: table
    for name, table in vars(emotions).items()
    if name.isupper() and isinstance(table, dict)
}


@pytest.mark.parametrize("name", TABLES)
def test_every_name_of_every_table_is_a_common_one(name):
    assert set(TABLES[name].values()) <= {*emotions.COMMON, None}


def test_the_first_common_names_are_those_with_norms():
    assert [name for name in emotions.COMMON if affective_norm(name)] == list(emotions.COMMON[:8])


@pytest.mark.parametrize(
    ("word", "common"),
    [("Anger", "angry"), (" joy ", "happy"), ("Neutral state", "neutral"), ("exc", "excited"),
     ("surprised", "surprised"), ("oth", None), ("xxx", None), ("", None)],
)  # fmt: skip
def test_words(word, common):
    assert emotions.common_emotion(word) == common


def test_norms_and_words_agree():
    for word in ("anger", "happiness", "joy", "sadness", "disgust", "fear", "surprise"):
        common = emotions.common_emotion(word)
        assert common is not None
        assert affective_norm(word) == affective_norm(common)

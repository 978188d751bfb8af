"""A profile with a labelled source: what it changes, that restarts agree, and that it can go."""

import numpy as np

from streamer.learners.source import LabelledSource
from streamer.loop.profile_model import ProfileModel
from tests.loop.profile_histories import Life
from tests.support import same_arrays

SHA = "ab" * 32
ANSWERS = [
    (1, "me", {"valence": 0.5, "arousal": 0.2, "emotion": "happy"}),
    (2, "me", {"valence": -0.5, "arousal": -0.6, "emotion": "sad"}),
    (3, "anna", {"arousal": 0.7}),
]


def labelled(seed: int = 0) -> LabelledSource:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((40, 6))
    features[:, 0] += np.where(np.arange(40) % 2 == 0, 2.0, -2.0)
    source = LabelledSource(features, np.full((40, 3), np.nan), ["happy", "sad"] * 20)
    return source.with_norms()


def taught(folder) -> Life:
    life = Life(folder, restarts=True)
    for answer in ANSWERS:
        life.label(*answer)
    life.catch_up()
    return life


def again(life: Life) -> None:
    """Another start, after the source was changed."""
    life.profile_model = ProfileModel(life.profile)
    life.catch_up()


def test_predictions_start_between_population_and_source(tmp_path):
    life = Life(tmp_path / "life", restarts=True)
    features = np.random.default_rng(1).standard_normal((4, 6))
    before = life.model.prior.expect(features)[0]
    source = labelled()
    life.profile.sources.add("theirs", source, "made", SHA)
    life.profile.sources.use("theirs")
    model = life.profile.sources.active(SHA)
    again(life)
    found = life.model.prior.expect(features)[0]
    np.testing.assert_allclose(found, (before + model.means(features)) / 2.0)
    np.testing.assert_allclose(life.model.learner.middles(features), found)
    life.profile.close()


def test_classes_are_known_before_the_first_answer_and_fade(tmp_path):
    life = Life(tmp_path / "life", restarts=True)
    features = np.random.default_rng(1).standard_normal((4, 6))
    assert life.model.knowledge.classes(features) is None
    life.profile.sources.add("theirs", labelled(), "made", SHA)
    life.profile.sources.use("theirs")
    model = life.profile.sources.active(SHA)
    again(life)
    np.testing.assert_allclose(
        life.model.knowledge.classes(features).probabilities, model.probabilities(features)
    )
    for answer in ANSWERS:
        life.label(*answer)
    life.catch_up()
    own = life.model._emotion_models().together.probabilities(features)
    expected = (20.0 * model.probabilities(features) + 2.0 * own) / 22.0
    found = life.model.knowledge.classes(features)
    assert found.names == ("happy", "sad")
    np.testing.assert_allclose(found.probabilities, expected)
    life.profile.close()


def test_a_source_that_is_mostly_wrong_is_no_longer_asked(tmp_path):
    life = Life(tmp_path / "life", restarts=True)
    life.profile.sources.add("theirs", labelled(), "made", SHA)
    life.profile.sources.use("theirs")
    model = life.profile.sources.active(SHA)
    again(life)
    for _ in range(12):
        life.hear()
    for number in range(1, 15):
        stored = life.profile.utterances.get(number)
        features = life.model.features(stored.embedding)
        said = model.classes[int(model.probabilities(features[np.newaxis]).argmax())]
        life.label(number, "me", {"emotion": "sad" if said == "happy" else "happy"})
    life.catch_up()
    record = life.model.source_record()
    assert (record.named, record.right, record.trusted) == (14, 0, False)
    rows = np.random.default_rng(1).standard_normal((4, 6))
    own = life.model._emotion_models().together
    np.testing.assert_array_equal(
        life.model.knowledge.classes(rows).probabilities, own.probabilities(rows)
    )
    life.profile.close()


def test_a_kill_and_a_restart_agree_with_an_unbroken_run(tmp_path):
    arrays = []
    for name, end in (("a", "kill"), ("b", "stop")):
        life = Life(tmp_path / name, restarts=True)
        life.profile.sources.add("theirs", labelled(), "made", SHA)
        life.profile.sources.use("theirs")
        again(life)
        for answer in ANSWERS:
            life.label(*answer)
            life.learn()
            getattr(life, end)()
        arrays.append(life.arrays())
        life.profile.close()
    assert same_arrays(*arrays)


def test_once_removed_the_state_is_bit_for_bit_that_of_never(tmp_path):
    plain, other = taught(tmp_path / "plain"), taught(tmp_path / "other")
    other.profile.sources.add("theirs", labelled(), "made", SHA)
    other.profile.sources.use("theirs")
    again(other)
    other.profile_model.save()
    assert not same_arrays(plain.arrays(), other.arrays())
    other.profile.sources.remove("theirs")
    again(other)
    assert same_arrays(plain.arrays(), other.arrays())
    for life in (plain, other):
        life.profile.close()

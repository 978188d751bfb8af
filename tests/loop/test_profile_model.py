"""Whatever happens to the log, what was learned is the fold of the answers that count."""

import random
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from streamer.errors import ProfileError
from streamer.learners.normalization import RunningNormalization
from streamer.loop import profile_model as learning_module
from streamer.loop.profile_model import ProfileModel
from streamer.store.labels import Labels
from streamer.store.profile import Profile
from streamer.types import DIMENSIONS
from tests.loop.profile_histories import FAST, HEARD, STEPS, Life, Twins, fold, heard, learn_new
from tests.support import same_arrays


@pytest.fixture(params=[(50, 64), (1, 1), (1, 64), (2, 3), (3, 2)], ids=str)
def _portions(request, monkeypatch):
    at_once, every = request.param
    monkeypatch.setattr(learning_module, "LABELS_AT_ONCE", at_once)
    monkeypatch.setattr(learning_module, "SNAPSHOT_EVERY", every)


@pytest.mark.usefixtures("_portions")
def test_any_short_history_folds_to_the_same_state():
    @settings(max_examples=25, deadline=None)
    @given(STEPS)
    def check(steps):
        with TemporaryDirectory(dir=FAST) as folder:
            twins = Twins(Path(folder))
            for step in steps:
                twins.live(*step)
            twins.compare()
            twins.close()

    check()


@pytest.mark.usefixtures("_portions")
@pytest.mark.parametrize(("seed", "among"), [(0, 2), (1, HEARD)])
def test_so_does_a_long_one(seed, among):
    rng = random.Random(seed)
    with TemporaryDirectory(dir=FAST) as folder:
        twins = Twins(Path(folder))
        for step in range(120):
            match rng.choice(["label", "label", "label", "undo", "learn", "learn", "hear", "kill"]):
                case "label":
                    named = rng.sample(DIMENSIONS, rng.randrange(4))
                    answers = {name: rng.uniform(-1, 1) for name in named}
                    answers |= {} if named and rng.random() < 0.5 else {"emotion": "joy"}
                    twins.live("label", rng.randint(1, among), rng.choice(["me", "anna"]), answers)
                case "undo":
                    twins.live("undo", rng.randint(1, 2))
                case name:
                    twins.live(name)
            if step % 10 == 9:
                twins.compare()
        twins.live("stop")
        twins.compare()
        twins.close()


@pytest.fixture
def life(tmp_path):
    made = Life(tmp_path / "life", restarts=True)
    yield made
    made.profile.close()


def test_strategies_are_told_what_was_learned(life):
    answers = [
        (1, "me", {"valence": 0.5, "emotion": "joy"}),
        (2, "me", {"arousal": -0.5, "emotion": "anger"}),
        (2, "anna", {"emotion": "joy"}),
        (3, "anna", {"valence": 0.25, "emotion": "anger"}),
    ]
    features = heard(9).embedding.astype(np.float64)[np.newaxis]
    assert life.model.knowledge.classes(features) is None
    for answer in answers:
        life.label(*answer)
    life.catch_up()
    knowledge = life.model.knowledge
    labelled = knowledge.labelled()
    kept = [entry.features for entry in life.profile.labels.effective()]
    assert np.array_equal(labelled.features, kept)
    nan = np.nan
    expected = [[0.5, nan, nan], [nan, -0.5, nan], [nan, nan, nan], [0.25, nan, nan]]
    np.testing.assert_array_equal(labelled.answers, expected)
    places, values = labelled.answering("valence")
    assert np.array_equal(places, labelled.features[[0, 3]])
    assert values.tolist() == [0.5, 0.25]
    chances = knowledge.classes(features)
    assert chances.names == ("joy", "anger")
    assert chances.probabilities.sum() == pytest.approx(1.0)
    mine, annas = knowledge.annotators(features)
    assert mine.names == annas.names == ("anger", "joy")
    assert not np.allclose(mine.probabilities, annas.probabilities)
    life.undo(4)
    life.catch_up()
    assert life.model.knowledge.classes(features) is None
    assert life.model.knowledge.annotators(features) is None


def test_an_answer_that_was_passed_over_is_learned_once_it_counts_again(life, monkeypatch):
    monkeypatch.setattr(learning_module, "LABELS_AT_ONCE", 1)
    life.label(1, "me", {"emotion": "joy"})
    life.label(1, "me", {"emotion": "anger"})
    assert learn_new(life.profile_model) == ([], False)  # the first one: replaced already
    life.undo(1)
    life.catch_up()
    assert life.model.labels == 1
    assert same_arrays(life.model.learner.to_arrays(), fold(life.profile).to_arrays())


def test_the_log_is_learned_in_portions(life, monkeypatch):
    monkeypatch.setattr(learning_module, "LABELS_AT_ONCE", 2)
    for number in range(1, 6):
        life.label(number, "me", {"valence": number / 10})
    portions = [learn_new(life.profile_model) for _ in range(4)]
    assert [[label.utterance for label in labels] for labels, _ in portions] == [
        [1, 2], [3, 4], [5], [],
    ]  # fmt: skip
    assert not any(replaced for _, replaced in portions)
    assert life.model.labels == 5


def test_a_label_is_announced_once_also_after_a_crash(life):
    life.label(1, "me", {"valence": 0.5})
    assert [label.utterance for label in learn_new(life.profile_model)[0]] == [1]
    again = ProfileModel(life.profile)
    assert learn_new(again) == ([], False)
    assert again.model.labels == 1
    assert same_arrays(again.model.learner.to_arrays(), life.model.learner.to_arrays())


def test_an_undone_label_leaves_no_trace(life):
    life.label(1, "me", {"valence": 0.5, "arousal": -0.5})
    life.catch_up()
    before = life.arrays()
    life.label(2, "me", {"valence": -0.9})
    life.catch_up()
    assert not same_arrays(life.arrays(), before)
    life.undo(1)
    assert learn_new(life.profile_model) == ([], True)
    assert same_arrays(life.arrays(), before)


def test_an_undone_replacement_brings_the_first_answer_back(life):
    life.label(1, "me", {"valence": 0.5})
    life.catch_up()
    before = life.arrays()
    life.label(1, "me", {"valence": -0.9})
    life.catch_up()
    life.undo(1)
    assert learn_new(life.profile_model) == ([], True)
    assert same_arrays(life.arrays(), before)


def test_an_answer_replaced_by_the_same_annotator_counts_once(life):
    life.label(1, "me", {"valence": 0.5})
    life.catch_up()
    life.label(1, "me", {"valence": -0.5})
    labels, replaced = learn_new(life.profile_model)
    assert ([label.valence for label in labels], replaced) == ([-0.5], True)
    assert life.model.labels == 1
    assert life.model.learner.dimensions["valence"].regression.count == 1
    life.label(1, "anna", {"valence": 0.7})
    assert learn_new(life.profile_model)[1] is False
    assert life.model.labels == 2


def test_what_was_learned_at_the_time_is_not_learned_anew_with_later_ears(life):
    life.label(1, "me", {"valence": 0.5})
    life.catch_up()
    features = life.profile.labels.log()[0].features
    expected = life.model.features(heard(1).embedding)
    assert np.array_equal(features, expected)
    life.hear()
    assert not np.array_equal(life.model.features(heard(1).embedding), features)
    life.label(2, "me", {"valence": 0.1})
    life.catch_up()
    life.undo(1)
    life.catch_up()
    life.kill()
    assert np.array_equal(life.profile.labels.log()[0].features, features)


@pytest.mark.parametrize(
    ("place", "name"), [(Labels, "learned_with"), (Profile, "save_state")], ids=str
)
def test_a_disk_that_fills_up_while_learning_costs_nothing_that_was_learned(
    life, monkeypatch, place, name
):
    monkeypatch.setattr(learning_module, "SNAPSHOT_EVERY", 1)
    life.label(1, "me", {"valence": 0.5})
    life.catch_up()
    life.label(2, "me", {"valence": -0.5})
    # The first write that no longer finds room: of the features, or of the snapshot.
    with monkeypatch.context() as patch:
        patch.setattr(place, name, full_disk)
        # Without the snapshot it is learned all the same: the rows hold all of it.
        fails = pytest.raises(ProfileError, match="free some disk space")
        with fails if place is Labels else nullcontext():
            life.profile_model.learn_new()
    life.profile_model.save()
    life.catch_up()
    assert same_arrays(life.model.learner.to_arrays(), fold(life.profile).to_arrays())
    life.kill()
    assert same_arrays(life.model.learner.to_arrays(), fold(life.profile).to_arrays())


def full_disk(rows: Profile | Labels, *_: Any) -> None:
    """What SQLite itself does when a write finds no room."""
    database = rows.database if isinstance(rows, Profile) else rows._database
    pages = database.row("PRAGMA page_count")[0]
    database.row(f"PRAGMA max_page_count = {pages}")
    try:
        database.write("INSERT INTO meta (key, value) VALUES ('large', ?)", "x" * 1_000_000)
    finally:
        database.row("PRAGMA max_page_count = 1000000")


def test_labels_move_the_prediction_towards_themselves(life):
    encoding = heard(2)
    before = life.model.predict(encoding).valence.mean
    life.label(2, "me", {"valence": 1.0})
    life.catch_up()
    after = life.model.predict(encoding).valence.mean
    assert before < after <= 1.0


def test_what_is_usual_is_kept_and_follows_what_is_heard(life):
    prior = life.profile.prior()
    plain = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
    for step in range(1, HEARD + 1):
        plain.update(heard(step).embedding.astype(np.float64))
    again = ProfileModel(life.profile)
    assert same_arrays(again.model.usual.to_arrays(), plain.to_arrays())
    assert again.model.usual_emotion.count == HEARD


def test_verdicts_follow_the_labels_and_what_is_usual(life):
    encoding = heard(1)
    assert life.model.verdict(encoding).emotion is None
    life.label(1, "me", {"emotion": "joy"})
    life.catch_up()
    verdict = life.model.verdict(encoding)
    assert verdict.emotion == "joy"
    assert verdict.distance == pytest.approx(0.0, abs=1e-9)
    life.undo(1)
    life.catch_up()
    assert dict(life.model.verdict(encoding).distances) == {}


def test_enrolled_by_another_it_is_seen_at_the_next_utterance(life):
    encoding = heard(1)
    assert dict(life.model.prototypes) == {}
    other = Profile(life.folder)
    other.emotions.enroll("joy", encoding.emotion, "a.wav", None, 0.0)
    other.close()
    life.profile_model.adapt(encoding)
    assert list(life.model.prototypes) == ["joy"]


def test_an_empty_profile_cannot_be_learned(tmp_path):
    profile = Profile(tmp_path / "p")
    with pytest.raises(ProfileError, match="is empty"):
        ProfileModel(profile)
    profile.close()


def test_nothing_to_learn_is_nothing(life):
    assert learn_new(life.profile_model) == ([], False)
    life.profile_model.catch_up()
    assert life.model.labels == 0
    assert all(getattr(life.model.predict(heard(1)), name) for name in DIMENSIONS)


def test_another_process_can_follow_without_writing(life):
    life.label(1, "me", {"valence": 0.5, "arousal": -0.5})
    life.catch_up()
    life.label(2, "me", {"valence": -0.5, "arousal": 0.5})
    life.catch_up()
    life.label(3, "me", {"valence": 0.25, "arousal": 0.5})
    other = Profile(life.folder)
    before = other.database.rows("PRAGMA data_version")[0][0]
    following = ProfileModel(other)
    following.follow()
    assert following.model.labels == 2  # the third was given, and nobody has learned it yet
    mine, theirs = life.model.learner.to_arrays(), following.model.learner.to_arrays()
    assert all(np.array_equal(mine[name], theirs[name]) for name in mine)
    assert other.database.rows("PRAGMA data_version")[0][0] == before
    assert other.labels.log()[-1].features is None
    other.close()

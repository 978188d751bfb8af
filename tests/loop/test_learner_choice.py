"""A learner or a strategy by import path, live: learned at once, replayed to the same bits."""

import json

import numpy as np
import pytest

from streamer.errors import UsageError
from streamer.events import Heard, Selected
from streamer.learners.plugged import PluggedRegression
from streamer.loop.loop import Loop
from streamer.loop.profile_model import ProfileModel, choose_learner, learner_of, untaught_model
from streamer.query.strategy import Ranking, Scores
from streamer.store.profile import Profile
from tests.conftest import Streamer
from tests.loop.profile_histories import heard
from tests.support import bound_profile, events_of, label_of, named, store_utterance

REGRESSORS = [
    "river:linear_model.PARegressor(C=0.5)",
    "river:linear_model.BayesianLinearRegression",
    "river:neighbors.KNNRegressor(n_neighbors=3)",
    "river:tree.HoeffdingTreeRegressor(grace_period=5)",
    "river:forest.ARFRegressor(n_models=3)",
]
OWN = """
import numpy as np
import streamer.query.strategy as query

class MeanSoFar:
    def __init__(self, start=0.0):
        self.total, self.count = start, 1
    def learn_one(self, x, y):
        self.total += y
        self.count += 1
    def predict_one(self, x):
        return self.total / self.count

class Loudest(query.Ranking):
    name = "loudest"
    def __call__(self, features, knowledge, rng):
        return query.Scores(np.linalg.norm(features, axis=1), "farthest from the usual")
"""


def predictions(model):
    return [model.predict(heard(step)) for step in range(12)]


@pytest.mark.parametrize("learner", REGRESSORS)
def test_restarts_and_retractions_replay_the_labels_to_the_same_bits(tmp_path, learner):
    profile = bound_profile(tmp_path / "p")
    choose_learner(profile, learner)
    model = ProfileModel(profile)
    for step in range(1, 9):
        model.adapt(heard(step))
        store_utterance(profile, heard(step).embedding, heard(step).emotion)
    rng = np.random.default_rng(0)
    for number in [*range(1, 9), 2, 5]:
        profile.labels.add([label_of(number, valence=rng.uniform(-1, 1), arousal=0.5)], 0.0)
        model.learn_new()
        model.save()
    untaught = predictions(ProfileModel(profile).model)
    assert model.model.labels == 8
    again = ProfileModel(profile)
    again.catch_up()
    assert predictions(again.model) == predictions(model.model) != untaught
    before = predictions(model.model)
    profile.labels.add([label_of(3, "anna", valence=-1.0, arousal=-1.0)], 0.0)
    model.catch_up()
    profile.labels.undo(1, 0.0)
    model.catch_up()
    assert predictions(model.model) == before
    profile.close()


def test_another_learner_learns_the_labels_anew_and_back_again_is_as_before(tmp_path):
    profile = bound_profile(tmp_path / "p")
    model = ProfileModel(profile)
    for step in range(1, 6):
        model.adapt(heard(step))
        store_utterance(profile, heard(step).embedding, heard(step).emotion)
        profile.labels.add([label_of(step, valence=step / 5, arousal=-0.2)], 0.0)
    model.catch_up()
    model.save()
    bayesian = predictions(model.model)
    choose_learner(profile, REGRESSORS[0])
    other = ProfileModel(profile)
    other.catch_up()
    assert isinstance(other.model.learner.dimensions["valence"].regression, PluggedRegression)
    assert other.model.labels == 5
    assert predictions(other.model) != bayesian
    with pytest.raises(UsageError, match="no learner"):
        choose_learner(profile, "clever")
    assert learner_of(profile) == REGRESSORS[0]
    choose_learner(profile, "bayesian")
    back = ProfileModel(profile)
    back.catch_up()
    assert predictions(back.model) == bayesian
    profile.close()


def test_run_learns_with_a_learner_and_asks_by_a_strategy_of_ones_own(
    streamer: Streamer, session_file, tmp_path
):
    (tmp_path / "mine.py").write_text(OWN)
    words = ("run", "--json", "--no-web", "--again", "--input", session_file, "--buffer", "4")
    own = ("--strategy", "mine:Loudest", "--learner", "mine:MeanSoFar(start=0.1)")
    done = streamer(*words, *own)
    assert done.returncode == 0, done.stderr
    chosen = named(events_of(done.stdout), "selection")
    assert {event["strategy"] for event in chosen} == {"loudest"}
    assert {event["reason"] for event in chosen} == {"farthest from the usual"}
    for number in (1, 2, 3):
        said = streamer("label", number, "--valence", 0.8, "--arousal", -0.4)
        assert said.returncode == 0, said.stderr
    status = json.loads(streamer("status", "--json").stdout)
    assert status["learner"] == "mine:MeanSoFar(start=0.1)"
    assert status["labels"] == {"given": 3, "learned": 3}
    assert "learner mine:MeanSoFar(start=0.1)" in streamer("status").stdout
    profile = Profile(tmp_path / "profiles" / "default")
    assert profile.load_state("learner") is None
    profile.close()
    # The next run goes on with it: what it learned is added to what the population says.
    heard_again = named(events_of(streamer(*words).stdout), "utterance")
    assert all(
        after["valence"]["mean"] > before["valence"]["mean"]
        for before, after in zip(
            named(events_of(done.stdout), "utterance"), heard_again, strict=True
        )
    )
    # Without it there is a way out, in one line.
    (tmp_path / "mine.py").unlink()
    said = streamer("label", 4, "--valence", 0.8, "--arousal", -0.4)
    assert said.returncode == 0
    assert "1 label stored; not learned yet: the learner of profile 'default'" in said.stderr
    lost = streamer(*words)
    assert lost.returncode == 2
    assert len(lost.stderr.splitlines()) == 1
    assert "mine:MeanSoFar(start=0.1) cannot be loaded" in lost.stderr
    assert "--learner bayesian" in lost.stderr
    assert streamer(*words, "--learner", "bayesian").returncode == 0


@pytest.mark.parametrize(
    ("flag", "path", "problem"),
    [
        ("--learner", "river:linear_model.LogisticRegression", "is a classifier"),
        ("--learner", "clever", "no learner 'clever'"),
        ("--strategy", "fractions:Fraction", "is no query strategy"),
        ("--strategy", "mine:Missing", "cannot be loaded"),
    ],
)
def test_what_is_none_is_refused_with_a_remedy_before_anything_is_made(
    streamer: Streamer, session_file, tmp_path, flag, path, problem
):
    done = streamer("run", "--no-web", "--input", session_file, flag, path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert problem in done.stderr
    assert not (tmp_path / "profiles").exists()


class Middle:
    """A learner that a program defines itself."""

    def learn_one(self, x, y):
        self.last = y

    def predict_one(self, x):
        return getattr(self, "last", 0.0) / 2


class First(Ranking):
    name = "first"

    def __call__(self, features, knowledge, rng):
        return Scores(-np.arange(len(features), dtype=np.float64), "the first")


def test_the_loop_takes_classes(session_file, tmp_path, monkeypatch):
    monkeypatch.setenv("STREAMER_HOME", str(tmp_path))
    with Loop(session_file, profile="mine", buffer=4, strategy=First, learner=Middle) as loop:
        for event in loop:
            if isinstance(event, Selected):
                assert event.strategy == "first"
                loop.label(event.asked[0], valence=1.0, arousal=-1.0)
                break
        heard_next = next(event for event in loop if isinstance(event, Heard))
    profile = Profile(tmp_path / "mine")
    assert learner_of(profile) == f"{__name__}:Middle"
    # Half of what the answer added to the population's guess is added to the next one.
    untaught = untaught_model(profile).predict(profile.utterances.get(heard_next.id))
    assert heard_next.prediction.valence.mean > untaught.valence.mean
    assert heard_next.prediction.arousal.mean < untaught.arousal.mean
    profile.close()

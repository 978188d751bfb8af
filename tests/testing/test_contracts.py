"""The public contract suites pass what keeps the rules, and name the rule that is broken."""

import random

import numpy as np
import pytest

import streamer
from streamer.errors import ContractBroken, UsageError
from streamer.query.strategy import Batch, Ranking, Scores


class Mean:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def learn_one(self, x, y):
        self.total, self.count = self.total + y, self.count + 1

    def predict_one(self, x):
        return self.total / max(self.count, 1)


class Shares(Mean):
    known: list[float] = []  # noqa: RUF012

    def learn_one(self, x, y):
        self.known.append(y)

    def predict_one(self, x):
        return float(np.mean(self.known)) if self.known else 0.0


class Gambles(Mean):
    def learn_one(self, x, y):
        super().learn_one(x, y + 0.01 * random.random())


class Writes(Mean):
    def learn_one(self, x, y):
        x[0] = 0.0
        super().learn_one(x, y)


class Deaf(Mean):
    def learn_one(self, x, y):
        pass


class Backwards(Mean):
    def predict_one(self, x):
        return -super().predict_one(x)


class Explodes(Mean):
    def learn_one(self, x, y):
        self.count += 1
        self.total = 10.0 * self.total + y * abs(x[0]) ** 60

    def predict_one(self, x):
        return self.total * max(abs(v) for v in x.values()) ** 300


class Fails(Mean):
    def predict_one(self, x):
        return self.total / self.count if self.count != 3 else 1 / 0


class Certain(Mean):
    def deviation_one(self, x):
        return 0.0


class Remembers(Mean):
    def predict_one(self, x):
        self.total += 0.125
        return super().predict_one(x)


@pytest.mark.parametrize(
    ("learner", "message"),
    [
        (Shares, "Shares, the same lessons|Shares, two of them share nothing"),
        (Gambles, "the same lessons give the same learner: two that were taught the same"),
        (Writes, "lessons and questions are left as they are: x became"),
        (Deaf, "other lessons give the same learner"),
        (Backwards, r"nearer to what it is taught: after 50 labels of -0.75 it predicts 0.75"),
        (Explodes, "extreme finite lessons keep it finite: .* give finite numbers"),
        (Fails, "raised ZeroDivisionError"),
        (Certain, "its deviation is above zero: deviation_one gives 0.0"),
        (Remembers, "a question changes nothing: the same question has two answers"),
    ],
)
def test_a_learner_that_breaks_a_rule_is_named_with_the_rule_and_a_remedy(learner, message):
    if learner is Shares:
        learner.known = []
    with pytest.raises(ContractBroken, match=message) as broken:
        streamer.check_learner(learner)
    assert "\n" not in str(broken.value)
    assert str(broken.value).count(": ") >= 2


def test_learners_that_keep_the_rules_pass():
    streamer.check_learner(Mean)
    streamer.check_learner(streamer.RiverBayesianRegression)
    streamer.check_learner("river:linear_model.PARegressor(C=0.5)")


def test_what_is_no_learner_at_all_is_a_usage_error():
    with pytest.raises(UsageError, match="is a classifier"):
        streamer.check_learner("river:linear_model.Perceptron")
    with pytest.raises(UsageError, match="has no learn_one"):
        streamer.check_learner(dict)


class Unusual(Ranking):
    name = "unusual"

    def __call__(self, features, knowledge, rng):
        return Scores(np.linalg.norm(features, axis=1), "farthest from the usual")


class Nameless(Unusual):
    name = ""


class Whole(Unusual):
    def __call__(self, features, knowledge, rng):
        return Scores(np.arange(len(features)), "the last")


class Undefined(Unusual):
    def __call__(self, features, knowledge, rng):
        with np.errstate(divide="ignore"):
            return Scores(np.log(np.abs(features).sum(axis=1)), "the logarithm of nothing")


class Silent(Unusual):
    def __call__(self, features, knowledge, rng):
        return Scores(np.linalg.norm(features, axis=1), "")


class Twice(Unusual):
    def take(self, features, knowledge, count, rng):
        return Batch([0] * count, self(features, knowledge, rng))


class ArrayIndices(Unusual):
    def take(self, features, knowledge, count, rng):
        return Batch(list(np.arange(count)), self(features, knowledge, rng))


class GlobalDraw(Unusual):
    def __call__(self, features, knowledge, rng):
        return Scores(np.random.random(len(features)), "a draw")


class Overwrites(Unusual):
    def __call__(self, features, knowledge, rng):
        features -= features.mean(axis=0)
        return super().__call__(features, knowledge, rng)


class Forges(Unusual):
    def __call__(self, features, knowledge, rng):
        knowledge.labelled().answers[:] = 0.0
        return super().__call__(features, knowledge, rng)


class SecretChance(Unusual):
    def __call__(self, features, knowledge, rng):
        return Scores(rng.random(len(features)), "a hunch", at_random=True)


class NeedsAnswers(Unusual):
    def __call__(self, features, knowledge, rng):
        nearest = knowledge.labelled().features[0]
        return Scores(np.linalg.norm(features - nearest, axis=1), "far from the first")


class Compares(Unusual):
    pointwise = True

    def __call__(self, features, knowledge, rng):
        away = np.linalg.norm(features - features.mean(axis=0), axis=1)
        return Scores(away, "farthest from the others")


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Nameless, "Nameless, it has a name: its name is ''"),
        (Whole, r"are int64 \[1\]: give float64 \[1\]"),
        (Undefined, "of zeros, scores are .*-inf.*give finite numbers"),
        (Silent, "the reason is ''"),
        (Twice, r"5 of 10 wanted, it takes \[0, 0, 0, 0, 0\]: take 5 different ones"),
        (ArrayIndices, "give indices of Python's int"),
        (GlobalDraw, "the same buffer has two scores: draw from the generator"),
        (Overwrites, "it changed the features"),
        (Forges, "where forty answers is known it changed what is known"),
        (SecretChance, "begin the reason with 'at random' just then"),
        (Compares, "pointwise score depends on nothing else: .* leave `pointwise` out"),
        (NeedsAnswers, "it raised IndexError"),
    ],
)
def test_a_strategy_that_breaks_a_rule_is_named_with_the_rule_and_a_remedy(strategy, message):
    with pytest.raises(ContractBroken, match=message) as broken:
        streamer.check_strategy(strategy)
    assert "\n" not in str(broken.value)


def test_strategies_that_keep_the_rules_pass_by_class_name_and_path():
    streamer.check_strategy(Unusual)
    streamer.check_strategy("binary-confidence")
    streamer.check_strategy("streamer.query.strategies.random_choice:RandomChoice")


def test_a_broken_contract_is_a_failure_to_pytest_and_a_known_error_to_programs():
    assert issubclass(ContractBroken, AssertionError)
    assert issubclass(ContractBroken, streamer.errors.StreamerError)


def test_the_global_generators_are_as_before():
    random.seed(4)
    np.random.seed(4)
    streamer.check_learner(Mean)
    drawn = random.random(), np.random.random()
    random.seed(4)
    np.random.seed(4)
    assert drawn == (random.random(), np.random.random())

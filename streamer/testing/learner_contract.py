"""The contract of everything that learns: one suite, for the product's learners and for yours."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.learners.plugged import Learner, OnlineRegressor, regressor_maker
from streamer.testing.contract import bits, check_all, global_seed, require

Arrays = Mapping[str, NDArray[Any]]

FEATURES: Final = 6
# As far as standard scores go, see `learners.normalization`.
LARGEST: Final = 6.0
_PROBES: Final = (0.7, -1.3)


@dataclass(frozen=True)
class LearnerCase:
    """A learner under test, whatever its methods are called.

    make: a new one. learn: one lesson drawn from a generator, times a size. answers: all that it
    says of a question of a size. largest: the largest size that it must take. from_arrays: the
    inverse of its `to_arrays`; None where its state is the replay of its lessons.
    """

    make: Callable[[], Any]
    learn: Callable[[Any, np.random.Generator, float], None]
    answers: Callable[[Any, float], Sequence[Any]]
    largest: float = LARGEST
    from_arrays: Callable[[Arrays], Any] | None = None

    def taught(self, steps: int = 40, seed: int = 0, size: float = 1.0) -> Any:
        learner, rng = self.make(), np.random.default_rng(seed)
        for _ in range(steps):
            self.learn(learner, rng, size)
        return learner

    def state(self, learner: Any) -> list[bytes | None]:
        """All that can be known of a learner without asking it to learn, to the last bit."""
        arrays = {} if self.from_arrays is None else learner.to_arrays()
        answers = [answer for size in _PROBES for answer in self.answers(learner, size)]
        return [*bits(list(arrays.values())), *bits(answers)]


def check_learner(learner: Learner) -> None:
    """Check a learner of one's own against the contract of online regressors.

    A learner speaks river's protocol: ``learn_one(x, y)`` and ``predict_one(x)``, and perhaps
    ``deviation_one(x)``; see `streamer.OnlineRegressor`. The product teaches it one label at a
    time, predicts in between, and replays all labels at every start, so the same labels have to
    give the same learner to the last bit.

    Parameters
    ----------
    learner
        A class, a function that makes a new regressor, or an import path such as
        ``"river:linear_model.PARegressor"``.

    Raises
    ------
    streamer.errors.ContractBroken
        Of the first rule that is broken, in one line: the rule, what was found, the remedy.
    streamer.errors.UsageError
        It is no regressor, or cannot be made.

    Examples
    --------
    >>> class Mean:
    ...     def __init__(self):
    ...         self.total, self.count = 0.0, 0
    ...     def learn_one(self, x, y):
    ...         self.total, self.count = self.total + y, self.count + 1
    ...     def predict_one(self, x):
    ...         return self.total / max(self.count, 1)
    >>> check_learner(Mean)

    >>> class Forgetful(Mean):
    ...     def predict_one(self, x):
    ...         self.count += 1
    ...         return super().predict_one(x)
    >>> check_learner(Forgetful)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    streamer.errors.ContractBroken: Forgetful, a question changes nothing: ...
    """
    name = learner if isinstance(learner, str) else getattr(learner, "__name__", repr(learner))
    make = regressor_maker(learner)
    case = LearnerCase(make, _learn_one, _answers)
    check_all(name, case, [*LEARNER_RULES, *REGRESSOR_RULES])


def _learn_one(learner: OnlineRegressor, rng: np.random.Generator, size: float) -> None:
    values = size * rng.uniform(-1.0, 1.0, FEATURES)
    target = float(np.clip(values[0] / max(size, 1e-9) + 0.1 * rng.normal(), -1.0, 1.0))
    learner.learn_one(dict(enumerate(values.tolist())), target)


def _answers(learner: Any, size: float) -> list[float]:
    x = dict.fromkeys(range(FEATURES), size)
    said = learner.predict_one(x)
    answers = [0.0 if said is None else float(said)]
    if hasattr(learner, "deviation_one"):
        answers.append(float(learner.deviation_one(x)))
    return answers


def a_new_one_answers(case: LearnerCase) -> None:
    for size in (0.0, 1.0, case.largest):
        _require_finite(case.answers(case.make(), size), "before its first label")


def extreme_finite_lessons_keep_it_finite(case: LearnerCase) -> None:
    for size in (0.0, 1e-12, 1.0, case.largest):
        learner = case.taught(steps=60, size=size)
        if case.from_arrays is not None:
            arrays = learner.to_arrays().values()
            _require_finite(list(arrays), f"in its arrays after lessons of size {size:g}")
        for question in (0.0, size, -size):
            _require_finite(case.answers(learner, question), f"after lessons of size {size:g}")


def the_same_lessons_give_the_same_learner(case: LearnerCase) -> None:
    with global_seed(1):
        one = case.state(case.taught(seed=3))
    with global_seed(2):
        other = case.state(case.taught(seed=3))
    require(
        one == other,
        "two that were taught the same lessons differ",
        "draw nothing from a global generator, clock or hash; take a seed and use it",
    )
    require(
        one != case.state(case.taught(seed=4)),
        "other lessons give the same learner",
        "learn from each label",
    )


def a_question_changes_nothing(case: LearnerCase) -> None:
    asked, silent = case.taught(), case.taught()
    first = case.state(asked)
    require(
        case.state(asked) == first,
        "the same question has two answers",
        "answer from what was learned, and change nothing",
    )
    some, others = np.random.default_rng(1), np.random.default_rng(1)
    case.learn(asked, some, 1.0)
    case.learn(silent, others, 1.0)
    require(
        case.state(asked) == case.state(silent),
        "one that was asked learns otherwise than one that was not",
        "answer from what was learned, and change nothing",
    )


def two_of_them_share_nothing(case: LearnerCase) -> None:
    one = case.taught(seed=5)
    before = case.state(one)
    case.taught(seed=6)
    require(
        case.state(one) == before,
        "teaching another one changed this one",
        "keep what is learned in the instance, not in the class or module",
    )


def arrays_make_the_same_learner_bit_for_bit(case: LearnerCase) -> None:
    if case.from_arrays is None:
        return
    for steps in (0, 1, 2, 40, 300):
        learner = case.taught(steps)
        restored = case.from_arrays(learner.to_arrays())
        require(
            case.state(restored) == case.state(learner),
            f"restored after {steps} lessons it differs",
            "keep all of the state in to_arrays",
        )


def restored_it_goes_on_as_if_it_had_never_stopped(case: LearnerCase) -> None:
    if case.from_arrays is None:
        return
    for steps in (0, 1, 3, 40):
        learner = case.taught(steps)
        restored = case.from_arrays(learner.to_arrays())
        some, others = np.random.default_rng(9), np.random.default_rng(9)
        for _ in range(50):
            case.learn(learner, some, 1.0)
            case.learn(restored, others, 1.0)
        require(
            case.state(restored) == case.state(learner),
            f"restored after {steps} lessons it learns otherwise",
            "keep all of the state in to_arrays",
        )


def every_array_is_of_float64(case: LearnerCase) -> None:
    if case.from_arrays is None:
        return
    for name, array in case.taught().to_arrays().items():
        require(array.dtype == np.float64, f"{name} is of {array.dtype}", "give float64")


def what_was_handed_out_does_not_change_with_later_lessons(case: LearnerCase) -> None:
    if case.from_arrays is None:
        return
    learner = case.taught()
    handed = learner.to_arrays()
    kept = deepcopy(handed)
    restored = case.from_arrays(handed)
    rng = np.random.default_rng(1)
    case.learn(learner, rng, 1.0)
    case.learn(restored, rng, 1.0)
    same = all(handed[name].tobytes() == array.tobytes() for name, array in kept.items())
    require(same, "arrays that were handed out changed", "copy them in to_arrays and from_arrays")


def lessons_and_questions_are_left_as_they_are(case: LearnerCase) -> None:
    learner = case.make()
    for method in (partial(learner.learn_one, y=0.5), learner.predict_one):
        x: dict[Any, Any] = {0: 0.5, 1: -0.25}
        method(x)
        require(x == {0: 0.5, 1: -0.25}, f"x became {x}", "copy x before changing it")


def its_predictions_come_nearer_to_what_it_is_taught(case: LearnerCase) -> None:
    x = {0: 0.5, 1: -0.25, 2: 1.0}
    for target in (-0.75, 0.75):
        learner, said = case.make(), []
        before = abs(float(learner.predict_one(x) or 0.0) - target)
        for _ in range(100):
            learner.learn_one(dict(x), target)
            said.append(float(learner.predict_one(x)))
        # On average: a learner of large steps overshoots, and comes back at the next label.
        later = float(np.mean(said[50:]))
        require(
            abs(later - target) < before,
            f"after 50 labels of {target} it predicts {later:g} on average, no nearer than before",
            "learn from each label",
        )


def its_deviation_is_above_zero(case: LearnerCase) -> None:
    for steps in (0, 40):
        learner = case.taught(steps)
        if hasattr(learner, "deviation_one"):
            for size in _PROBES:
                said = learner.deviation_one(dict.fromkeys(range(FEATURES), size))
                require(said > 0.0, f"deviation_one gives {said}", "give a value above 0")


def _require_finite(answers: Sequence[Any], when: str) -> None:
    for answer in answers:
        finite = answer is None or bool(np.isfinite(answer).all())
        require(finite, f"{answer} {when}", "give finite numbers")


LEARNER_RULES: Final = (
    a_new_one_answers,
    extreme_finite_lessons_keep_it_finite,
    the_same_lessons_give_the_same_learner,
    a_question_changes_nothing,
    two_of_them_share_nothing,
    arrays_make_the_same_learner_bit_for_bit,
    restored_it_goes_on_as_if_it_had_never_stopped,
    every_array_is_of_float64,
    what_was_handed_out_does_not_change_with_later_lessons,
)
# Of regressors that speak river's protocol.
REGRESSOR_RULES: Final = (
    lessons_and_questions_are_left_as_they_are,
    its_predictions_come_nearer_to_what_it_is_taught,
    its_deviation_is_above_zero,
)

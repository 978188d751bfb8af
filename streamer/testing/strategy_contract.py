"""The contract of query strategies: one suite, for the product's strategies and for yours."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from streamer.query.blocks import is_pointwise
from streamer.query.selection import choose, choose_from_pool
from streamer.query.strategies import make_strategy
from streamer.query.strategy import Batch, Scores, Strategy
from streamer.testing.contract import check_all, global_seed, require
from streamer.testing.knowledge import SIZE, one_class, taught, untaught
from streamer.types import Matrix

LIMIT: Final = 6.0
KNOWLEDGE: Final = {"nothing": untaught, "forty answers": taught, "one class": one_class}


@dataclass
class StrategyCase:
    """make: a new strategy."""

    make: Callable[[], Strategy]

    @cached_property
    def views(self) -> dict[str, Any]:
        """Views of models that know different things, by what they know."""
        return {name: make() for name, make in KNOWLEDGE.items()}

    def asked(self) -> Iterator[tuple[Strategy, Any, str]]:
        """The strategy before each view."""
        for name, view in self.views.items():
            yield self.make(), view, f"where {name} is known"


def check_strategy(strategy: Callable[[], Strategy] | str) -> None:
    """Check a query strategy of one's own against the contract.

    A strategy has a ``name``, scores a buffer when it is called, and takes a batch of it with
    ``take``; one that extends `streamer.Ranking` needs no ``take``. It may ask the view that it is
    given (`streamer.Knowledge`), and draw from the generator that it is given.

    Parameters
    ----------
    strategy
        A class, a function that makes a new strategy, a name of `--strategy`, or an import path
        such as ``"package.module:Class"``.

    Raises
    ------
    streamer.errors.ContractBroken
        Of the first rule that is broken, in one line: the rule, what was found, the remedy.
    streamer.errors.UsageError
        There is no such strategy.

    Examples
    --------
    >>> from streamer.query.strategy import Ranking, Scores
    >>> class Unusual(Ranking):
    ...     name = "unusual"
    ...     def __call__(self, features, knowledge, rng):
    ...         return Scores(np.linalg.norm(features, axis=1), "farthest from the usual")
    >>> check_strategy(Unusual)

    >>> class Careless(Unusual):
    ...     def __call__(self, features, knowledge, rng):
    ...         return Scores(np.random.default_rng().random(len(features)), "a draw of its own")
    >>> check_strategy(Careless)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    streamer.errors.ContractBroken: Careless, the same generator gives the same choice: ...
    """
    if isinstance(strategy, str):
        name, made = strategy, strategy
        case = StrategyCase(lambda: make_strategy(made))
        case.make()  # raises UsageError where there is none
    else:
        name, case = getattr(strategy, "__name__", repr(strategy)), StrategyCase(strategy)
    check_all(name, case, STRATEGY_RULES)


def buffer(count: int, seed: int = 0) -> Matrix:
    """Features as they might be heard, [count, SIZE]."""
    return np.random.default_rng([count, seed]).normal(size=(count, SIZE))


def it_has_a_name(case: StrategyCase) -> None:
    name = getattr(case.make(), "name", None)
    plain = isinstance(name, str) and name == name.strip() != "" and "\n" not in name
    require(plain, f"its name is {name!r}", "give a class attribute `name`, one line of text")


def scores_are_one_finite_number_an_utterance_with_a_reason(case: StrategyCase) -> None:
    for strategy, view, where in case.asked():
        for count in (1, 2, 10, 99):
            _require_scores(strategy(buffer(count), view, _rng()), count, where)


def a_batch_is_as_many_different_ones_as_were_wanted(case: StrategyCase) -> None:
    for strategy, view, where in case.asked():
        for size, count in ((1, 0), (1, 1), (2, 1), (10, 0), (10, 5), (40, 40)):
            batch = strategy.take(buffer(size), view, count, _rng())
            _require_batch(batch, size, count, where)


def chance_is_said_to_be_chance(case: StrategyCase) -> None:
    remedy = "use streamer.query.strategy.by_chance where what it needs is missing"
    for strategy, view, where in case.asked():
        scores = strategy(buffer(12), view, _rng())
        batch = strategy.take(buffer(12), view, 4, _rng())
        require(
            scores.at_random == batch.scores.at_random,
            f"{where} its scores are{'' if scores.at_random else ' not'} at random, but not so "
            "those of its batch",
            remedy,
        )
        require(
            scores.at_random == scores.reason.startswith("at random"),
            f"{where} at_random is {scores.at_random} and the reason {scores.reason!r}",
            f"begin the reason with 'at random' just then; {remedy}",
        )
        drawn = _rng().random(12).tolist()
        require(
            not scores.at_random or scores.values.tolist() == drawn,
            f"{where} scores at random are not the generator's",
            remedy,
        )


def the_same_generator_gives_the_same_choice(case: StrategyCase) -> None:
    remedy = "draw from the generator that is passed in and from nothing else"
    for strategy, view, where in case.asked():
        with global_seed(1):
            first = strategy(buffer(12), view, _rng(3))
            taken = strategy.take(buffer(12), view, 5, _rng(5))
        with global_seed(2):
            second = strategy(buffer(12), view, _rng(3))
            strategy.take(buffer(30), view, 9, _rng(6))
            again = strategy.take(buffer(12), view, 5, _rng(5))
        same = first.values.tobytes() == second.values.tobytes() and first.reason == second.reason
        require(same, f"{where} the same buffer has two scores", remedy)
        same = list(taken.indices) == list(again.indices)
        same = same and taken.scores.values.tobytes() == again.scores.values.tobytes()
        require(same, f"{where} the same buffer has two batches", remedy)


def choosing_teaches_nothing_and_leaves_the_buffer_alone(case: StrategyCase) -> None:
    fresh = StrategyCase(case.make)  # with views that no other rule has used
    for strategy, view, where in fresh.asked():
        rows, probe = buffer(12), buffer(5, seed=1)
        kept, before = rows.copy(), _known(view, probe)
        strategy(rows, view, _rng())
        strategy.take(rows, view, 6, _rng())
        require(
            np.array_equal(rows, kept), f"{where} it changed the features", "copy before changing"
        )
        require(
            _known(view, probe) == before,
            f"{where} it changed what is known",
            "ask the view and write to nothing that it gives",
        )


def extreme_features_can_be_scored_and_split(case: StrategyCase) -> None:
    extremes = {
        "zeros": np.zeros((5, SIZE)),
        "the largest": np.full((5, SIZE), LIMIT),
        "corners": LIMIT * np.sign(buffer(5)),
        "five times the same": np.tile(buffer(1), (5, 1)),
    }
    for strategy, view, where in case.asked():
        for name, rows in extremes.items():
            _require_scores(strategy(rows, view, _rng()), 5, f"{where}, of {name},")
            choice = choose(strategy, rows, view, 0.5, 0.3, _rng())
            require(
                sorted([*choice.asked, *choice.released]) == list(range(5))
                and len(choice.asked) == 3,
                f"{where}, of {name}, it asks {list(choice.asked)} and releases the rest",
                "take as many different ones as are wanted",
            )


def it_serves_a_pool_and_a_part_of_it(case: StrategyCase) -> None:
    for strategy, view, where in case.asked():
        for subset in (None, 12, 3):
            chosen = choose_from_pool(strategy, buffer(30), view, 5, _rng(), subset)
            require(
                len(set(chosen)) == 5 and all(0 <= index < 30 for index in chosen),
                f"{where} it takes {chosen} of a pool of 30",
                "take five different ones",
            )


def a_pointwise_score_depends_on_nothing_else(case: StrategyCase) -> None:
    remedy = "leave `pointwise` out: the scores of its utterances depend on each other"
    for strategy, view, where in case.asked():
        if not is_pointwise(strategy) or strategy(buffer(20), view, _rng()).at_random:
            continue
        whole = strategy(buffer(20), view, _rng()).values
        parts = [strategy(buffer(20)[at : at + 1], view, _rng()).values for at in range(20)]
        require(
            np.allclose(np.concatenate(parts), whole, rtol=1e-9, atol=1e-9),
            f"{where} an utterance alone has another score than among others",
            remedy,
        )
        best = [int(index) for index in np.argsort(-whole, kind="stable")[:5]]
        taken = list(strategy.take(buffer(20), view, 5, _rng()).indices)
        require(taken == best, f"{where} it takes {taken}, and the highest are {best}", remedy)


def _known(view: Any, probe: Matrix) -> list[bytes]:
    labelled = view.labelled()
    arrays = (view.means(probe), view.deviations(probe), labelled.features, labelled.answers)
    return [np.asarray(array).tobytes() for array in arrays]


def _require_scores(scores: Scores, count: int, where: str) -> None:
    values = np.asarray(scores.values)
    require(
        values.shape == (count,) and values.dtype == np.float64,
        f"{where} the scores of {count} utterances are {values.dtype} {list(values.shape)}",
        f"give float64 [{count}], one an utterance",
    )
    require(bool(np.isfinite(values).all()), f"{where} scores are {values}", "give finite numbers")
    reason = scores.reason
    require(
        reason == reason.strip() != "" and "\n" not in reason,
        f"{where} the reason is {reason!r}",
        "say in one line what the scores rest on",
    )


def _require_batch(batch: Batch, size: int, count: int, where: str) -> None:
    indices = list(batch.indices)
    require(
        len(indices) == len(set(indices)) == count,
        f"{where}, {count} of {size} wanted, it takes {indices}",
        f"take {count} different ones",
    )
    require(
        all(type(index) is int and 0 <= index < size for index in indices),
        f"{where} it takes {indices} of {size}",
        f"give indices of Python's int, 0 to {size - 1}",
    )
    _require_scores(batch.scores, size, where)


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


STRATEGY_RULES: Final = (
    it_has_a_name,
    scores_are_one_finite_number_an_utterance_with_a_reason,
    a_batch_is_as_many_different_ones_as_were_wanted,
    chance_is_said_to_be_chance,
    the_same_generator_gives_the_same_choice,
    choosing_teaches_nothing_and_leaves_the_buffer_alone,
    extreme_features_can_be_scored_and_split,
    it_serves_a_pool_and_a_part_of_it,
    a_pointwise_score_depends_on_nothing_else,
)

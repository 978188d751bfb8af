"""How a contract is checked: rule by rule, until one is broken."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np

from streamer.errors import ContractBroken
from streamer.system import in_one_line

Case = TypeVar("Case")


def require(holds: bool, problem: str, remedy: str) -> None:
    """Raises ContractBroken unless the rule holds."""
    if not holds:
        raise ContractBroken(f"{problem}: {remedy}")


def check_all(name: str, case: Case, rules: Sequence[Callable[[Case], None]]) -> None:
    """Check every rule on a case.

    Raises
    ------
    streamer.errors.ContractBroken
        Of the first rule that is broken, with its name; also where the code under test fails.
    """
    for rule in rules:
        words = rule.__name__.replace("_", " ")
        try:
            rule(case)
        except ContractBroken as broken:
            raise ContractBroken(f"{name}, {words}: {broken}") from broken
        except Exception as error:  # somebody's own code, it may fail in any way
            raise ContractBroken(
                f"{name}, {words}: it raised {in_one_line(error)}: it has to work"
            ) from error


def bits(answers: Sequence[Any]) -> list[bytes | None]:
    """To the last bit, so that two lists can be compared."""
    return [None if answer is None else np.asarray(answer).tobytes() for answer in answers]


@contextmanager
def global_seed(seed: int) -> Iterator[None]:
    """Python's and numpy's global generators seeded inside, and as before afterwards."""
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)

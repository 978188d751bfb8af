"""A few bytes of every kind of harm, and all that once crashed something."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds, try_one

CRASHES = Path(__file__).parent / "crashes"
QUICK = settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def folder_in(place: Path) -> Path:
    folder = place / str(sum(1 for _ in place.iterdir()))
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_sound_or_almost_so_never_crashes(name: str, place: Path) -> None:
    @QUICK
    @example(0, 0, b"")
    @given(st.integers(0, 40), st.integers(0, 10_000), st.binary(max_size=30))
    def spoil(which: int, at: int, put: bytes) -> None:
        sound = seeds(name)
        seed = sound[which % len(sound)]
        at %= len(seed)
        try_one(name, seed[:at] + put + seed[at + len(put) :], folder_in(place))

    spoil()


@pytest.mark.parametrize("name", TARGETS)
def test_what_once_crashed_does_so_no_more(name: str, place: Path) -> None:
    for path in sorted((CRASHES / name).glob("*")):
        try_one(name, path.read_bytes(), folder_in(place))

"""Measures of utterances, and what is usual among those that are left."""

import numpy as np
import pytest

from streamer.learners.explanation import NAMES
from streamer.profiles.archive.reading import import_profile
from streamer.profiles.archive.writing import export_profile
from streamer.profiles.forget import forget_utterances
from streamer.store.profile import Profile
from tests.support import bound_profile, store_utterance


@pytest.fixture
def measured(tmp_path):
    """Twelve utterances, each of them with all measures but the pitch of the third."""
    profile = bound_profile(tmp_path / "p")
    rows = np.random.default_rng(2).normal(20.0, 4.0, (12, len(NAMES)))
    rows[2, NAMES.index("pitch_mean_st")] = np.nan
    for row in rows:
        profile.acoustics.add(store_utterance(profile), dict(zip(NAMES, row, strict=True)))
    yield profile, rows
    profile.close()


def same_as(profile: Profile, rows: np.ndarray) -> None:
    usual = profile.acoustics.usual()
    for at, name in enumerate(NAMES):
        column = rows[:, at][~np.isnan(rows[:, at])]
        assert usual[name].count == len(column)
        assert usual[name].mean == pytest.approx(column.mean())
        assert usual[name].deviation == pytest.approx(column.std())


def test_what_is_usual_is_the_mean_of_what_is_left(measured):
    profile, rows = measured
    same_as(profile, rows)
    assert profile.acoustics.of(3)["pitch_mean_st"] is None
    forget_utterances(profile, [4, 9])
    assert profile.acoustics.of(4) is None
    same_as(profile, np.delete(rows, [3, 8], axis=0))
    profile.acoustics.add(4, {"level_dbfs": -3.0})  # measured while it was being forgotten
    assert profile.acoustics.of(4) is None
    assert len(profile.acoustics.all()) == 10


def test_measured_again_it_is_one_utterance(measured):
    profile, rows = measured
    profile.acoustics.add(1, dict(zip(NAMES, rows[1], strict=True)))
    same_as(profile, np.vstack([rows[1], rows[1:]]))


def test_measures_go_along_with_a_profile(measured, tmp_path):
    profile, rows = measured
    export_profile(profile, tmp_path / "exported", {})
    there = Profile(tmp_path / "there")
    import_profile(there, tmp_path / "exported", None)
    same_as(there, rows)
    there.close()


def test_nothing_is_usual_where_nothing_was_measured(profile):
    assert profile.acoustics.usual() == {}

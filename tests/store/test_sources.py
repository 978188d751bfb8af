"""Sources in a profile: kept, used, removed without a trace."""

import numpy as np
import pytest

from streamer.errors import NotFound, UsageError
from streamer.learners.source import LabelledSource, SourceModel

SHA = "a" * 64


def labelled(seed: int = 0) -> LabelledSource:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((40, 5))
    features[:, 0] += np.where(np.arange(40) % 2 == 0, 2.0, -2.0)
    source = LabelledSource(features, np.full((40, 3), np.nan), ["happy", "sad"] * 20)
    return source.with_norms()


def test_a_source_is_kept_with_its_model(profile):
    source = labelled()
    row = profile.sources.add("colleague", source, "small", SHA)
    assert (row.name, row.encoder, row.clips, row.emotions) == (
        "colleague", "small", 40, ("happy", "sad"),
    )  # fmt: skip
    assert row.rated
    assert not row.active
    assert profile.sources.names() == ["colleague"]
    kept = profile.sources.labelled("colleague")
    np.testing.assert_allclose(kept.features, source.features, atol=1e-6)
    assert list(kept.emotions) == list(source.emotions)


def test_only_the_one_in_use_speaks_and_only_for_its_encoder(profile):
    source = labelled()
    profile.sources.add("a", source, "small", SHA)
    profile.sources.add("b", labelled(1), "small", SHA)
    assert profile.sources.active(SHA) is None
    profile.sources.use("a")
    rows = source.features[:3]
    expected = SourceModel(source, source.features[:0]).probabilities(rows)
    np.testing.assert_array_equal(profile.sources.active(SHA).probabilities(rows), expected)
    assert profile.sources.active("b" * 64) is None
    assert [profile.sources.row(name).active for name in ("a", "b")] == [True, False]


def test_another_start_drops_the_snapshot_and_the_same_one_does_not(profile):
    profile.sources.add("a", labelled(), "small", SHA)
    profile.save_state("learner", {"x": np.ones(2)})
    profile.sources.use(None)
    assert profile.load_state("learner") is not None
    profile.sources.use("a")
    assert profile.load_state("learner") is None
    profile.save_state("learner", {"x": np.ones(2)})
    profile.sources.remove("a")
    assert profile.load_state("learner") is None
    assert profile.sources.active_name() is None
    assert profile.database.rows("SELECT * FROM states WHERE name LIKE 'source%'") == []


def test_names_that_are_not_there_or_twice(profile):
    profile.sources.add("a", labelled(), "small", SHA)
    with pytest.raises(UsageError, match="'a' already"):
        profile.sources.add("a", labelled(), "small", SHA)
    with pytest.raises(NotFound, match="there is: a"):
        profile.sources.use("z")
    with pytest.raises(NotFound, match="no source 'z'"):
        profile.sources.remove("z")

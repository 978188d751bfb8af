"""One task asked, the other known from a source: learners, measures, and `evaluate --source`."""

import csv
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from streamer.cli import app
from streamer.config import Config
from streamer.errors import CorpusError, UsageError
from streamer.evaluation.cross_task import (
    NORM_MAPPING,
    AlignedSource,
    CrossTaskLearner,
    NormMapping,
    run_cross_task,
    whole_target,
    with_norms,
)
from streamer.evaluation.dataset import Dataset
from streamer.evaluation.evaluate import PAGE_NAME, evaluate
from streamer.evaluation.plan import Plan
from streamer.evaluation.protocol import Pool
from streamer.evaluation.run import PoolAndTest
from streamer.learners.affective_norms import affective_norm
from streamer.learners.source import LabelledSource, SourceModel

NAMES = ("angry", "happy", "sad")


def named(count: int, seed: int, size: int = 6) -> Dataset:
    """Three emotions apart in three features; no ratings but the norms."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 3, count)
    features = rng.standard_normal((count, size))
    features[np.arange(count), kinds] += 2.5
    bare = Dataset(features, np.full((count, 3), np.nan), [NAMES[k] for k in kinds])
    return with_norms(bare)


def source() -> LabelledSource:
    dataset = named(150, 1)
    return LabelledSource(dataset.features, dataset.affect, dataset.emotions)


def side(count: int) -> PoolAndTest:
    return PoolAndTest(np.arange(count // 2), np.arange(count // 2, count))


def test_targets_have_norms_where_they_have_no_rating():
    dataset = named(30, 0)
    for row, name in zip(dataset.affect, dataset.emotions, strict=True):
        np.testing.assert_array_equal(row, affective_norm(str(name)))


def test_the_source_knows_one_task_and_the_answers_teach_the_other():
    dataset = named(60, 0)
    model = SourceModel(source(), dataset.features)
    asked = CrossTaskLearner(dataset, "emotion", model)
    rows = dataset.features[:5]
    before = asked.knowledge.means(rows)
    np.testing.assert_array_equal(before, model.means(rows))
    assert asked.knowledge.classes(rows) is None
    for utterance in range(20):
        asked.learn(utterance)
    np.testing.assert_array_equal(asked.knowledge.means(rows), before)
    assert asked.knowledge.classes(rows).names == tuple(dict.fromkeys(dataset.emotions[:20]))
    assert np.isnan(asked.labelled().answers).all()

    rated = CrossTaskLearner(dataset, "dimensions", model)
    chances = rated.knowledge.classes(rows).probabilities
    rated.learn(0)
    np.testing.assert_array_equal(rated.knowledge.classes(rows).probabilities, chances)
    assert rated.labelled().emotions == [None]
    assert np.abs(rated.knowledge.means(rows)).sum() > 0.0


def test_norm_mapping_is_equation_three_and_learns_nothing():
    dataset = named(60, 0)
    model = SourceModel(source(), dataset.features)
    learner = NormMapping(dataset, model)
    chances = model.probabilities(dataset.features[:4])
    expected = chances @ np.array([affective_norm(name) for name in model.classes])
    np.testing.assert_allclose(learner.means([0, 1, 2, 3]), expected)
    learner.learn(7)
    np.testing.assert_allclose(learner.means([0, 1, 2, 3]), expected)


def test_whole_target_counts_answers_as_right():
    dataset = named(40, 0)
    model = SourceModel(source(), dataset.features)
    learner = CrossTaskLearner(dataset, "emotion", model)
    everyone = np.arange(40)
    values = whole_target(learner, dataset, everyone, range(40), ("emotion",))
    assert values == {"emotion/whole-uar": 1.0, "emotion/whole-wa": 1.0}
    values = whole_target(learner, dataset, everyone, [], ("emotion",))
    assert values["emotion/whole-wa"] == 0.0  # nothing is learned: no answer at all
    learner = CrossTaskLearner(dataset, "dimensions", model)
    half = whole_target(learner, dataset, everyone, range(20), ("valence",))
    truth = dataset.affect[:, 0]
    off = np.where(everyone < 20, 0.0, learner.means(everyone)[:, 0] - truth)
    assert half["valence/whole-rmse"] == pytest.approx(np.sqrt((off**2).mean()))


@pytest.mark.parametrize("strategy", ["random", "lc-ctial", "mtigs-ctial", "source-mtigs"])
def test_both_tasks_in_one_outcome(strategy):
    dataset = named(80, 0)
    scenario = Pool(batch=1, rounds=6, first=10)
    found = run_cross_task(
        dataset, AlignedSource(source(), "bda"), side(80), scenario, strategy, 0, ("valence",)
    )
    assert found.labels == [10, 11, 12, 13, 14, 15, 16]
    for name in ("emotion/uar", "emotion/whole-uar", "arousal/ccc", "arousal/whole-rmse"):
        assert len(found.values[name]) == 7
    assert found.values["emotion/uar"][-1] > 0.6
    again = run_cross_task(
        dataset, AlignedSource(source(), "bda"), side(80), scenario, strategy, 0, ("valence",)
    )
    assert again.values == found.values


def test_norm_mapping_stays_where_it_is_on_the_held_out_side():
    dataset = named(80, 0)
    scenario = Pool(batch=1, rounds=5, first=10)
    found = run_cross_task(
        dataset, AlignedSource(source(), "none"), side(80), scenario, NORM_MAPPING, 0, ("valence",)
    )
    assert len(set(found.values["valence/rmse"])) == 1
    whole = found.values["valence/whole-rmse"]
    assert whole[-1] < whole[0]


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """Two feature tables of one kind, of 4 speakers each."""
    paths = []
    for name, seed in (("source", 1), ("target", 0)):
        dataset = named(160, seed)
        path = tmp_path / f"{name}.csv"
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["utterance", "speaker", "emotion", *(f"f{k}" for k in range(6))])
            for k, row in enumerate(dataset.features):
                writer.writerow([f"u{k}", f"s{k % 4}", dataset.emotions[k], *row])
        paths.append(path)
    return paths[0], paths[1]


def test_evaluate_with_a_source_writes_the_page(tables, tmp_path):
    out = tmp_path / "out"
    done = CliRunner().invoke(
        app,
        ["evaluate", str(tables[1]), "--source", str(tables[0]), "--adapt", "tca",
         "--strategy", "lc-ctial,nrc-mapping", "--scenario", "pool", "--batch", "5",
         "--rounds", "4", "--first", "10", "--seeds", "2", "--jobs", "1", "--out", str(out)],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    page = (out / PAGE_NAME).read_text()
    assert "comes from source, aligned by TCA" in page
    assert "of the whole target, answers included" in page
    with (out / "strategies.csv").open(newline="") as file:
        rows = {(r["measure"], r["strategy"]): r for r in csv.DictReader(file)}
    assert float(rows["emotion/uar", "lc-ctial"]["final"]) > 0.7
    assert ("valence/whole-ccc", "nrc-mapping") in rows


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"alignment": "procrustes"}, "none, tca, bda"),
        ({"source": None, "alignment": "tca"}, "give one with --source"),
        ({"strategies": ("all",)}, "name one that chooses"),
        ({"source": None, "strategies": ("nrc-mapping",)}, "requires a source"),
        ({"learner": "tuned"}, "use --learner plain"),
    ],
)
def test_what_a_source_cannot_mean_is_refused(tables, tmp_path, change, says):
    given = {"place": tables[1], "out": tmp_path / "out", "source": tables[0]} | change
    with pytest.raises(UsageError, match=says):
        evaluate(Config(), Plan(**given), lambda *_: None)


def test_features_of_another_kind_are_refused(tables, tmp_path):
    narrow = tmp_path / "narrow.csv"
    with tables[0].open(newline="") as file, narrow.open("w", newline="") as other:
        csv.writer(other).writerows(row[:-1] for row in csv.reader(file))
    plan = Plan(tables[1], tmp_path / "out", source=narrow)
    with pytest.raises(CorpusError, match="has 5 features and target 6"):
        evaluate(Config(), plan, lambda *_: None)

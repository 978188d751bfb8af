import csv
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from streamer.cli import app
from streamer.config import Config
from streamer.errors import CorpusError, UsageError
from streamer.evaluation.evaluate import LOG_NAME, PAGE_NAME, evaluate
from streamer.evaluation.plan import Plan
from streamer.evaluation.preparation import encoder_maker
from streamer.evaluation.protocol import Pool, Stream
from streamer.evaluation.scales import ONE_TO_FIVE, scale_of
from tests.conftest import Streamer

SMALL = Stream(buffer=10, first=10, length=60)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A feature table of 6 speakers whose arousal follows the first feature."""
    rng = np.random.default_rng(0)
    path = tmp_path / "made.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["utterance", "speaker", "emotion", "valence", "arousal", "f0", "f1"])
        for k in range(240):
            features = rng.normal(size=2)
            arousal = float(np.clip(3 + features[0] + 0.2 * rng.normal(), 1, 5))
            emotion = "angry" if arousal > 3 else "sad"
            writer.writerow([f"u{k}", f"s{k % 6}", emotion, 3.0, arousal, *features])
    return path


def plan(table: Path, out: Path, **settings) -> Plan:
    usual = {"scale": ONE_TO_FIVE, "scenario": SMALL, "seeds": 3}
    return Plan(place=table, out=out, **(usual | settings))


def quiet(what: str, done: int, total: int) -> None:
    pass


def test_a_table_becomes_a_page_and_tables(table, tmp_path):
    told = []
    found = evaluate(
        Config(), plan(table, tmp_path / "out"), lambda *progress: told.append(progress)
    )
    assert found.page == tmp_path / "out" / PAGE_NAME
    assert "Learning curves on made" in found.page.read_text()
    assert told[-1] == ("runs", 6, 6)
    assert any(a.startswith("Arousal, concordance") for a in found.sentences)
    with (tmp_path / "out" / "strategies.csv").open(newline="") as file:
        rows = {(r["measure"], r["strategy"]): r for r in csv.DictReader(file)}
    assert float(rows["arousal/ccc", "binary-confidence"]["final"]) > 0.8
    assert float(rows["emotion/uar", "random"]["final"]) > 0.8


def test_the_owner_s_own_parts(table, tmp_path):
    """Half of every speaker is of another part; what both know is said."""
    with_column(table, "split", ["train" if k % 12 < 6 else "test1" for k in range(240)])
    path = evaluate(Config(), plan(table, tmp_path / "own", test_part="test1"), quiet).page
    assert "tested on test1, which shares 6 speakers with it" in path.read_text()
    with (tmp_path / "own" / LOG_NAME).open() as log:
        assert '"test_part": "test1"' in next(log)
    with pytest.raises(CorpusError, match="it has: test1, train"):
        evaluate(Config(), plan(table, tmp_path / "none", test_part="test2"), quiet)


def with_column(table: Path, name: str, values: list[str]) -> None:
    with table.open(newline="") as file:
        header, *rows = csv.reader(file)
    with table.open("w", newline="") as file:
        own = [[*row, value] for row, value in zip(rows, values, strict=True)]
        csv.writer(file).writerows([[*header, name], *own])


def take_ratings_away(table: Path, whose: Callable[[list[str]], bool]) -> None:
    with table.open(newline="") as file:
        header, *rows = csv.reader(file)
    with table.open("w", newline="") as file:
        bare = [[*row[:2], "", "", "", *row[5:]] if whose(row) else row for row in rows]
        csv.writer(file).writerows([header, *bare])


def test_a_part_that_teaches_or_tests_nothing_is_refused(table, tmp_path):
    with_column(table, "split", ["train", "test"] * 120)
    with pytest.raises(UsageError, match="is for learning"):
        evaluate(Config(), plan(table, tmp_path / "a", test_part="train"), quiet)
    take_ratings_away(table, lambda row: row[-1] == "test")
    with pytest.raises(CorpusError, match="or none to test on, in test;"):
        evaluate(Config(), plan(table, tmp_path / "b", test_part="test"), quiet)


def test_a_speaker_whom_nobody_rated_is_not_tested_on(table, tmp_path):
    take_ratings_away(table, lambda row: row[1] == "s5")
    answers = evaluate(Config(), plan(table, tmp_path, seeds=5), quiet).sentences
    assert any(a.startswith("Arousal, concordance") for a in answers)


def test_runs_of_other_sides_are_not_taken_up_again(table, tmp_path):
    original = table.read_text()
    with_column(table, "session", [f"s{k % 6 // 3}" for k in range(240)])
    evaluate(Config(), plan(table, tmp_path), quiet)
    table.write_text(original)
    with_column(table, "session", [f"s{k % 6 // 2}" for k in range(240)])
    with pytest.raises(UsageError, match="another experiment"):
        evaluate(Config(), plan(table, tmp_path), quiet)


def test_another_strategy_runs_only_what_is_new(table, tmp_path):
    evaluate(Config(), plan(table, tmp_path), quiet)
    before = (tmp_path / LOG_NAME).read_text()
    told = []
    evaluate(
        Config(),
        plan(table, tmp_path, strategies=("binary-confidence", "gsx")),
        lambda *progress: told.append(progress),
    )
    assert told[0] == ("runs", 6, 9)
    assert (tmp_path / LOG_NAME).read_text().startswith(before)


def test_other_ratings_or_another_scale_are_not_taken_for_the_same(table, tmp_path):
    evaluate(Config(), plan(table, tmp_path), quiet)
    with pytest.raises(UsageError, match="another experiment"):
        evaluate(Config(), plan(table, tmp_path, scale=scale_of(0, 6)), quiet)
    table.write_text(table.read_text().replace("angry", "happy"))
    with pytest.raises(UsageError, match="another experiment"):
        evaluate(Config(), plan(table, tmp_path), quiet)


def test_a_table_of_one_voice_tells_what_is_missing_and_what_was_left_out(table, tmp_path):
    rows = table.read_text().splitlines()
    table.write_text("\n".join([rows[0], *rows[1::6], "x,s0,sad,9.0,1.0,0,0"]))
    with pytest.raises(CorpusError, match=r"1 speakers .*1 faults, the first: made\.csv line 42"):
        evaluate(Config(), plan(table, tmp_path), quiet)


def test_no_speaker_is_on_both_sides_whatever_the_seed(table, tmp_path, monkeypatch):
    seen = []

    def noted(dataset, side, *_rest):
        seen.append({k % 6 for k in side.pool} & {k % 6 for k in side.test})
        raise KeyboardInterrupt

    monkeypatch.setattr("streamer.evaluation.evaluate.run_trial", noted)
    with pytest.raises(KeyboardInterrupt):
        evaluate(Config(), plan(table, tmp_path), quiet)
    assert seen == [set()]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"strategies": ("cleverest",)}, "no query strategy 'cleverest'"),
        ({"strategies": ()}, "no strategy: give"),
        ({"strategies": ("all",), "scenario": Pool()}, "labels a whole stream"),
        ({"learner": "deep"}, "no learner 'deep'"),
        ({"seeds": 0}, "at least 1"),
        ({"dimensions": ("mood",)}, "no dimension 'mood'"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_read(tmp_path, settings, words):
    with pytest.raises(UsageError, match=words):
        evaluate(Config(), plan(tmp_path / "missing.csv", tmp_path, **settings), quiet)


def test_a_missing_corpus_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"missing\.csv does not exist"):
        evaluate(Config(), plan(tmp_path / "missing.csv", tmp_path), quiet)


@pytest.mark.parametrize("out", ["/proc/ev", "made.csv/x"])
def test_a_folder_that_cannot_be_is_told_before_anything_runs(table, tmp_path, out):
    told = []
    with pytest.raises(UsageError, match=r"cannot write into the folder .*: give another --out"):
        evaluate(Config(), plan(table, tmp_path / out), lambda *progress: told.append(progress))
    assert not told


@pytest.mark.long
def test_the_verb(streamer: Streamer, table: Path, tmp_path: Path):
    out = tmp_path / "curves"
    done = streamer(
        "evaluate", table, "--scale", "1:5", "--strategy", "binary-confidence", "--length", 40,
        "--buffer", 10, "--first", 10, "--seeds", 2, "--jobs", 1, "--out", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Arousal, concordance (CCC): binary-confidence" in done.stdout
    assert (out / PAGE_NAME).is_file()
    wrong = streamer("evaluate", table, "--scale", "1:5", "--scenario", "lake", "--out", out)
    assert wrong.returncode == 2
    assert "choose stream or pool" in wrong.stderr
    unstated = streamer("evaluate", table, "--out", out)
    assert unstated.returncode == 2
    assert unstated.stderr.startswith("streamer: ")  # no empty line of the bar before it
    assert "--scale=-1:1" in unstated.stderr


def test_the_columns_of_a_table_can_be_found_out(table, tmp_path):
    columns = "utterance, speaker, f0, f1, ..."
    told = CliRunner().invoke(app, ["evaluate", "--help"]).output
    assert columns in " ".join(told.split())
    table.write_text("name,value\na,1\n")
    with pytest.raises(CorpusError, match=columns.replace(".", r"\.")):
        evaluate(Config(), plan(table, tmp_path), quiet)


def test_the_encoder_of_loaded_settings_can_be_made_in_other_processes():
    make = encoder_maker(Config.load(threads=1), "acoustic")
    assert pickle.dumps(make)
    assert make().name == "acoustic"


OWN = """
import numpy as np
import streamer.query.strategy as query

class Nearest(query.Ranking):
    name = "nearest"
    def __init__(self, dimensions, share=1.0):
        self.dimensions, self.share = dimensions, share
    def __call__(self, features, knowledge, rng):
        return query.Scores(-self.share * np.linalg.norm(features, axis=1), "nearest to the usual")

class Mean:
    def __init__(self):
        self.total, self.count = 0.0, 1
    def learn_one(self, x, y):
        self.total, self.count = self.total + y, self.count + 1
    def predict_one(self, x):
        return self.total / self.count
"""


def test_a_strategy_and_a_learner_of_ones_own_are_evaluated(table, tmp_path, streamer: Streamer):
    (tmp_path / "mine.py").write_text(OWN)
    done = streamer(
        "evaluate", table, "--scale", "1:5", "--strategy", "random,mine:Nearest(share=0.5)",
        "--learner", "mine:Mean", "--buffer", 10, "--first", 10, "--length", 60, "--seeds", 2,
        "--jobs", 2, "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out" / "strategies.csv").open(newline="") as file:
        rows = {(r["measure"], r["strategy"]): r for r in csv.DictReader(file)}
    assert float(rows["arousal/rmse", "mine:Nearest(share=0.5)"]["final"]) > 0.3  # a mean, no more
    refused = streamer("evaluate", table, "--scale", "1:5", "--strategy", "mine:Mean")
    assert refused.returncode == 2
    assert "mine:Mean is no query strategy" in refused.stderr

import json

import pytest

from streamer.errors import UsageError
from streamer.evaluation.grid import Cell, read_log, run_cells
from streamer.evaluation.run import Outcome

CELLS = [Cell("", "plain", name, seed) for name in ("a", "b") for seed in range(3)]
HEAD = {"corpus": "made", "clips": 3, "dimensions": ["valence"]}


def result_of(cell: Cell) -> Outcome:
    value = cell.seed + 0.1 * len(cell.strategy)
    return Outcome([1, 2], {"x/ccc": [value, float("nan")]})


class Interrupted:
    """Works so many cells, then is interrupted; counts its calls."""

    def __init__(self, after: int) -> None:
        self.after = after
        self.done: list[Cell] = []

    def __call__(self, cell: Cell) -> Outcome:
        if len(self.done) == self.after:
            raise KeyboardInterrupt
        self.done.append(cell)
        return result_of(cell)


def test_an_interrupted_grid_goes_on_where_it_ended(tmp_path):
    log = tmp_path / "runs.jsonl"
    first = Interrupted(4)
    with pytest.raises(KeyboardInterrupt):
        run_cells(CELLS, first, log, HEAD)
    second = Interrupted(99)
    results = run_cells(CELLS, second, log, HEAD)
    assert first.done + second.done == CELLS
    assert {str(o) for o in results.values()} == {str(result_of(c)) for c in CELLS}
    assert list(results) == CELLS


def test_a_line_cut_off_by_a_kill_is_done_again(tmp_path):
    log = tmp_path / "runs.jsonl"
    run_cells(CELLS, result_of, log, HEAD)
    text = log.read_text()
    log.write_text(text[: -len(text.splitlines()[-1]) // 2])
    again = Interrupted(99)
    results = run_cells(CELLS, again, log, HEAD)
    assert again.done == CELLS[-1:]
    assert str(results) == str(run_cells(CELLS, Interrupted(0), log, HEAD))


def test_the_log_is_json_without_nan(tmp_path):
    log = tmp_path / "runs.jsonl"
    run_cells(CELLS, result_of, log, HEAD)
    for line in log.read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)


@pytest.mark.long
def test_processes_give_the_same_as_none(tmp_path):
    results = run_cells(CELLS, result_of, tmp_path / "many.jsonl", HEAD, jobs=2)
    assert str(results) == str(run_cells(CELLS, result_of, tmp_path / "one.jsonl", HEAD))


def test_progress_counts_what_was_done_before(tmp_path):
    log = tmp_path / "runs.jsonl"
    run_cells(CELLS[:2], result_of, log, HEAD)
    told = []
    run_cells(CELLS, result_of, log, HEAD, progress=lambda *at: told.append(at))
    assert told == [(2, 6), (3, 6), (4, 6), (5, 6), (6, 6)]


@pytest.mark.parametrize("left", ["", '{"corpus": "x'])
def test_a_log_without_a_whole_line_is_begun_anew(tmp_path, left):
    log = tmp_path / "runs.jsonl"
    log.write_text(left)
    assert len(run_cells(CELLS, result_of, log, HEAD)) == 6
    assert run_cells(CELLS, lambda cell: pytest.fail("it is done"), log, HEAD)


def test_more_strategies_may_come_but_not_another_experiment(tmp_path):
    log = tmp_path / "runs.jsonl"
    run_cells(CELLS, result_of, log, HEAD)
    assert len(run_cells([*CELLS, Cell("", "plain", "c", 0)], result_of, log, HEAD)) == 7
    with pytest.raises(UsageError, match="another experiment"):
        read_log(log, {**HEAD, "clips": 4})
    with pytest.raises(UsageError, match="at least 1"):
        run_cells(CELLS, result_of, log, HEAD, jobs=0)

"""An experiment as CSV: the curves, and the strategies' standings."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from streamer.evaluation.leaderboard import Board


def write_tables(folder: Path, boards: Sequence[Board]) -> None:
    """curves.csv (measure, strategy, labels, mean, deviation, runs) and strategies.csv."""
    _write(
        folder / "curves.csv",
        ("measure", "strategy", "labels", "mean", "deviation", "runs"),
        (
            (board.name, strategy, int(labels), mean, deviation, board.runs)
            for board in boards
            for strategy, curve in board.curves.items()
            for labels, mean, deviation in zip(
                curve.labels, curve.mean, curve.deviation, strict=True
            )
        ),
    )
    _write(
        folder / "strategies.csv",
        (
            "measure", "strategy", "area", "gain", "p_holm", "final", "final_deviation", "labels",
            "passive_best", "passive_labels", "labels_to_passive_best",
        ),
        (
            (
                board.name, standing.strategy, standing.area,
                "" if standing.compared is None else standing.compared.gain,
                "" if standing.compared is None else standing.compared.p,
                standing.final, standing.final_deviation, int(standing.labels),
                board.passive_best, int(board.passive_labels),
                "" if standing.needed is None else int(standing.needed),
            )
            for board in boards
            for standing in board.standings
        ),
    )  # fmt: skip


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)

"""Every corpus that may be trained on has its licence named."""

import csv
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the extra 'train' (torch) is not installed")

from streamer.training.export.licences import LICENCES

SPEECH = Path(__file__).parents[4] / "shared" / "data" / "speech"


def test_every_packed_corpus_is_named():
    rows = SPEECH / "clips.csv"
    if not rows.is_file():
        pytest.skip(f"no packed corpora at {SPEECH}")
    with rows.open(newline="", encoding="utf-8") as table:
        assert {row["corpus"] for row in csv.DictReader(table)} <= set(LICENCES)

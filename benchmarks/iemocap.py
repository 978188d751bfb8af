"""IEMOCAP's 47 functionals, as the benchmarks of query strategies use them."""

from pathlib import Path

import numpy as np

from streamer.evaluation.corpus import Corpus, Indices
from streamer.evaluation.readers.feature_table import read_feature_table
from streamer.evaluation.scales import ONE_TO_FIVE

SHARED = Path(__file__).parents[2] / "shared" / "data"
TABLE = SHARED / "features" / "iemocap_egemaps47.csv.gz"


def read_iemocap() -> Corpus:
    """The corpus with its features. Ends the program, saying why, where the table is missing."""
    if not TABLE.is_file():
        raise SystemExit(f"skipped: {TABLE} is not there (research data that is not part of this)")
    return read_feature_table(TABLE, ONE_TO_FIVE)


def of_sessions(corpus: Corpus, numbers: set[int]) -> Indices:
    """The utterances of some of the sessions 1 to 5."""
    sessions = np.array([int(clip.session) for clip in corpus.clips])
    return np.flatnonzero(np.isin(sessions, list(numbers)))

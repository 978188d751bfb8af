"""A corpus made ready for runs: embedded, with its embeddings in the cache, and standardized."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from streamer.config import Config
from streamer.errors import CorpusError, UsageError
from streamer.evaluation.corpus import Corpus, Features
from streamer.evaluation.dataset import Dataset, dataset_of
from streamer.evaluation.embedding import Encoder, embed
from streamer.evaluation.plan import Plan
from streamer.loop.compose import make_encoder

Progress = Callable[[str, int, int], None]


def prepared(
    corpus: Corpus,
    place: Path,
    settings: Config,
    plan: Plan,
    progress: Progress,
    notify: Callable[[str], None],
) -> tuple[Corpus, Dataset, Features | None]:
    """A corpus with features, its dataset, and its emotion vectors unless it is a table.

    Raises CorpusError where no clip is usable.
    """
    vectors = None
    if corpus.features is None:
        cache = settings.cache / "embeddings"
        make_folder(cache, "make it writable, or set STREAMER_HOME")
        embedded = embed(
            corpus,
            encoder_maker(settings, plan.encoder),
            cache,
            workers=plan.jobs,
            cluster=plan.cluster,
            progress=partial(progress, "embeddings"),
        )
        there = len(embedded.corpus) - embedded.encoded
        notify(f"embeddings: {embedded.encoded:,} computed, {there:,} from the cache "
               f"{embedded.cache}")  # fmt: skip
        corpus, vectors = embedded.corpus, embedded.emotion
    if not len(corpus):
        raise CorpusError(f"{place} contains no usable clip{first_fault(corpus)}")
    pool = np.arange(len(corpus))
    return corpus, dataset_of(corpus, pool, "speaker" if corpus.speakers else "pool"), vectors


def make_folder(folder: Path, remedy: str = "give another --out") -> None:
    """Raises UsageError where it cannot be created or written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"cannot write into the folder {folder}: {error.strerror}: {remedy}"
        ) from error


def encoder_maker(settings: Config, name: str) -> Callable[[], Encoder]:
    """A factory of the encoder that can be sent to another process.

    Loaded settings cannot be pickled: their class is created for their file.
    """
    return partial(_make_encoder, settings.models, settings.threads, name)


def _make_encoder(models: Path, threads: int, name: str) -> Encoder:
    return make_encoder(Config.load(models=models, threads=threads), name)


def first_fault(corpus: Corpus) -> str:
    if not corpus.faults:
        return ""
    first = corpus.faults[0]
    return f" ({len(corpus.faults)} faults, the first: {first.what}: {first.problem})"

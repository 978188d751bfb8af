"""Labelled voices as profiles hear them: embedded by an encoder, one voice at a time.

Shared by the benchmarks of what labels bring. The prior of a corpus is always one that was fitted
without its labels: `python -m streamer.training prior --without CORPUS --out FILE`, which
`prior_without` calls and keeps.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Final

import numpy as np

from benchmarks.iemocap import SHARED
from streamer.encoders.prior_file import read_prior
from streamer.encoders.registry import EncoderRow, find_encoder
from streamer.learners.normalization import RunningNormalization
from streamer.learners.prior import Prior
from streamer.training.data.speech import Clip
from streamer.training.export.prior import norm_of
from streamer.training.export.voices import embedded, make_prior
from streamer.types import Matrix

SPEECH: Final = SHARED / "speech"
CACHE: Final = Path(gettempdir()) / "streamer-voices"
CORPORA: Final = ("emovo", "nemo", "turev", "ravdess", "emospeech_in", "savee")
# Most labels that a voice gives, and the part of its clips of each emotion that is the test.
LONG, SHORT = 60, 14
MOST: Final = {True: 40, False: 8}
HELD: Final = {True: 1 / 3, False: 1 / 2}


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """One voice's clips: embeddings [n, d], emotion vectors [n, e], affect [n, 3], emotions [n]."""

    corpus: str
    name: str
    embeddings: Matrix
    vectors: Matrix
    affect: Matrix
    emotions: list[str]

    def __len__(self) -> int:
        return len(self.emotions)


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """A draw from a voice: standard scores of all of its clips once all were heard; pool: those

    that are labelled, in order; test: the others, the same part of every emotion.
    """

    voice: Voice
    features: Matrix
    pool: np.ndarray
    test: np.ndarray


def encoder_row(name: str = "") -> EncoderRow:
    return find_encoder(name)


def vectors_of(row: EncoderRow, cache: Path = CACHE) -> tuple[list[Clip], np.ndarray, np.ndarray]:
    """Ends the program, saying why, where the corpora are missing."""
    if not (SPEECH / "clips.csv").is_file():
        raise SystemExit(f"skipped: {SPEECH} is not there (corpora that are not part of this)")
    cache.mkdir(parents=True, exist_ok=True)
    return embedded(row, SPEECH, cache / f"{row.name}.npz")


def prior_without(row: EncoderRow, corpus: str, cache: Path = CACHE) -> Prior:
    """What an encoder knows of voices when it never had the labels of a corpus."""
    path = cache / f"{row.name}-without-{corpus}.npz"
    if not path.is_file():
        make_prior(row.folder, row.name, SPEECH, cache / f"{row.name}.npz", [corpus], path)
    return read_prior(path, row.name, row.sha256, (row.embedding_size, row.emotion_size))


def voices_of(
    clips: list[Clip], embeddings: np.ndarray, vectors: np.ndarray, corpus: str
) -> list[Voice]:
    """Those with enough clips of known emotions, in alphabetical order."""
    rows: dict[str, list[int]] = {}
    for index, clip in enumerate(clips):
        if clip.corpus == corpus and clip.speaker and norm_of(clip.emotion) is not None:
            rows.setdefault(clip.speaker, []).append(index)
    return [
        Voice(
            corpus, name, embeddings[own].astype(np.float64), vectors[own].astype(np.float64),
            np.array([norm_of(clips[i].emotion) for i in own], np.float64),
            [clips[i].emotion for i in own],
        )
        for name, own in sorted(rows.items())
        if len(own) >= SHORT
    ]  # fmt: skip


def sessions(
    voice: Voice, prior: Prior, draws: int, seed: int, most: int | None = None
) -> Iterator[Session]:
    """Draws of a voice, whatever the learner: the same clips in the same order.

    most: clips in the pool; None: `MOST`.
    """
    rng = np.random.default_rng(seed)
    long = len(voice) >= LONG
    emotions = np.array(voice.emotions)
    for _ in range(draws):
        held: list[int] = []
        for emotion in np.unique(emotions):
            own = rng.permutation(np.flatnonzero(emotions == emotion))
            held.extend(own[: int(len(own) * HELD[long] + rng.random())])
        test = np.array(sorted(held))
        pool = rng.permutation(np.setdiff1d(np.arange(len(voice)), test))[
            : MOST[long] if most is None else most
        ]
        usual = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
        for index in rng.permutation(len(voice)):
            usual.update(voice.embeddings[index])
        yield Session(voice, usual.apply(voice.embeddings), pool, test)

"""The embeddings of a corpus, computed once and cached in a file.

The cache is saved during the run (see `embedding_cache`), so that an interrupted run resumes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from streamer.errors import CorpusError, UnreadableAudio, UsageError
from streamer.evaluation.corpus import Corpus, CorpusClip, Fault, Features, Indices
from streamer.evaluation.duplicates import first_alike, sketch
from streamer.evaluation.embedding_cache import CacheRow, EmbeddingCache
from streamer.evaluation.sound import ClipSound
from streamer.loop.workers.open import open_workers
from streamer.types import Samples

# A batch is what one process does in one go, and what is lost at most by a kill.
_BATCH: Final = 32
_BATCHES_A_SAVE: Final = 8

Batch = list[tuple[int, CorpusClip]]


class Encoder(Protocol):
    """Any of Streamer's encoders."""

    name: str
    sha256: str
    embedding_size: int
    emotion_size: int

    def encode(self, audio: Samples) -> tuple[Samples, Samples]: ...


@dataclass(frozen=True, slots=True)
class Embedded:
    """A corpus with its embeddings as features [clips, d], and the emotion vectors [clips, e].

    Clips that could not be read are among the corpus's faults. Those that hold the same samples
    have the same `recording`. cache: the file that keeps them; encoded: clips that it lacked.
    """

    corpus: Corpus
    emotion: Features
    cache: Path
    encoded: int = 0


def embed(
    corpus: Corpus,
    make_encoder: Callable[[], Encoder],
    cache: Path,
    *,
    workers: int = 1,
    cluster: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Embedded:
    """Embed every clip of a corpus.

    make_encoder: called in this process, and once in every worker; with several workers it must be
    picklable, such as `functools.partial(OnnxEncoder, row)`. cache: a folder, made if missing.
    workers: processes; cluster: see `open_workers`; its workers must see the same files. progress:
    called with the number of clips done and the total. Raises CorpusError where the corpus has no
    audio, or none of it can be read.
    """
    if workers < 1:
        raise UsageError(f"{workers} workers: give at least 1")
    if any(clip.path is None for clip in corpus.clips):
        raise CorpusError(f"{corpus.name} is a table without audio: its features need no encoder")
    encoder = make_encoder()
    sizes = encoder.embedding_size, encoder.emotion_size
    book = EmbeddingCache.open(cache, corpus, encoder.name, encoder.sha256, sizes)
    encoded = 0
    with book.kept_up():
        total = len(corpus)
        progress(book.through, total)
        batches = _batches(corpus, book.to_do)
        # In this process the encoder that is loaded already.
        here = workers == 1 and cluster is None
        setup = _Setup((lambda: encoder) if here else make_encoder)
        if batches:
            with open_workers(setup, min(workers, len(batches)), cluster) as opened:
                for count, (_, rows) in enumerate(opened.map(batches), 1):
                    book.write(rows)
                    encoded += sum(not row.problem for row in rows)
                    if count % _BATCHES_A_SAVE == 0:
                        book.save()
                    progress(book.through, total)
    return replace(_embedded(corpus, book), encoded=encoded)


def _embedded(corpus: Corpus, book: EmbeddingCache) -> Embedded:
    done = book.done()
    faults = [
        Fault(corpus.clips[i].utterance, f"unreadable: {problem}", is_unreadable=True)
        for i, problem in book.problems()
    ]
    if not len(done):
        raise CorpusError(f"no audio of {corpus.name} can be read ({faults[0].problem})")
    first = done[first_alike(book.column("length", done), book.column("sketch", done))]
    readable = replace(
        corpus,
        clips=tuple(
            replace(corpus.clips[i], recording=corpus.clips[j].utterance)
            for i, j in zip(done, first, strict=True)
        ),
        faults=(*corpus.faults, *faults),
        features=book.column("embedding", done),
    )
    return Embedded(readable, book.column("emotion", done), book.path)


def _batches(corpus: Corpus, to_do: Indices) -> list[Batch]:
    """The remaining clips, grouped by file, in the order of their positions."""
    clips = [(int(i), corpus.clips[i]) for i in to_do]
    clips.sort(key=lambda pair: (str(pair[1].path), pair[1].start_s))
    return [clips[k : k + _BATCH] for k in range(0, len(clips), _BATCH)]


@dataclass(frozen=True, slots=True)
class _Setup:
    """Loads the encoder once in each worker."""

    make_encoder: Callable[[], Encoder]

    def __call__(self) -> Callable[[Batch], list[CacheRow]]:
        return _BatchEncoder(ClipSound(), self.make_encoder()).encode


@dataclass(frozen=True, slots=True)
class _BatchEncoder:
    sound: ClipSound
    encoder: Encoder

    def encode(self, batch: Batch) -> list[CacheRow]:
        # The sound stays open: the next batch is often of the same file, further on.
        return [_encode(at, clip, self.sound, self.encoder) for at, clip in batch]


def _encode(at: int, clip: CorpusClip, sound: ClipSound, encoder: Encoder) -> CacheRow:
    try:
        audio = sound.read(clip)
    except UnreadableAudio as error:
        none = np.empty(0, np.float32)
        return CacheRow(at, none, none, none, 0, str(error))
    embedding, emotion = encoder.encode(audio)
    return CacheRow(at, embedding, emotion, sketch(audio), len(audio))

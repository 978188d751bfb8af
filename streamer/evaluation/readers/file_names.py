"""Readers of corpora whose labels are in the file names: a pattern and a table of codes each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamer.audio.sources.files import audio_files
from streamer.evaluation.corpus import Corpus, CorpusClip
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.reader import Reader, share

HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class FileName:
    """A parsed file name. `code` is the corpus's code of the emotion."""

    utterance: str
    speaker: str
    code: str


def add_named_files(
    builder: CorpusBuilder,
    paths: Sequence[Path],
    codes: Mapping[str, str | None],
    parse: Callable[[Path], FileName | None],
) -> None:
    """Add a clip for every path whose name can be parsed; the others are faults."""
    for path in paths:
        where = builder.relative(path)
        named = parse(path.relative_to(builder.folder))
        if named is None:
            builder.fault(where, f"a file name that is not one of {builder.name}")
        elif builder.knows(codes, named.code, where):
            builder.add(
                CorpusClip(
                    utterance=named.utterance,
                    speaker=named.speaker,
                    emotion=codes[named.code],
                    original_emotion=named.code,
                    path=path,
                )
            )


def file_name_reader(
    name: str,
    title: str,
    layout: str,
    codes: Mapping[str, str | None],
    parse: Callable[[Path], FileName | None],
) -> Reader:
    """A reader of all audio files of a folder. It fits where half of the names can be parsed."""

    def read(folder: Path) -> Corpus:
        builder = CorpusBuilder(name, folder)
        add_named_files(builder, audio_files(folder), codes, parse)
        return builder.finish(layout)

    def fits(_folder: Path, audio: Sequence[Path]) -> bool:
        return share(audio, lambda path: parse(path) is not None) >= HALF

    return Reader(name, title, layout, fits, read)

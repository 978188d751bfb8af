"""Corpora whose file names say everything: one pattern and one table of codes each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from streamer.audio.sources.files import audio_files
from streamer.evaluation.corpus import Corpus, CorpusClip
from streamer.evaluation.readers.gathering import Gathering
from streamer.evaluation.readers.reader import Reader, share

HALF: Final = 0.5


@dataclass(frozen=True, slots=True)
class Named:
    """What a file's name says. `code` is the owner's for the emotion."""

    utterance: str
    speaker: str
    code: str


def gather_named(
    gathering: Gathering,
    paths: Sequence[Path],
    codes: Mapping[str, str | None],
    parse: Callable[[Path], Named | None],
) -> None:
    """Adds a clip for every path whose name can be read; the others are faults."""
    for path in paths:
        where = gathering.relative(path)
        named = parse(path.relative_to(gathering.folder))
        if named is None:
            gathering.fault(where, f"a file name that is not one of {gathering.name}")
        elif gathering.named(codes, named.code, where):
            gathering.add(
                CorpusClip(
                    utterance=named.utterance,
                    speaker=named.speaker,
                    emotion=codes[named.code],
                    owners_emotion=named.code,
                    path=path,
                )
            )


def named_reader(
    name: str,
    title: str,
    layout: str,
    codes: Mapping[str, str | None],
    parse: Callable[[Path], Named | None],
) -> Reader:
    """A reader of all audio files of a folder. It fits where half of their names can be read."""

    def read(folder: Path) -> Corpus:
        gathering = Gathering(name, folder)
        gather_named(gathering, audio_files(folder), codes, parse)
        return gathering.finish(layout)

    def fits(_folder: Path, audio: Sequence[Path]) -> bool:
        return share(audio, lambda path: parse(path) is not None) >= HALF

    return Reader(name, title, layout, fits, read)

"""VAM-Audio (Grimm, Kroschel and Narayanan 2008, ICME): German talk-show guests, 47 speakers.

data/SprecherNN/SatzNNMMM.wav: speaker, sentence. Beside each sound, .ewe holds the merged
evaluation and .eva one row a labeller, three columns: valence, activation, dominance, -1 to 1.
Confirmed from the owner's own README of VAM-Audio; it says that an .eva has a row a labeller (17
of them, later 6), and leaves the files' names open: here they are the sound's (Satz01001.ewe). A
sentence without an .ewe takes the mean of its .eva.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from streamer.audio.sources.files import audio_files
from streamer.evaluation.corpus import Answer, Corpus, CorpusClip
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.file_names import HALF
from streamer.evaluation.readers.reader import Reader, share
from streamer.evaluation.readers.tables import number, read_lines
from streamer.evaluation.scales import UNIT, Rating, mean_rating

LAYOUT: Final = "data/Sprecher01/Satz01001.wav with Satz01001.ewe and Satz01001.eva beside it"
_NAME: Final = re.compile(r"Satz(\d\d)\d{3}", re.IGNORECASE)


def read(folder: Path) -> Corpus:
    builder = CorpusBuilder("vam", folder)
    for path in audio_files(folder):
        where = builder.relative(path)
        match = _NAME.fullmatch(path.stem)
        if match is None:
            builder.fault(where, "a file name that is not one of vam")
            continue
        merged = _rows(path.with_suffix(".ewe"), builder)
        single = _rows(path.with_suffix(".eva"), builder)
        if len(merged) != 1 and not single:
            builder.fault(where, "a sentence without its evaluation")
            continue
        rated = merged[0] if len(merged) == 1 else mean_rating(single)
        answers = tuple(
            Answer(str(k), affect=builder.affect(UNIT, rating, f"{where}, labeller {k}"))
            for k, rating in enumerate(single, 1)
        )
        builder.add(
            CorpusClip(
                utterance=path.stem,
                speaker=match[1],
                rated=rated,
                affect=builder.affect(UNIT, rated, where),
                answers=answers,
                path=path,
            )
        )
    return builder.finish(LAYOUT)


def _rows(path: Path, builder: CorpusBuilder) -> list[Rating]:
    """The ratings of a file, one a row; none where there is no such file."""
    if not path.is_file():
        return []
    rows: list[Rating] = []
    for line_number, line in read_lines(path):
        try:
            values = [number(field) for field in line.replace(",", " ").split()]
            valence, arousal, dominance = values
        except ValueError:
            where = f"{builder.relative(path)} line {line_number}"
            builder.fault(where, "a row that is not three numbers")
        else:
            rows.append(Rating(valence, arousal, dominance))
    return rows


def fits(_folder: Path, audio: Sequence[Path]) -> bool:
    return share(audio, lambda path: _NAME.fullmatch(path.stem) is not None) >= HALF


READER: Final = Reader("vam", "VAM-Audio", LAYOUT, fits, read)

"""IEMOCAP (Busso et al. 2008, Language Resources and Evaluation 42): ten actors, five sessions.

SessionN/dialog/EmoEvaluation/DIALOG.txt holds a block an utterance: a summary line

    [6.2901 - 8.2357]<tab>Ses01F_impro01_F000<tab>neu<tab>[2.5000, 2.5000, 2.5000]

(start, end, name, emotion, valence, activation, dominance on 1 to 5), then a line an evaluator
("C-E2:<tab>Neutral;<tab>()" for the category, "A-E3:<tab>val 3; act 2; dom  2;<tab>()" for the
attributes). Sounds are SessionN/sentences/wav/DIALOG/NAME.wav. Confirmed from two public readers
(Strong-AI-Lab/emotion, datasets/IEMOCAP/process.py; CXianRen/AMST, Doc/dataset/IEMOCAP.md).

The letter after the dialog is the speaker's: Ses01F_impro01_M003 was spoken by Ses01M. Codes xxx
(no agreement) and oth keep their ratings but have no emotion. Answers are those of the evaluators
E1 to E6; the actors' judgements of themselves (F, M) are left out. An evaluator who ticked several
categories counts with the first. Seven published means lie off the scale (0.5 and 5.5).
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from streamer.evaluation.corpus import Answer, Corpus, CorpusClip
from streamer.evaluation.emotions import IEMOCAP, common_emotion
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.reader import Reader
from streamer.evaluation.readers.tables import read_lines
from streamer.evaluation.scales import ONE_TO_FIVE, UNRATED, Rating

LAYOUT: Final = (
    "Session1/dialog/EmoEvaluation/Ses01F_impro01.txt and "
    "Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav"
)
_SUMMARY: Final = re.compile(
    r"\[([\d.]+) - ([\d.]+)\]\s+((Ses(\d\d)[FM]_\w+)_([FM])\w+)\s+(\w+)\s+"
    r"\[([\d.]+), ([\d.]+), ([\d.]+)\]"
)
_CATEGORY: Final = re.compile(r"C-(E\d+):\s*([^;]*);")
_ATTRIBUTES: Final = re.compile(r"A-(E\d+):\s*(.*)")
_VALUE: Final = re.compile(r"(val|act|dom)\s+(\d+(?:\.\d+)?)")


class _Block:
    """One utterance's lines: its summary and what each evaluator said."""

    def __init__(self, where: str, summary: re.Match[str]) -> None:
        self.where = where
        self.summary = summary
        self.emotions: dict[str, str | None] = {}
        self.ratings: dict[str, Rating] = {}

    def take(self, line: str) -> None:
        """An evaluator's line; any other (an actor's own judgement, a comment) is passed over."""
        if match := _CATEGORY.match(line):
            self.emotions[match[1]] = common_emotion(match[2])
        elif match := _ATTRIBUTES.match(line):
            values = {name: float(value) for name, value in _VALUE.findall(match[2])}
            self.ratings[match[1]] = Rating(values.get("val"), values.get("act"), values.get("dom"))

    def clip(self, builder: CorpusBuilder, wavs: Path) -> CorpusClip | None:
        _, _, name, dialog, session, sex, code, *values = self.summary.groups()
        path = wavs / dialog / f"{name}.wav"
        if not builder.knows(IEMOCAP, code, self.where):
            return None
        if not path.is_file():
            builder.fault(self.where, "an utterance without its sound file")
            return None
        rated = Rating(*(float(value) for value in values))
        answers = tuple(
            Answer(
                evaluator,
                self.emotions.get(evaluator),
                builder.affect(
                    ONE_TO_FIVE,
                    self.ratings.get(evaluator, UNRATED),
                    f"{self.where}, evaluator {evaluator}",
                ),
            )
            for evaluator in sorted({*self.emotions, *self.ratings})
        )
        return CorpusClip(
            utterance=name,
            speaker=f"Ses{session}{sex}",
            session=session,
            emotion=IEMOCAP[code],
            original_emotion=code,
            rated=rated,
            affect=builder.affect(ONE_TO_FIVE, rated, self.where),
            answers=answers,
            path=path,
        )


def read(folder: Path) -> Corpus:
    builder = CorpusBuilder("iemocap", folder)
    for path in sorted(folder.glob("Session*/dialog/EmoEvaluation/[!.]*.txt")):
        wavs = path.parents[2] / "sentences" / "wav"
        for block in _blocks(path, builder):
            if clip := block.clip(builder, wavs):
                builder.add(clip)
    return builder.finish(LAYOUT)


def _blocks(path: Path, builder: CorpusBuilder) -> list[_Block]:
    blocks: list[_Block] = []
    for number, line in read_lines(path):
        where = f"{builder.relative(path)} line {number}"
        if match := _SUMMARY.fullmatch(line):
            blocks.append(_Block(where, match))
        elif line.startswith("["):
            builder.fault(where, "a summary line that cannot be read")
        elif blocks:
            blocks[-1].take(line)
    return blocks


def fits(folder: Path, _audio: Sequence[Path]) -> bool:
    return any(folder.glob("Session*/dialog/EmoEvaluation"))


READER: Final = Reader("iemocap", "IEMOCAP", LAYOUT, fits, read)

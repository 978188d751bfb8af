"""MSP-IMPROV (Busso et al. 2017, IEEE TAC 8): twelve actors in six sessions, improvising.

Evaluation.txt holds a block an utterance: a summary, then a line an annotator,

    UTD-IMPROV-S01A-F01-P-FM01.avi; A; A:2.200000; V:1.800000; D:3.600000 ; N:4.200000;
    WORKER_1; Angry; Angry,Frustrated; A:2.000000; V:1.000000; D:4.000000; N:5.000000;

(category, activation, valence, dominance, naturalness; O other, X no agreement), and
sessionN/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav: sentence and acted emotion, speaker, scenario.
Confirmed from Strong-AI-Lab/emotion (datasets/MSP-IMPROV/process.py) and a second public reader,
which also turns the activation around: here 1 is excited and 5 is calm.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from streamer.audio.sources.files import audio_files
from streamer.errors import CorpusError
from streamer.evaluation.corpus import Answer, Corpus, CorpusClip
from streamer.evaluation.emotions import MSP, common_emotion
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.reader import Reader
from streamer.evaluation.readers.tables import number, read_lines
from streamer.evaluation.scales import MSP_IMPROV, Rating

LAYOUT: Final = "Evaluation.txt and session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav"
_NAME: Final = re.compile(r"S\d\d[AHSN]-([FM](\d\d))-[A-Z]-[FM]{2}\d{2,3}")
_PREFIX: Final = "MSP-IMPROV-"
_SUMMARY: Final = re.compile(r"UTD-IMPROV-(\S+)\.avi\s*;\s*([A-Z])\s*;(.*)")
_ANSWER: Final = re.compile(r"([^;]+);\s*([^;]+);(.*)")
_VALUE: Final = re.compile(r"\b([AVD]):\s*([\d.]+|NaN)")


def read(folder: Path) -> Corpus:
    builder = CorpusBuilder("msp-improv", folder)
    evaluation = _evaluation(folder)
    if evaluation is None:
        raise CorpusError(f"{folder} has no Evaluation.txt; it should look like: {LAYOUT}")
    sounds: dict[str, Path] = {}
    for path in audio_files(folder):
        if path.stem.startswith(_PREFIX):
            sounds[path.stem.removeprefix(_PREFIX)] = path
        else:
            builder.fault(builder.relative(path), "a file name that is not one of msp-improv")
    for clip in _clips(builder, evaluation, sounds):
        builder.add(clip)
    for name, path in sounds.items():
        if _PREFIX + name not in builder:
            builder.fault(builder.relative(path), "a sound file without an evaluation")
    return builder.finish(LAYOUT)


def _clips(builder: CorpusBuilder, evaluation: Path, sounds: dict[str, Path]) -> list[CorpusClip]:
    clips: list[CorpusClip] = []
    answers: list[Answer] = []
    block_is_kept = False
    for line_number, line in read_lines(evaluation):
        where = f"{evaluation.name} line {line_number}"
        if match := _SUMMARY.match(line):
            clip = _clip(builder, where, match, sounds)
            block_is_kept = clip is not None
            if clip is not None:
                clips.append(clip)
                answers = []
        elif not block_is_kept:
            continue
        elif match := _ANSWER.match(line):
            affect = builder.affect(MSP_IMPROV, _rating(match[3]), where)
            answers.append(Answer(match[1].strip(), common_emotion(match[2]), affect))
            clips[-1] = replace(clips[-1], answers=tuple(answers))
        else:
            builder.fault(where, "an answer that cannot be read")
    return clips


def _clip(
    builder: CorpusBuilder, where: str, summary: re.Match[str], sounds: dict[str, Path]
) -> CorpusClip | None:
    name, code, rest = summary.groups()
    found = _NAME.fullmatch(name)
    if found is None:
        builder.fault(where, "a name that is not one of msp-improv")
    elif name not in sounds:
        builder.fault(f"{where}: {name}", "an utterance without its sound file")
    elif builder.knows(MSP, code, where):
        rated = _rating(rest)
        return CorpusClip(
            utterance=_PREFIX + name,
            speaker=found[1],
            session=found[2],
            emotion=MSP[code],
            original_emotion=code,
            rated=rated,
            affect=builder.affect(MSP_IMPROV, rated, where),
            path=sounds[name],
        )
    return None


def _rating(text: str) -> Rating:
    values = {name: number(value) for name, value in _VALUE.findall(text)}
    return Rating(values.get("V"), values.get("A"), values.get("D"))


def _evaluation(folder: Path) -> Path | None:
    files = (path for path in folder.iterdir() if path.name.lower() == "evaluation.txt")
    return next(files, None)


def fits(folder: Path, _audio: Sequence[Path]) -> bool:
    evaluation = _evaluation(folder)
    if evaluation is None:
        return False
    with evaluation.open("rb") as file:
        return b"UTD-IMPROV-" in file.read(4096)


READER: Final = Reader("msp-improv", "MSP-IMPROV", LAYOUT, fits, read)

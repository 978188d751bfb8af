"""MSP-Podcast (Lotfian and Busso 2019, IEEE TAC 10): natural speech, cut from podcasts.

Labels/labels_consensus.csv (older releases spell it labels_concensus.csv) with FileName, EmoClass
(A, S, H, U, F, D, C, N, O other, X no agreement), EmoAct, EmoVal, EmoDom on 1 to 7, SpkrID, Gender
and Split_Set; Labels/labels_detailed.csv with a row an answer, either in columns (Workers,
EmoClass_Major, EmoAct, EmoVal, EmoDom) or in one field EmoDetail

    WORKER00000001; Neutral; Neutral,Confused; A:1.000000; V:4.000000; D:1.000000;

and Audios/*.wav. Confirmed from public readers of releases 1.6 to 2.0 (Strong-AI-Lab/emotion,
datasets/MSP-PODCAST/process.py, and others found by these column names).

Split_Set becomes train, validation, test1, test2, ...; a SpkrID of Unknown is no speaker.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from streamer.errors import CorpusError
from streamer.evaluation.corpus import Answer, Corpus, CorpusClip, Fault
from streamer.evaluation.emotions import MSP, common_emotion
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.reader import Reader
from streamer.evaluation.readers.tables import number, read_table
from streamer.evaluation.scales import ONE_TO_SEVEN, Rating

LAYOUT: Final = "Labels/labels_consensus.csv and Audios/MSP-PODCAST_0001_0008.wav"
_CONSENSUS: Final = ("labels_consensus.csv", "labels_concensus.csv")
_DETAILED: Final = "labels_detailed.csv"
_COLUMNS: Final = ("FileName", "EmoClass", "EmoAct", "EmoVal", "EmoDom", "SpkrID", "Split_Set")
_DETAIL: Final = re.compile(r"\s*([^;]+);\s*([^;]+);.*?A:([\d.]+);\s*V:([\d.]+);\s*D:([\d.]+|NaN)")
_SPLITS: Final = {"development": "validation"}
_NO_SPEAKER: Final = frozenset({"", "unknown"})

Answers = dict[str, list[Answer]]


def read(folder: Path) -> Corpus:
    builder = CorpusBuilder("msp-podcast", folder)
    table = _consensus(folder)
    if table is None:
        raise CorpusError(f"{folder} has no Labels/{_CONSENSUS[0]}; it should look like: {LAYOUT}")
    audio = folder / "Audios"
    there = {path.name for path in audio.glob("*.wav")} if audio.is_dir() else set()
    answers = _read_answers(folder / "Labels" / _DETAILED, builder)
    faults: list[Fault] = []
    for where, row in read_table(table, _COLUMNS, faults):
        name = row["FileName"]
        if name not in there:
            builder.fault(f"{where}: {name}", "a row without its sound file")
            continue
        clip = _clip(builder, where, row, audio / name, answers.get(name, []))
        if clip is not None:
            builder.add(clip)
    builder.faults(faults)
    return builder.finish(LAYOUT)


def _clip(
    builder: CorpusBuilder, where: str, row: dict[str, str], path: Path, answers: list[Answer]
) -> CorpusClip | None:
    try:
        rated = Rating(number(row["EmoVal"]), number(row["EmoAct"]), number(row["EmoDom"]))
    except ValueError:
        builder.fault(where, "a rating that is no number")
        return None
    if not builder.knows(MSP, row["EmoClass"], where):
        return None
    split = row["Split_Set"].lower()
    return CorpusClip(
        utterance=path.stem,
        speaker="" if row["SpkrID"].lower() in _NO_SPEAKER else row["SpkrID"],
        session=path.stem.rpartition("_")[0],
        emotion=MSP[row["EmoClass"]],
        original_emotion=row["EmoClass"],
        rated=rated,
        affect=builder.affect(ONE_TO_SEVEN, rated, where),
        answers=tuple(answers),
        path=path,
        split=_SPLITS.get(split, split),
    )


def _read_answers(path: Path, builder: CorpusBuilder) -> Answers:
    answers: Answers = {}
    if not path.is_file():
        builder.fault(f"Labels/{_DETAILED}", "no answers of single annotators")
        return answers
    faults: list[Fault] = []
    for where, row in read_table(path, ("FileName",), faults):
        fields = _fields(row)
        try:
            if fields is None:
                raise ValueError(where)
            worker, word, arousal, valence, dominance = fields
            rating = Rating(number(valence), number(arousal), number(dominance))
        except ValueError:
            builder.fault(where, "an answer that cannot be read")
            continue
        affect = builder.affect(ONE_TO_SEVEN, rating, where)
        answer = Answer(worker, common_emotion(word), affect)
        answers.setdefault(row["FileName"], []).append(answer)
    builder.faults(faults)
    return answers


def _fields(row: dict[str, str]) -> tuple[str, ...] | None:
    """Worker, category, arousal, valence, dominance; None where a row has neither form."""
    if "EmoDetail" in row:
        match = _DETAIL.match(row["EmoDetail"])
        return match and tuple(match.groups())
    worker = row.get("Workers", row.get("WorkerID"))
    if worker is None or not {"EmoClass_Major", "EmoAct", "EmoVal", "EmoDom"} <= set(row):
        return None
    return worker, row["EmoClass_Major"], row["EmoAct"], row["EmoVal"], row["EmoDom"]


def _consensus(folder: Path) -> Path | None:
    paths = (folder / "Labels" / name for name in _CONSENSUS)
    return next((path for path in paths if path.is_file()), None)


def fits(folder: Path, _audio: Sequence[Path]) -> bool:
    return _consensus(folder) is not None


READER: Final = Reader("msp-podcast", "MSP-Podcast", LAYOUT, fits, read)

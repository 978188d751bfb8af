"""SEMAINE (McKeown et al. 2012, IEEE TAC 3): conversations with four played characters.

Sessions/N/ holds session.xml (attributes recording, character), "... User HeadMounted ....wav",
wordLevel_alignedTranscript..._user, and FeelTrace files A1S2TUCPoDV.txt (annotator, session,
target, character, dimension: A activation, V valence, P power) with a line "time value" in seconds
from -1 to 1. Confirmed from two public readers (Strong-AI-Lab/emotion, datasets/SEMAINE, and one
that cuts turns by the same file names).

A clip is one turn of the user, rated with the means of its traces; power counts as dominance. The
files do not name the user: a recording (one session with up to four characters) counts as a
speaker, although some people took part twice.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from streamer.evaluation.corpus import Corpus, CorpusClip
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.reader import Reader
from streamer.evaluation.readers.traces import Trace, answers_of, read_timed_trace, read_turns
from streamer.evaluation.scales import UNIT, UNRATED

LAYOUT: Final = (
    "Sessions/19/session.xml with '... User HeadMounted ....wav', "
    "wordLevel_alignedTranscript_..._user and A1S19TUCPoDV.txt beside it"
)
_TRACE: Final = re.compile(r"([AR]\d+)[RS]\d+TUC(?:Ob|Po|Pr|Sp)2?D([AVP])\.txt")
_DIMENSIONS: Final = {"A": "arousal", "V": "valence", "P": "dominance"}


def read(folder: Path) -> Corpus:
    builder = CorpusBuilder("semaine", folder)
    for description in sorted(folder.glob("Sessions/*/session.xml")):
        _add_session(builder, description)
    return builder.finish(LAYOUT)


def _add_session(builder: CorpusBuilder, description: Path) -> None:
    where = builder.relative(description)
    session = description.parent
    try:
        recording = ElementTree.parse(description).getroot().attrib["recording"]
    except (ElementTree.ParseError, KeyError, OSError):
        builder.fault(where, "a session.xml that names no recording")
        return
    sound = _first(session, r".*User HeadMounted.*\.wav")
    words = _first(session, r"wordLevel_alignedTranscript.*_user(?:\.txt)?")
    if sound is None or words is None:
        builder.fault(where, "a session without the user's sound or words")
        return
    traces = _traces(session, builder)
    for turn in read_turns(words):
        name = f"{session.name}_turn{turn.number:03d}"
        rated, answers = answers_of(traces, turn, builder, name)
        if rated == UNRATED:
            builder.fault(name, "a turn that no trace covers")
            continue
        clip = CorpusClip(
            utterance=name,
            speaker=f"recording {recording}",
            session=session.name,
            rated=rated,
            affect=builder.affect(UNIT, rated, name),
            answers=answers,
            path=sound,
            start_s=turn.start_s,
            end_s=turn.end_s,
        )
        builder.add(clip)


def _traces(session: Path, builder: CorpusBuilder) -> dict[str, dict[str, Trace]]:
    traces: dict[str, dict[str, Trace]] = {}
    for path in sorted(session.iterdir()):
        if match := _TRACE.fullmatch(path.name):
            trace = read_timed_trace(path, builder)
            if trace is not None:
                traces.setdefault(match[1], {})[_DIMENSIONS[match[2]]] = trace
    return traces


def _first(folder: Path, pattern: str) -> Path | None:
    return next((p for p in sorted(folder.iterdir()) if re.fullmatch(pattern, p.name)), None)


def fits(folder: Path, _audio: Sequence[Path]) -> bool:
    return any(folder.glob("Sessions/*/session.xml"))


READER: Final = Reader("semaine", "SEMAINE", LAYOUT, fits, read)

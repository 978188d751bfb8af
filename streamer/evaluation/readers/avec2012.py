"""AVEC 2012 (Schuller et al. 2012, ICMI): the part of SEMAINE that the challenge released.

labels_continuous_devel001_valence.dat (also arousal, power, expectancy), one value a video frame
(49.979 a second), train_audio001.wav and train_transcript001.txt, in any folders. File names, frame
rate and dimensions confirmed from two public readers; the format of a transcript's lines is not
documented there, and is assumed to be SEMAINE's (see `semaine`).

A clip is one turn of the user. The files do not name the user; each of the challenge's recordings
counts as a speaker, although a person appears in up to four that follow each other: for splits
by person, merge them. The challenge's parts are kept as train, validation (devel) and test.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from streamer.evaluation.corpus import Corpus, CorpusClip
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.reader import Reader
from streamer.evaluation.readers.traces import Trace, answers_of, read_framed_trace, read_turns
from streamer.evaluation.scales import UNIT, UNRATED

LAYOUT: Final = (
    "labels_continuous_train001_valence.dat, train_transcript001.txt and train_audio001.wav"
)
FRAME_RATE_HZ: Final = 49.979
_LABEL: Final = re.compile(r"labels_continuous_(train|devel|tests?)(\d{3})_([a-z]+)\.dat")
_OTHER: Final = re.compile(r"(train|devel|tests?)_(audio|transcript)(\d{3})\.(?:wav|txt)")
_DIMENSIONS: Final = {"arousal": "arousal", "valence": "valence", "power": "dominance"}
_SPLITS: Final = {"train": "train", "devel": "validation", "test": "test"}
_ANNOTATOR: Final = "mean"

Key = tuple[str, str]


def read(folder: Path) -> Corpus:
    builder = CorpusBuilder("avec2012", folder)
    sounds: dict[Key, Path] = {}
    transcripts: dict[Key, Path] = {}
    labels: dict[Key, dict[str, Path]] = {}
    for path in sorted(folder.rglob("*")):
        if match := _LABEL.fullmatch(path.name):
            labels.setdefault((_part(match[1]), match[2]), {})[match[3]] = path
        elif match := _OTHER.fullmatch(path.name):
            place = sounds if match[2] == "audio" else transcripts
            place[_part(match[1]), match[3]] = path
    for key, paths in sorted(labels.items()):
        if key in sounds and key in transcripts:
            _add_recording(builder, key, paths, sounds[key], transcripts[key])
        else:
            builder.fault("".join(key), "a labelled recording without its sound or transcript")
    return builder.finish(LAYOUT)


def _add_recording(
    builder: CorpusBuilder, key: Key, labels: dict[str, Path], sound: Path, transcript: Path
) -> None:
    part, recording = key
    traces: dict[str, Trace] = {}
    for name, dimension in _DIMENSIONS.items():
        if name in labels:
            trace = read_framed_trace(labels[name], FRAME_RATE_HZ, builder)
            if trace is not None:
                traces[dimension] = trace
    for turn in read_turns(transcript):
        utterance = f"{part}{recording}_turn{turn.number:03d}"
        rated, _ = answers_of({_ANNOTATOR: traces}, turn, builder, utterance)
        if rated == UNRATED:
            builder.fault(utterance, "a turn that no label covers")
            continue
        clip = CorpusClip(
            utterance=utterance,
            speaker=f"{part}{recording}",
            session=f"{part}{recording}",
            rated=rated,
            affect=builder.affect(UNIT, rated, utterance),
            path=sound,
            start_s=turn.start_s,
            end_s=turn.end_s,
            split=_SPLITS[part],
        )
        builder.add(clip)


def _part(word: str) -> str:
    """The test part's files are named both test and tests."""
    return word.removesuffix("s")


def fits(folder: Path, _audio: Sequence[Path]) -> bool:
    return next(folder.rglob("labels_continuous_*_valence.dat"), None) is not None


READER: Final = Reader("avec2012", "AVEC 2012", LAYOUT, fits, read)

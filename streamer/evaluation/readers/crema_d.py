"""CREMA-D (Cao et al. 2014, IEEE TAC 5): 91 actors, 6 emotions, and the votes of 2,443 listeners.

AudioWAV/1001_DFA_ANG_XX.wav (or AudioMP3): actor, sentence, acted emotion, level. Votes from
finishedResponses.csv (one row an answer: localid, queryType 1 voice, 2 face, 3 both, clipName,
respEmo), else from processedResults/tabulatedVotes.csv (counts; a row's number begins with 1, 2 or
3 for the same). Confirmed from the owners' repository (CheyneyComputerScience/CREMA-D: README,
tabulatedVotes.csv, file listing).

A clip's emotion is the one that was acted; its answers are those of listeners to the voice alone.
A table of votes without audio (columns clip, modality, A, D, F, H, N, S) makes a corpus too.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from streamer.audio.sources.files import audio_files
from streamer.errors import CorpusError
from streamer.evaluation.corpus import Answer, Corpus, CorpusClip, Fault
from streamer.evaluation.emotions import CREMA_D, CREMA_D_VOTES
from streamer.evaluation.readers.corpus_builder import CorpusBuilder
from streamer.evaluation.readers.file_names import HALF, FileName, add_named_files
from streamer.evaluation.readers.reader import Reader, share
from streamer.evaluation.readers.tables import read_table

LAYOUT: Final = "AudioWAV/1001_DFA_ANG_XX.wav and finishedResponses.csv"
RESPONSES: Final = "finishedResponses.csv"
VOTES: Final = "processedResults/tabulatedVotes.csv"
_NAME: Final = re.compile(r"(\d{4})_[A-Z]{3}_([A-Z]{3})_[A-Z]{2}")
_VOICE: Final = "1"  # queryType; the first digit of a row's number in tabulatedVotes.csv

Answers = dict[str, list[Answer]]


def parse(path: Path) -> FileName | None:
    """
    >>> parse(Path("AudioWAV/1001_DFA_ANG_XX.wav"))
    FileName(utterance='1001_DFA_ANG_XX', speaker='1001', code='ANG')
    """
    match = _NAME.fullmatch(path.stem)
    return match and FileName(path.stem, match[1], match[2])


def read(folder: Path) -> Corpus:
    """The corpus of a folder, or of a single table of votes."""
    if folder.is_file():
        return _read_votes_alone(folder)
    builder = CorpusBuilder("crema-d", folder)
    # The MP3 files are the same clips again.
    audio = next((folder / n for n in ("AudioWAV", "AudioMP3") if (folder / n).is_dir()), folder)
    add_named_files(builder, audio_files(audio), CREMA_D, parse)
    corpus = builder.finish(LAYOUT)
    faults: list[Fault] = []
    answers = _read_answers(folder, faults)
    clips = (replace(c, answers=tuple(answers.get(c.utterance, ()))) for c in corpus.clips)
    return replace(corpus, clips=tuple(clips), faults=(*corpus.faults, *faults))


def _read_answers(folder: Path, faults: list[Fault]) -> Answers:
    if (folder / RESPONSES).is_file():
        return _from_responses(folder / RESPONSES, faults)
    if (folder / VOTES).is_file():
        rows = read_table(folder / VOTES, ("", "fileName", *CREMA_D_VOTES), faults)
        voice = ((where, row["fileName"], row) for where, row in rows if row[""][:1] == _VOICE)
        return _from_counts(voice, faults)
    faults.append(Fault(folder.name, f"no votes: neither {RESPONSES} nor {VOTES}"))
    return {}


def _from_responses(path: Path, faults: list[Fault]) -> Answers:
    answers: Answers = {}
    columns = ("localid", "queryType", "clipName", "respEmo")
    for where, row in read_table(path, columns, faults):
        if row["queryType"] != _VOICE:
            continue
        emotion = CREMA_D_VOTES.get(row["respEmo"])
        if emotion is None:
            faults.append(Fault(where, f"an unknown vote {row['respEmo']!r}"))
        else:
            answers.setdefault(row["clipName"], []).append(Answer(row["localid"], emotion))
    return answers


def _from_counts(rows: Iterable[tuple[str, str, dict[str, str]]], faults: list[Fault]) -> Answers:
    answers: Answers = {}
    for where, clip, row in rows:
        try:
            counts = {emotion: int(row[code]) for code, emotion in CREMA_D_VOTES.items()}
        except ValueError:
            faults.append(Fault(where, "a count of votes that is no whole number"))
            continue
        answers[clip] = [Answer("", emotion) for emotion, n in counts.items() for _ in range(n)]
    return answers


def _read_votes_alone(path: Path) -> Corpus:
    faults: list[Fault] = []
    rows = read_table(path, ("clip", "modality", *CREMA_D_VOTES), faults)
    voice = ((where, row["clip"], row) for where, row in rows if row["modality"] == "voice")
    clips = tuple(_clips_of(_from_counts(voice, faults), faults))
    if not clips:
        raise CorpusError(f"{path} holds no votes on a voice; give CREMA-D's table of votes")
    return Corpus("crema-d", path.parent, clips, tuple(faults))


def _clips_of(answers: Answers, faults: list[Fault]) -> Iterator[CorpusClip]:
    for name, given in answers.items():
        named = parse(Path(name))
        if named is None or named.code not in CREMA_D:
            faults.append(Fault(name, "a clip name that is not one of crema-d"))
        else:
            yield CorpusClip(
                utterance=name,
                speaker=named.speaker,
                emotion=CREMA_D[named.code],
                original_emotion=named.code,
                answers=tuple(given),
            )


def fits(_folder: Path, audio: Sequence[Path]) -> bool:
    return share(audio, lambda path: parse(path) is not None) >= HALF


READER: Final = Reader("crema-d", "CREMA-D", LAYOUT, fits, read)

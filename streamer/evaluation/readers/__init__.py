"""Readers of public corpora in their original layout: `read_corpus` selects one and reads."""

from itertools import islice
from pathlib import Path
from typing import Final

from streamer.audio.sources.files import audio_files
from streamer.errors import CorpusError
from streamer.evaluation.corpus import Corpus
from streamer.evaluation.packed import TABLE, packed_names, read_packed
from streamer.evaluation.readers import (
    avec2012,
    crema_d,
    emodb,
    emov_db,
    enterface,
    feature_table,
    iemocap,
    meld,
    msp_improv,
    msp_podcast,
    nemo,
    ravdess,
    savee,
    semaine,
    shemo,
    tess,
    vam,
)
from streamer.evaluation.readers.feature_table import read_feature_table
from streamer.evaluation.readers.reader import Reader
from streamer.evaluation.scales import Scale

AUTO: Final = "auto"
READERS: Final[tuple[Reader, ...]] = (
    iemocap.READER,
    msp_podcast.READER,
    msp_improv.READER,
    semaine.READER,
    avec2012.READER,
    vam.READER,
    meld.READER,
    ravdess.READER,
    crema_d.READER,
    emodb.READER,
    savee.READER,
    tess.READER,
    enterface.READER,
    emov_db.READER,
    shemo.READER,
    nemo.READER,
)
# So many names are looked at to find out whose they are.
_SAMPLE: Final = 400


def read_corpus(name: str, place: Path, scale: Scale | None = None) -> Corpus:
    """Read a corpus with the named reader, or with the one that fits where `name` is "auto".

    place: a folder in the corpus's original layout, a packed folder (then `name` is one of its
    corpora), or a table of features (any name; scale: of its valence, arousal and dominance).
    Raises CorpusError, which names the expected layout.
    """
    if not place.exists():
        raise CorpusError(f"{place} does not exist; give a corpus's folder or a table of features")
    if place.is_file():
        return _read_file(name, place, scale)
    if scale is not None:
        raise CorpusError(f"{place} has a scale of its own: leave --scale out ({scale.name})")
    if (place / TABLE).is_file():
        return _read_packed(name, place)
    return (_detect(place) if name == AUTO else _reader(name)).read(place)


def _read_file(name: str, path: Path, scale: Scale | None) -> Corpus:
    if name == crema_d.READER.name:
        return crema_d.read(path)
    if not path.name.endswith(feature_table.SUFFIXES):
        raise CorpusError(f"{path} is no table; give {feature_table.LAYOUT}, or a folder")
    return read_feature_table(path, scale)


def _read_packed(name: str, folder: Path) -> Corpus:
    names = packed_names(folder)
    if name in names or (name == AUTO and len(names) == 1):
        return read_packed(folder, names[0] if name == AUTO else name)
    raise CorpusError(f"{folder} holds several corpora; name one of: {', '.join(names)}")


def _reader(name: str) -> Reader:
    found = next((reader for reader in READERS if reader.name == name), None)
    if found is None:
        raise CorpusError(f"no reader {name!r}; there is: {_known()}")
    return found


def _detect(folder: Path) -> Reader:
    audio = [path.relative_to(folder) for path in islice(audio_files(folder), _SAMPLE)]
    fitting = [reader for reader in READERS if reader.fits(folder, audio)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        several = ", ".join(reader.name for reader in fitting)
        raise CorpusError(f"{folder} could be any of: {several}; name the one it is")
    raise CorpusError(
        f"{folder} looks like none of the known corpora ({len(audio)} audio files looked at, and "
        f"the owners' label files); name one of them: {_known()}"
    )


def _known() -> str:
    return ", ".join(reader.name for reader in READERS)

"""`streamer.table` and `streamer table`: the rows of recordings, by whichever workers."""

import hashlib
import json
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from streamer.config import Config
from streamer.errors import UsageError
from streamer.learners.plugged import BAYESIAN
from streamer.loop.compose import bind_encoder, known_profile, make_encoder
from streamer.loop.model_state import ModelState
from streamer.loop.profile_model import ProfileModel
from streamer.loop.table.columns import SCHEMA_VERSION, Column, Contents, columns_of
from streamer.loop.table.formats import writer_for
from streamer.loop.table.journal import Journal, open_journal
from streamer.loop.table.reader import Fault, ReaderSetup, Row, UnitRows
from streamer.loop.table.units import Listing, Unit, list_units
from streamer.loop.workers.in_order import in_order
from streamer.loop.workers.open import open_workers
from streamer.text import many

SPEAKERS: Final = ("folder", "channel")
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Request:
    """A table to be made: what is heard, by which model, and what the rows hold."""

    listing: Listing
    setup: ReaderSetup
    columns: tuple[Column, ...]

    def key(self) -> str:
        """Of all that a row depends on beside its recording, in hexadecimal digits."""
        setup = self.setup
        settings = {
            name: repr(setup.settings[name])
            for name in ("segmentation", "channel", "dimension", "threads")
        }
        parts = [SCHEMA_VERSION, setup.sha256, setup.state.sha256(), asdict(setup.contents)]
        return hashlib.sha256(json.dumps([*parts, settings]).encode()).hexdigest()


@dataclass(slots=True)
class Report:
    """What became of a table. notices: what is wrong with sound that was read all the same."""

    files: int
    rows: int = 0
    faults: list[Fault] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def add(self, read: UnitRows) -> list[Row]:
        self.rows += len(read.rows)
        self.faults += read.faults
        self.notices += read.notices
        return read.rows


def table(
    paths: str | Path | Iterable[str | Path],
    *,
    profile: str | Path | None = None,
    speaker: str | None = None,
    whole: bool = False,
    embeddings: bool = False,
    acoustic: bool = False,
    jobs: int = 1,
    cluster: str | None = None,
    **settings: Any,
) -> "Table":
    """The rows of recordings, one an utterance: what `streamer run` would say of each.

    Parameters
    ----------
    paths
        Recordings and folders of them.
    profile
        The folder of a profile, or its name as `--profile` takes it, whose labels and enrolled
        emotions count; it stays as it is. None: what the encoder knows without one.
    speaker
        ``"folder"``: the recordings of one folder are one voice, heard one after the other, as by
        ``run --input FOLDER``. ``"channel"``: each channel is a voice, as by ``run --channel``.
        None: each recording is heard from the profile's state on, whatever was heard before it.
    whole
        One row a recording, without segmentation; at most 60 s each.
    embeddings
        With the encoder's vector, in the column ``embedding``, a list of float.
    acoustic
        With 112 named functionals of librosa's descriptors, columns ``acoustic_...``.
    jobs
        Processes. With more than one, a script needs ``if __name__ == "__main__":``.
    cluster
        ``"local"`` or the address of a Dask scheduler, such as ``"tcp://host:8786"``.
    **settings
        Fields of `streamer.config.Config`, such as ``encoder`` and ``segmentation``.

    Returns
    -------
    Table
        An iterator of dicts, in the order of the recordings. `pandas.DataFrame` and
        `polars.DataFrame` take it as it is.

    Raises
    ------
    streamer.errors.UsageError
        For a setting that cannot be meant.
    streamer.errors.AudioError
        There is nothing to hear. A recording that cannot be read is in `Table.faults`.

    Examples
    --------
    >>> for row in table("recordings/", speaker="folder"):  # doctest: +SKIP
    ...     print(row["file"], row["onset_s"], row["valence"], row["emotion"])
    """
    listed = [Path(paths)] if isinstance(paths, str | Path) else [Path(path) for path in paths]
    contents = Contents(speaker, whole, embeddings, acoustic)
    given = str(profile.absolute()) if isinstance(profile, Path) else profile
    config = Config.load(profile=given, **settings)
    request = make_request(config, listed, contents, has_profile=profile is not None)
    return Table(request, jobs, cluster)


class Table(Iterator[Row]):
    """Rows, made as they are asked for; see `table`.

    Attributes
    ----------
    columns : tuple of Column
        Names, kinds, units and meanings.
    faults : list of Fault
        Recordings that could not be read, or not to their end; complete after the last row, when
        a warning also names them.
    notices : list of str
        What is wrong with sound that was read all the same.
    """

    def __init__(self, request: Request, jobs: int = 1, cluster: str | None = None) -> None:
        self.columns = request.columns
        self._report = Report(request.listing.files, notices=list(request.listing.notices))
        self._rows = self._read(request, jobs, cluster)

    @property
    def faults(self) -> list[Fault]:
        return self._report.faults

    @property
    def notices(self) -> list[str]:
        return self._report.notices

    def close(self) -> None:
        """Stop, and release the workers; may be called again."""
        self._rows.close()

    def __next__(self) -> Row:
        return next(self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, request: Request, jobs: int, cluster: str | None) -> Generator[Row]:
        with open_workers(request.setup, jobs, cluster) as workers:
            for read in in_order(workers.map(request.listing.units)):
                yield from self._report.add(read)
        if self.faults:
            named = "; ".join(f"{fault.file}: {fault.problem}" for fault in self.faults)
            warnings.warn(f"not read, or not to the end: {named}", stacklevel=2)


def make_request(
    config: Config,
    paths: Sequence[Path],
    contents: Contents,
    *,
    has_profile: bool = True,
    notify: Callable[[str], None] = lambda text: None,
) -> Request:
    """Look at recordings and profile before anything long begins. Raises StreamerError."""
    if contents.speaker not in (None, *SPEAKERS):
        raise UsageError(f"speaker {contents.speaker!r}: choose {' or '.join(SPEAKERS)}")
    if contents.speaker == "channel" and config.channel is not None:
        raise UsageError("--speaker channel hears every channel: leave out the setting channel")
    listing = list_units(paths, contents.speaker)
    if has_profile:
        with known_profile(config, notify) as profile:
            encoder = bind_encoder(config, profile)
            profile_model = ProfileModel(profile)
            if profile.take_over("streamer table"):
                profile_model.catch_up()  # as `run` would at its start
            else:
                profile_model.follow()
            state = ModelState.of(profile_model)
            usual = profile.acoustics.usual()
    else:
        usual = {}
        encoder = make_encoder(config, config.encoder)
        learner = config.learner or BAYESIAN
        state = ModelState.untaught(encoder.prior, learner, population=config.population)
    acoustic: Sequence[str] = ()
    if contents.acoustic:
        from streamer.encoders.acoustic.encoder import FEATURES
        from streamer.encoders.acoustic.population import usual_or_many_voices

        acoustic = FEATURES
        usual = usual_or_many_voices(usual)
    columns = columns_of(contents, list(state.model().prototypes), acoustic)
    setup = ReaderSetup.of(config, encoder.name, encoder.sha256, state, contents, usual)
    return Request(listing, setup, columns)


def write_table(
    request: Request,
    out: Path,
    *,
    jobs: int = 1,
    cluster: str | None = None,
    progress: Progress = lambda done, total: None,
) -> Report:
    """Write a table; one that was stopped goes on where it was.

    Parameters
    ----------
    out
        A name that ends in .csv, .parquet, .jsonl or .ndjson; replaced when the table is complete.
    progress
        Called with the bytes of recordings that are done, and of all.

    Raises
    ------
    StreamerError
        Of its kinds; what is done by then is kept beside `out` (see `journal`).
    """
    write = writer_for(out)
    if not out.absolute().parent.is_dir():
        raise UsageError(
            f"--out {out}: there is no folder {out.parent}: make it, or choose another"
        )
    keys = [unit.key() for unit in request.listing.units]
    report = Report(request.listing.files, notices=list(request.listing.notices))
    with open_journal(out, request.key()) as journal:
        _read_missing(request, keys, journal, jobs, cluster, progress)
        write(
            out, request.columns, (row for read in journal.rows(keys) for row in report.add(read))
        )
    return report


def _read_missing(
    request: Request,
    keys: Sequence[str],
    journal: Journal,
    jobs: int,
    cluster: str | None,
    progress: Progress,
) -> None:
    units = request.listing.units
    missing = [place for place, key in enumerate(keys) if key not in journal]
    total = sum(unit.size_bytes for unit in units)
    done = total - sum(units[place].size_bytes for place in missing)
    progress(done, total)
    if not missing:
        return
    waiting: list[Unit] = [units[place] for place in missing]
    with open_workers(request.setup, min(jobs, len(waiting)), cluster) as workers:
        for nth, read in workers.map(waiting):
            journal.add(keys[missing[nth]], read)
            done += waiting[nth].size_bytes
            progress(done, total)


def unreadable(report: Report) -> str:
    """One line that says how many recordings were not read.

    >>> unreadable(Report(3, faults=[Fault("a.wav", "empty"), Fault("b.wav", "no audio")]))
    '2 of 3 recordings were not read to their end; the table holds the rest'
    """
    files = len({fault.file for fault in report.faults})
    verb = "was" if files == 1 else "were"
    return (
        f"{files:,} of {many(report.files, 'recording')} {verb} not read to "
        f"{'its' if files == 1 else 'their'} end; the table holds the rest"
    )

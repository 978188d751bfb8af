"""The data of a report, read from the store; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamer.annotation.blind import Blind
from streamer.annotation.explaining import Sounding, soundings
from streamer.loop.profile_model import ProfileModel
from streamer.profiles.status import status_row
from streamer.report.angles import Fan, fans
from streamer.report.prequential import Trace, traces
from streamer.report.raters import Rater, raters
from streamer.store.profile import Profile
from streamer.store.sessions import SessionRow, UtteranceRow
from streamer.text import path_text
from streamer.types import DIMENSIONS, Label


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """profile: its name; session: its number, None for the whole profile.

    sessions, heard, labels and traces are those of that session, and since a time, in seconds since
    1970, where that is not None; notes: what somebody noted, by utterance; fans, raters and status
    (see `status_row`) are those of the whole profile. hidden: utterances whose predictions are not
    shown, see `annotation.blind`; soundings: how the others differ from the usual, as far as they
    were measured.
    """

    profile: str
    encoder: str | None
    encoder_sha256: str | None
    session: int | None
    sessions: Sequence[SessionRow]
    heard: Sequence[UtteranceRow]
    labels: Sequence[Label]
    traces: Mapping[str, Trace]
    fans: Sequence[Fan]
    raters: Sequence[Rater]
    status: Mapping[str, Any]
    hidden: frozenset[int] = frozenset()
    soundings: Mapping[int, Sounding] = field(default_factory=dict)
    since: float | None = None
    notes: Mapping[int, str] = field(default_factory=dict)

    def predicted(self) -> list[tuple[int, UtteranceRow]]:
        """Utterances whose predictions may be shown, each with its place among all."""
        return [(at, row) for at, row in enumerate(self.heard) if row.id not in self.hidden]

    def fates(self) -> dict[str, int]:
        """Number of utterances by fate; see `UtteranceRow`."""
        names = ("answered", "open", "closed", "answered unasked", "in the buffer", "let go")
        return {name: sum(row.fate == name for row in self.heard) for name in names}


def read_record(
    profile: Profile,
    session: int | None = None,
    blind: bool | None = None,
    since: float | None = None,
) -> Record:
    """Of a session (see `Sessions.get`), or of the whole profile. Another process may be listening.

    blind: the setting of that name; since: leave out what is older, in seconds since 1970.
    Raises NotFound for an unknown session, and other kinds of ProfileError.
    """
    stored = profile.sessions
    sessions = stored.all() if session is None else [stored.get(session)]
    session = None if session is None else sessions[0].id
    heard = stored.utterances(session)
    if since is not None:
        heard = [row for row in heard if row.heard_at >= since]
        kept = {row.session for row in heard}
        sessions = [row for row in sessions if row.id in kept]
    numbers = {row.id for row in heard}
    hides = Blind(profile, blind).hides
    labels = [entry.label for entry in profile.labels.effective()]
    known: dict[str, Trace] = {}
    enrolled: Sequence[Fan] = ()
    if not profile.is_empty():
        known = {name: trace.of(numbers) for name, trace in traces(profile).items()}
        model = ProfileModel(profile).model
        enrolled = fans(profile.emotions.enrolled(), model.enrolled, model.usual_emotion.mean)
    hidden = frozenset(
        row.id for row in heard if hides(row.id, "buffered" if row.fate == "in the buffer" else "")
    )
    return Record(
        profile=path_text(profile.folder.name),
        encoder=profile.meta("encoder"),
        encoder_sha256=profile.meta("encoder_sha256"),
        session=session,
        sessions=sessions,
        heard=heard,
        labels=[label for label in labels if label.utterance in numbers],
        traces={name: known[name] for name in DIMENSIONS if name in known and len(known[name])},
        fans=enrolled,
        raters=raters(profile),
        status=status_row(profile),
        hidden=hidden,
        soundings=soundings(profile, numbers - hidden),
        since=since,
        notes={
            number: note.text for number, note in profile.notes.all().items() if number in numbers
        },
    )

"""The events of a running session, and their JSON form.

`streamer.Loop` yields these; `streamer run --json` writes each as one line.

>>> to_json(Learned(utterance=12, annotator="me", labels=31))
{'event': 'learned', 'utterance': 12, 'annotator': 'me', 'labels': 31}
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from streamer.types import DIMENSIONS, NoticeKind, Prediction, Quality, Verdict

# What each mode of privacy keeps, shown wherever the loop is shown to listen.
AUDIO_KEPT: Final[Mapping[str, str]] = {
    "clips": "keeps the audio of open questions only",
    "embeddings": "keeps no audio",
    "everything": "keeps the audio of every utterance",
}


@dataclass(frozen=True, slots=True)
class Started:
    """The first event: version, profile, encoder and source.

    Attributes
    ----------
    version, profile : str
        Of the program; the profile's name.
    encoder : mapping
        Its ``name``, ``sha256`` and ``embedding_size``.
    source : mapping
        Its ``kind`` ("file", "microphone" or "stdin"), ``name``, ``rate_hz`` and ``channels``.
    privacy : str
        Which audio is kept on disk: a key of `AUDIO_KEPT`.
    """

    version: str
    profile: str
    encoder: Mapping[str, Any]
    source: Mapping[str, Any]
    privacy: str = "clips"


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance with its prediction.

    Attributes
    ----------
    id : int
        Its number in the profile, increasing, never reused.
    source : str
        The file or device.
    onset_s, offset_s : float
        On the clock of the source, in seconds.
    prediction : Prediction
    verdict : Verdict
    informativeness : float or None
        -|P(label > 0) - 0.5|, in [-0.5, 0]; higher is more informative. None until there are labels
        on both sides of 0.
    quality : Quality
    latency_ms : float
        From the detection of its end to this event.
    """

    id: int
    source: str
    onset_s: float
    offset_s: float
    prediction: Prediction
    verdict: Verdict
    informativeness: float | None
    quality: Quality
    latency_ms: float


@dataclass(frozen=True, slots=True)
class Withheld:
    """One utterance, while what is predicted of it is hidden; see `streamer.loop.blind`.

    The attributes are those of `Heard`. As JSON it is an ``utterance`` whose predictions are null.
    """

    id: int
    source: str
    onset_s: float
    offset_s: float
    quality: Quality
    latency_ms: float

    @classmethod
    def of(cls, heard: Heard) -> Self:
        """What of an utterance says nothing about its predictions."""
        return cls(
            heard.id, heard.source, heard.onset_s, heard.offset_s, heard.quality, heard.latency_ms
        )


@dataclass(frozen=True, slots=True)
class Revealed:
    """What was predicted of an utterance that was withheld until now.

    Attributes
    ----------
    heard : Heard
        As it would have been passed at once.
    """

    heard: Heard


@dataclass(frozen=True, slots=True)
class Selected:
    """A buffer was split: some utterances are asked about, the others released.

    Attributes
    ----------
    buffer : int
        Its number in the profile, from 1.
    strategy, reason : str
        The name of the strategy, and its reason in words.
    asked, released : sequence of int
        Utterances; the asked in the order of selection, then the explored.
    explored : sequence of int
        The asked ones that were drawn at random, for unbiased estimates.
    """

    buffer: int
    strategy: str
    reason: str
    asked: Sequence[int]
    released: Sequence[int]
    explored: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Learned:
    """A label was learned.

    Attributes
    ----------
    utterance : int
    annotator : str
    labels : int
        How many labels the learner has learned.
    """

    utterance: int
    annotator: str
    labels: int


@dataclass(frozen=True, slots=True)
class Unlearned:
    """Labels were undone or replaced; the learner is as if they had never been given.

    Attributes
    ----------
    labels : int
        How many labels the learner has learned.
    """

    labels: int


@dataclass(frozen=True, slots=True)
class Drifted:
    """A lasting change was detected; text:

    a description. See `learners.drift.Drift` for the fields.
    """

    cause: str
    signal: str
    since: int
    found: int
    before: float
    after: float
    text: str


@dataclass(frozen=True, slots=True)
class Noticed:
    """A message for the user. kind: for programs, a key of `loop.notices.NOTICE_KINDS`."""

    text: str
    kind: NoticeKind = "general"


@dataclass(frozen=True, slots=True)
class Marked:
    """An event marker: something that happened around the speech.

    Attributes
    ----------
    id : int
        Its number in the profile.
    name, origin : str
        What happened; how it came: "key", "stdin", "http", "protocol" or "python".
    source : str
        The file or device.
    at_s : float
        On the clock of the source, in seconds, as the onset of an utterance.
    unix_s : float
        Seconds since 1970.
    error_s : float or None
        Bound of the error of `at_s`; None where a recording or a pipe has no clock, and `at_s` is
        the position that was processed by then.
    """

    id: int
    name: str
    origin: str
    source: str
    at_s: float
    unix_s: float
    error_s: float | None


@dataclass(frozen=True, slots=True)
class ClockFitted:
    """How the clock of a live source runs on the computer's; see `audio.sample_clock`.

    Comes before each marker, and about once a minute. The sample at `source_s` arrived at
    `monotonic_s`, and later ones follow at `rate`.

    Attributes
    ----------
    source : str
        The device.
    source_s, monotonic_s, unix_s : float
        The same moment in seconds from the start of the source, of the computer's monotonic clock,
        and since 1970.
    rate : float
        Seconds of the computer's clocks a second of the source.
    error_s : float
        Largest distance of an arrival from the line, in seconds.
    """

    source: str
    source_s: float
    monotonic_s: float
    unix_s: float
    rate: float
    error_s: float


@dataclass(frozen=True, slots=True)
class Ended:
    """The last event, with the sample counts.

    Attributes
    ----------
    captured_samples, speech_samples, silence_samples : int
        At the source's rate; captured = speech + silence + the sum of the dropped, exactly.
    dropped_samples : mapping of str to int
        By reason.
    utterances, asked, released : int
        How many.
    audio_s : float
        Seconds of audio.
    realtime_factor : float
        Seconds of work a second of audio.
    """

    captured_samples: int
    speech_samples: int
    silence_samples: int
    dropped_samples: Mapping[str, int]
    utterances: int
    asked: int
    released: int
    audio_s: float
    realtime_factor: float


Event = (
    Started
    | Heard
    | Withheld
    | Revealed
    | Selected
    | Learned
    | Unlearned
    | Drifted
    | Marked
    | ClockFitted
    | Noticed
    | Ended
)

_NAMES: Mapping[type[Event], str] = {
    Started: "start",
    Heard: "utterance",
    Withheld: "utterance",
    Revealed: "revealed",
    Selected: "selection",
    Learned: "learned",
    Unlearned: "unlearned",
    Drifted: "drift",
    Marked: "marker",
    ClockFitted: "clock",
    Noticed: "notice",
    Ended: "end",
}


@dataclass(frozen=True, slots=True)
class Status:
    """The state shown on screens between events. buffer: (filled, size).

    realtime_factor: seconds of work per second of audio, so far. playing: the microphone is
    ignored, as the device itself plays a question.
    """

    level_dbfs: float
    speaking: bool
    buffer: tuple[int, int]
    open_queries: int
    labels: int
    utterances: int
    audio_s: float
    dropped_samples: Mapping[str, int] = field(default_factory=dict)
    realtime_factor: float = 0.0
    playing: bool = False


def to_json(event: Event) -> dict[str, Any]:
    """The event as a dict for JSON."""
    if isinstance(event, Revealed):
        return {**to_json(event.heard), "event": _NAMES[Revealed]}
    plain = asdict(event)
    if isinstance(event, Withheld):
        hidden = dict.fromkeys((*DIMENSIONS, "verdict", "informativeness"))
        at = list(plain).index("quality")
        items = list(plain.items())
        plain = dict([*items[:at], *hidden.items(), *items[at:]])
    if isinstance(event, Heard):
        prediction = plain.pop("prediction")
        at = list(plain).index("verdict")
        items = list(plain.items())
        plain = dict([*items[:at], *((n, prediction[n]) for n in DIMENSIONS), *items[at:]])
    return {"event": _NAMES[type(event)], **plain}

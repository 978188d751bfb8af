"""Events as lines: JSON for programs, plain text for pipes and logs."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

from streamer.events import (
    AUDIO_KEPT,
    ClockFitted,
    Drifted,
    Ended,
    Event,
    Heard,
    Learned,
    Marked,
    Noticed,
    Revealed,
    Selected,
    Started,
    Status,
    Unlearned,
    Withheld,
    to_json,
)
from streamer.text import json_line, many, printable
from streamer.types import Estimate

# In place of a prediction, see `streamer.loop.blind`.
HIDDEN: Final = "prediction hidden until it is answered or released"


class JsonLines:
    """One JSON object a line on standard output, flushed after each line."""

    name = "standard output"

    def emit(self, event: Event) -> None:
        print(json_line(to_json(event)), flush=True)

    def tick(self, status: Callable[[], Status]) -> None:
        pass

    def close(self) -> None:
        pass


class PlainLines:
    """One line an event, for pipes, logs and terminals without redrawing."""

    name = "standard output"

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._source = ""
        self._is_live = False

    def emit(self, event: Event) -> None:
        if isinstance(event, ClockFitted):
            return  # for programs
        if isinstance(event, Started):
            self._source = Path(event.source["name"]).name
            self._is_live = event.source["kind"] != "file"
        elif (
            isinstance(event, Heard | Withheld) and event.source != self._source
        ):  # the next file of a folder
            self._source = event.source
            print(f"in {printable(event.source)}:", file=self._out)
        if not isinstance(event, Drifted):  # its notice follows
            print(describe(event, live=self._is_live), file=self._out, flush=True)

    def tick(self, status: Callable[[], Status]) -> None:
        pass

    def close(self) -> None:
        pass


def describe(event: Event, *, live: bool = False) -> str:
    """An event as text, without control characters; two lines at the end of a session, else one.

    live: of a source that comes at its own pace, so that the speed of the work says nothing.
    """
    lines = _account(event, live=live) if isinstance(event, Ended) else (_sentence(event),)
    return "\n".join(map(printable, lines))


def _sentence(
    event: Started
    | Heard
    | Withheld
    | Revealed
    | Selected
    | Learned
    | Unlearned
    | Drifted
    | Marked
    | ClockFitted
    | Noticed,
) -> str:
    match event:
        case Started():
            source = event.source
            return (
                f"Streamer {event.version}, profile {event.profile}, "
                f"encoder {event.encoder['name']}: listening to {source['kind']} {source['name']} "
                f"({source['rate_hz']} Hz, {source['channels']} ch); {AUDIO_KEPT[event.privacy]}"
            )
        case Heard():
            return (
                f"#{event.id:<5} {clock(event.onset_s)}-{clock(event.offset_s)}  "
                f"valence {interval(event.prediction.valence)}  "
                f"arousal {interval(event.prediction.arousal)}  {verdict(event)}"
                f"{'  clipped' if event.quality.clipped else ''}"
            )
        case Withheld():
            return (
                f"#{event.id:<5} {clock(event.onset_s)}-{clock(event.offset_s)}  {HIDDEN}"
                f"{'  clipped' if event.quality.clipped else ''}"
            )
        case Revealed():
            return f"{_sentence(event.heard)}  (was hidden)"
        case Selected():
            asked = " ".join(f"#{number}" for number in event.asked) or "nothing"
            released = len(event.released)
            return f"buffer {event.buffer}: asks {asked} ({event.reason}); releases {released}"
        case Learned():
            return f"learned #{event.utterance} from {event.annotator}, label {event.labels}"
        case Unlearned():
            return f"labels were undone or replaced: relearned from {event.labels}"
        case Drifted():
            return f"drift: {event.text}"
        case Marked():
            return f"marker {clock(event.at_s)} {event.name} ({event.origin})"
        case ClockFitted():
            return f"clock of {event.source}: within {1000 * event.error_s:.1f} ms"
        case Noticed():
            return f"{'drift' if event.kind == 'drift' else 'notice'}: {event.text}"


def verdict(event: Heard) -> str:
    """The nearest emotion with its distance, "unknown", or "" while none is known.

    "usual voices" marks a population prototype: the emotion is not enrolled.
    """
    found = event.verdict
    if found.distance is None:
        return ""
    known_by = "" if found.own else "usual voices, "
    return f"{found.emotion or 'unknown'} ({known_by}{found.distance:.2f})"


def interval(estimate: Estimate) -> str:
    return f"{estimate.mean:+.2f} [{estimate.low:+.2f}, {estimate.high:+.2f}]"


def clock(seconds: float) -> str:
    """As 1:02.5, or 1:00:02.5 from an hour on."""
    minutes, rest = divmod(round(seconds * 10), 600)
    hours, minutes = divmod(minutes, 60)
    return (f"{hours}:{minutes:02}" if hours else f"{minutes}") + f":{rest / 10:04.1f}"


def _account(event: Ended, *, live: bool) -> tuple[str, str]:
    heard, lost = many(event.utterances, "utterance"), sum(event.dropped_samples.values())
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in event.dropped_samples.items())
    factor = 0.0 if live else event.realtime_factor
    speed = f", {1 / factor:.0f} times real time" if factor else ""
    return (
        f"{clock(event.audio_s)} of audio: {heard}, {event.asked} asked, "
        f"{event.released} released{speed}",
        f"samples: {event.captured_samples:,} captured = {event.speech_samples:,} speech + "
        f"{event.silence_samples:,} silence + {lost:,} dropped{f' ({reasons})' if reasons else ''}",
    )

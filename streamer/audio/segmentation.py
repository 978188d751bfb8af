"""From a probability of speech per frame to the spans of the utterances.

A frame i covers the samples [512 i, 512 (i + 1)) at 16 kHz. With two thresholds, on >= off:

1. A frame with p >= on is *certain*. Speech begins at a certain frame, reaches back over frames
   with p >= off (each less than `hangover` from the next, none farther than `reach` from the
   certain one), and goes on over frames with p >= off up to `reach` after the last certain one.
   Shouts, whispers and sighs hover far below the usual 0.5; beside certain speech they count.
2. `hangover` without a speech frame ends it. The end is the last speech frame plus `padding`,
   not plus `hangover`; the start is the first speech frame less `pre_roll`, but never before
   the end of the previous span.
3. A speech frame that would end more than `maximum_utterance` after the start cuts: before the
   least likely frame of the span's second half (the last of equals). The rest goes on from there.
4. What holds less than `minimum_speech` of certain frames, or is shorter than
   `minimum_utterance` with its padding, is silence.

The frame is the unit: the spans depend on nothing else, so not on how the stream was chunked.
"""

import math
from collections import deque
from dataclasses import dataclass, fields

from streamer.errors import UsageError
from streamer.types import FRAME_SAMPLES, Span

LEAST_MAXIMUM_SAMPLES = 8 * FRAME_SAMPLES
MOST_MAXIMUM_SAMPLES = 4_800_000


@dataclass(frozen=True, slots=True)
class SegmentationSettings:
    """Thresholds are probabilities in (0, 1]; all lengths are samples at 16 kHz.

    Defaults: onset 0.15 s before and offset 0.1 s after the frames of speech, an utterance after
    0.6 s of silence, between 0.25 and 15 s long.

    Raises UsageError where a value cannot be meant.
    """

    on_probability: float = 0.3
    off_probability: float = 0.1
    reach_samples: int = 16_000
    hangover_samples: int = 9_600
    pre_roll_samples: int = 2_400
    padding_samples: int = 1_600
    minimum_speech_samples: int = 1_536
    minimum_utterance_samples: int = 4_000
    maximum_utterance_samples: int = 240_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_samples") and not (isinstance(value, int) and value >= 0):
                raise UsageError(f"{field.name} = {value}: give a whole number of samples, >= 0")
        if not 0.0 < self.off_probability <= self.on_probability <= 1.0:
            raise UsageError(
                f"off_probability = {self.off_probability}, "
                f"on_probability = {self.on_probability}: "
                "give 0 < off_probability <= on_probability <= 1"
            )
        if self.hangover_samples < FRAME_SAMPLES:
            raise UsageError(
                f"hangover_samples = {self.hangover_samples}: give {FRAME_SAMPLES} or more"
            )
        if self.padding_samples > self.hangover_samples:
            # An utterance is decided after its hangover: later audio is not there yet.
            raise UsageError(
                f"padding_samples = {self.padding_samples}: give no more than "
                f"hangover_samples = {self.hangover_samples}"
            )
        least = max(
            LEAST_MAXIMUM_SAMPLES, 2 * self.minimum_utterance_samples, 4 * self.pre_roll_samples
        )
        if self.maximum_utterance_samples < least:
            raise UsageError(
                f"maximum_utterance_samples = {self.maximum_utterance_samples}: "
                f"give {least} or more "
                "(8 frames, 2 minimum_utterance_samples and 4 pre_roll_samples)"
            )
        if self.maximum_utterance_samples > MOST_MAXIMUM_SAMPLES:
            raise UsageError(
                f"maximum_utterance_samples = {self.maximum_utterance_samples}: "
                f"give no more than {MOST_MAXIMUM_SAMPLES} (5 minutes)"
            )


class Segmenter:
    """Push the probability of each frame, get the spans that it decides, in order.

    Memory is bounded by `maximum_utterance_samples` and `reach_samples`; the audio before
    `oldest_needed_sample` can be forgotten.
    """

    def __init__(self, settings: SegmentationSettings | None = None) -> None:
        self._settings = settings or SegmentationSettings()
        self._reach_frames = self._settings.reach_samples // FRAME_SAMPLES
        self.reset()

    def reset(self) -> None:
        """Begin a new timeline: the next frame is frame 0."""
        self._next_frame = 0
        self._previous_end = 0
        self._before: deque[float] = deque(maxlen=self._reach_frames)
        self._open: _Stretch | None = None

    @property
    def speaking(self) -> bool:
        """An utterance is open, with enough certain speech to become a span."""
        return self._open is not None and self._says_enough(self._open)

    @property
    def oldest_needed_sample(self) -> int:
        """No later span starts before this sample."""
        first = self._next_frame - len(self._before)
        if self._open is not None:
            first = self._open.first_frame
        return max(self._previous_end, first * FRAME_SAMPLES - self._settings.pre_roll_samples, 0)

    def push(self, probability: float) -> list[Span]:
        """The next frame's probability of speech, in [0, 1]; the spans that it decides."""
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"a probability lies in [0, 1], not {probability}")
        frame = self._next_frame
        self._next_frame += 1
        if self._open is None:
            if probability < self._settings.on_probability:
                self._before.append(probability)
                return []
            self._open = self._reach_back()
        stretch = self._open
        certain = probability >= self._settings.on_probability
        if certain:
            stretch.last_certain_frame = frame
        speech = certain or (
            probability >= self._settings.off_probability
            and frame - stretch.last_certain_frame <= self._reach_frames
        )
        stretch.probabilities.append(probability)
        stretch.speech.append(speech)
        if not speech:
            silence_samples = (frame - stretch.last_speech_frame) * FRAME_SAMPLES
            if silence_samples < self._settings.hangover_samples:
                return []
            self._open = None
            return self._span(stretch)
        stretch.last_speech_frame = frame
        limit = self._start(stretch) + self._settings.maximum_utterance_samples
        return self._cut(stretch) if (frame + 1) * FRAME_SAMPLES > limit else []

    def finish(self, total_samples: int) -> list[Span]:
        """End the timeline: what is open ends at the latest at `total_samples`. Then `reset()`.

        total_samples: all that was heard; the frames pushed and a tail shorter than a frame.
        """
        pushed = self._next_frame * FRAME_SAMPLES
        if not pushed <= total_samples < pushed + FRAME_SAMPLES:
            raise ValueError(
                f"{self._next_frame} frames were pushed: {total_samples} samples do not fit them"
            )
        spans = [] if self._open is None else self._span(self._open, total_samples)
        self.reset()
        return spans

    def _reach_back(self) -> "_Stretch":
        """A stretch for the certain frame to come, over what hovered above `off` before it."""
        frame = self._next_frame - 1
        first = frame
        for back, probability in enumerate(reversed(self._before), start=1):
            earlier = frame - back
            if (first - earlier) * FRAME_SAMPLES >= self._settings.hangover_samples + FRAME_SAMPLES:
                break
            if probability >= self._settings.off_probability:
                first = earlier
        probabilities = list(self._before)[len(self._before) - (frame - first) :]
        self._before.clear()
        speech = [p >= self._settings.off_probability for p in probabilities]
        return _Stretch(first, frame, frame, probabilities, speech)

    def _start(self, stretch: "_Stretch") -> int:
        padded = stretch.first_frame * FRAME_SAMPLES - self._settings.pre_roll_samples
        return max(self._previous_end, padded, 0)

    def _says_enough(self, stretch: "_Stretch") -> bool:
        certain_samples = stretch.certain_frames(self._settings.on_probability) * FRAME_SAMPLES
        return certain_samples >= self._settings.minimum_speech_samples

    def _cut(self, stretch: "_Stretch") -> list[Span]:
        """Split the open stretch; the first part is decided, the second stays open."""
        start = self._start(stretch)
        maximum = self._settings.maximum_utterance_samples
        # Candidates lie whole in the second half of [start, start + maximum].
        low = -(-(2 * start + maximum) // (2 * FRAME_SAMPLES))
        high = (start + maximum) // FRAME_SAMPLES
        candidates = range(high - 1, low - 1, -1)
        at = min(candidates, key=lambda k: stretch.probabilities[k - stretch.first_frame])
        head, self._open = stretch.split(at)
        return self._span(head, at * FRAME_SAMPLES)

    def _span(self, stretch: "_Stretch", latest_end: float = math.inf) -> list[Span]:
        start = self._start(stretch)
        end = int(
            min(
                (stretch.last_speech_frame + 1) * FRAME_SAMPLES + self._settings.padding_samples,
                start + self._settings.maximum_utterance_samples,
                latest_end,
            )
        )
        if not self._says_enough(stretch):
            return []
        if end - start < self._settings.minimum_utterance_samples:
            return []
        self._previous_end = end
        return [Span(start, end)]


@dataclass(slots=True)
class _Stretch:
    """Consecutive frames from a first speech frame on, and which of them are speech."""

    first_frame: int
    last_certain_frame: int
    last_speech_frame: int
    probabilities: list[float]
    speech: list[bool]

    def certain_frames(self, on_probability: float) -> int:
        return sum(p >= on_probability for p in self.probabilities)

    def split(self, at: int) -> "tuple[_Stretch, _Stretch]":
        """The frames before `at`, and from the first speech frame at or after it."""
        cut = at - self.first_frame
        last = max(k for k in range(cut) if self.speech[k])
        head = _Stretch(
            self.first_frame,
            self.last_certain_frame,
            self.first_frame + last,
            self.probabilities[:cut],
            self.speech[:cut],
        )
        resumed = self.speech.index(True, cut)
        tail = _Stretch(
            self.first_frame + resumed,
            self.last_certain_frame,
            self.last_speech_frame,
            self.probabilities[resumed:],
            self.speech[resumed:],
        )
        return head, tail

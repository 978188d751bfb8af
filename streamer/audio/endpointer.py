"""The ear: 16 kHz samples in, utterances out, every sample counted once."""

import math
from dataclasses import replace
from typing import Protocol

import numpy as np

from streamer.audio.conditioning.level import LevelFollower
from streamer.audio.conditioning.usual_level import UsualLevel
from streamer.audio.quality import NoiseFloor, assess, mean_power, power_dbfs
from streamer.audio.segmentation import SegmentationSettings, Segmenter
from streamer.types import FRAME_SAMPLES, Quality, Samples, Span

Cut = tuple[Span, Samples, Quality]

LEVEL_MEMORY_FRAMES = 2
LOUDEST = 8.0


class VoiceActivity(Protocol):
    """The probability in [0, 1] that a frame, float32 [512] at 16 kHz, holds speech."""

    def __call__(self, frame: Samples) -> float: ...

    def reset(self) -> None: ...


class Endpointer:
    """Cuts one timeline of 16 kHz mono samples into utterances.

    What it finds does not depend on the sizes of the chunks it hears. It keeps only the audio
    that a coming utterance may need, at most the longest utterance and its surroundings. When
    `finish()` has returned, `speech_samples + silence_samples` is the number of samples heard;
    `reset()` then begins a new timeline with both at 0.

    level: raises what is far too quiet, for the voice activity and in the audio handed out; None
    leaves all levels as they are. usual_level: where a voice is known, takes back in the audio
    handed out what another setting of the microphone changed.
    """

    def __init__(
        self,
        voice_activity: VoiceActivity,
        settings: SegmentationSettings | None = None,
        level: LevelFollower | None = None,
        usual_level: UsualLevel | None = None,
    ) -> None:
        self._level = level
        self._usual_level = usual_level
        self._settings = settings or SegmentationSettings()
        self._voice_activity = voice_activity
        self._segmenter = Segmenter(self._settings)
        self._noise_floor = NoiseFloor()
        self._recent = _Recent(_most_needed_samples(self._settings))
        self._frame = np.zeros(FRAME_SAMPLES, dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Begin a new timeline: sample 0, nothing counted, silence around."""
        self._voice_activity.reset()
        self._segmenter.reset()
        self._noise_floor.reset()
        if self._level is not None:
            self._level.reset()
        self._gain = 1.0
        self._recent.reset()
        self._filled = 0
        self._power = 0.0
        self._finished = False
        self.speech_samples = 0
        self.silence_samples = 0

    def begin_source(self) -> None:
        """What comes next is another file or device, perhaps of another level."""
        if self._usual_level is not None:
            self._usual_level.reset()

    @property
    def speaking(self) -> bool:
        """Somebody speaks: the utterance will be one of those heard."""
        return self._segmenter.speaking

    @property
    def level(self) -> float:
        """The RMS level of about the last 0.1 s, in dBFS, for a level meter."""
        return power_dbfs(self._power)

    @property
    def gain_db(self) -> float:
        """What the level is raised by at the moment; below 0: lowered."""
        return 20.0 * math.log10(self._gain)

    def hear(self, samples: Samples) -> list[Cut]:
        """The utterances that end in these samples: float32 [m], any m, in [-1, 1].

        A sample that is no number is heard as 0, one far beyond full scale as 8. The audio
        handed out is a copy of its own.
        """
        if self._finished:
            raise ValueError("this timeline is finished: call reset() first")
        if samples.ndim != 1:
            raise ValueError(f"give mono samples [m], not {samples.shape}")
        # Not "> LOUDEST": no comparison with what is no number is true.
        if samples.size and not np.abs(samples).max() <= LOUDEST:
            samples = np.nan_to_num(samples).clip(-LOUDEST, LOUDEST)
        heard: list[Cut] = []
        taken = 0
        while taken < samples.size:
            part = samples[taken : taken + FRAME_SAMPLES - self._filled]
            self._frame[self._filled : self._filled + part.size] = part
            taken += part.size
            self._filled += part.size
            if self._filled == FRAME_SAMPLES:
                heard += self._hear_frame()
                self._filled = 0
        return heard

    def finish(self) -> list[Cut]:
        """The utterance still open at the end of the timeline, if there is one."""
        self._finished = True
        self._recent.append(self._frame[: self._filled])
        self._filled = 0
        heard = [self._take(span) for span in self._segmenter.finish(self._recent.end)]
        self._forget(self._recent.end)
        return heard

    def _hear_frame(self) -> list[Cut]:
        self._recent.append(self._frame)
        power = mean_power(self._frame)
        self._power += (power - self._power) / LEVEL_MEMORY_FRAMES
        if self._level is not None:
            self._level.observe(power)
            gain_db = self._level.gain_db
            self._gain = 10.0 ** (gain_db / 20.0) if gain_db else 1.0
        frame = self._frame if self._gain == 1.0 else self._frame * np.float32(self._gain)
        probability = self._voice_activity(frame)
        if probability < self._settings.off_probability:
            self._noise_floor.update(power)
        heard = [self._take(span) for span in self._segmenter.push(probability)]
        self._forget(self._segmenter.oldest_needed_sample)
        return heard

    def _take(self, span: Span) -> Cut:
        self._forget(span.start_sample)
        audio = self._recent.take(span.end_sample)
        self.speech_samples += audio.size
        quality = assess(audio, self._noise_floor.level_dbfs)
        gain_db = self.gain_db
        if self._usual_level is not None:
            gain_db = self._usual_level.gain_db(quality.level_dbfs) or gain_db
        return span, *raised(audio, quality, gain_db)

    def _forget(self, before_sample: int) -> None:
        """What leaves without having been part of an utterance was silence."""
        self.silence_samples += self._recent.take(before_sample).size


def raised(audio: Samples, quality: Quality, gain_db: float) -> tuple[Samples, Quality]:
    """The audio, raised in place but never above full scale, and its quality with what was done."""
    peak = float(np.abs(audio).max(initial=0.0)) if gain_db else 0.0
    if peak:
        gain_db = min(gain_db, -20.0 * math.log10(peak))
        audio *= np.float32(10.0 ** (gain_db / 20.0))
        quality = replace(quality, gain_db=gain_db)
    return audio, quality


def _most_needed_samples(settings: SegmentationSettings) -> int:
    """The longest audio that the segmenter may still ask for, before or in an utterance."""
    before = settings.reach_samples + settings.pre_roll_samples
    within = settings.maximum_utterance_samples + settings.hangover_samples
    return before + within + 4 * FRAME_SAMPLES


class _Recent:
    """The last samples of the timeline: appended at the end, taken away at the start.

    Room for twice the most that is kept: a sample is moved at most once, on average.
    """

    def __init__(self, most_samples: int) -> None:
        self._room = np.zeros(2 * most_samples, dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        self._first = 0
        self._last = 0
        self.end = 0

    def append(self, samples: Samples) -> None:
        if self._last + samples.size > self._room.size:
            kept = self._last - self._first
            self._room[:kept] = self._room[self._first : self._last]
            self._first, self._last = 0, kept
        self._room[self._last : self._last + samples.size] = samples
        self._last += samples.size
        self.end += samples.size

    def take(self, before_sample: int) -> Samples:
        """Remove what lies before this sample of the timeline, and return a copy of it."""
        start_sample = self.end - (self._last - self._first)
        size = max(0, before_sample - start_sample)
        taken = self._room[self._first : self._first + size].copy()
        self._first += size
        return taken

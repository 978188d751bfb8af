"""From what a source delivers to utterances, with every sample accounted for."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from streamer.audio.channels import ChannelMixer
from streamer.audio.clipping import ClippingMeter
from streamer.audio.conditioning.conditioner import Conditioner
from streamer.audio.endpointer import Cut
from streamer.audio.quality import with_clipping
from streamer.audio.sound_check import SoundCheck
from streamer.types import SAMPLE_RATE_HZ, Chunk, Gap, Notice, Samples, Utterance


class Resampler(Protocol):
    """One timeline's samples, [n, channels] at its rate, to [m] at 16 kHz."""

    def push(self, samples: Samples) -> Samples: ...
    def finish(self) -> Samples: ...
    def expected_out(self, source_samples: int) -> int: ...
    def to_source_samples(self, samples_16k: int) -> int: ...


class Endpointing(Protocol):
    """Cuts one timeline of 16 kHz samples into utterances: see `Endpointer`, `WholeRecording`."""

    speech_samples: int
    silence_samples: int

    @property
    def speaking(self) -> bool: ...
    @property
    def level(self) -> float: ...
    @property
    def gain_db(self) -> float: ...
    def begin_source(self) -> None: ...
    def hear(self, samples: Samples) -> list[Cut]: ...
    def finish(self) -> list[Cut]: ...
    def reset(self) -> None: ...


@dataclass(slots=True)
class Accounting:
    """Samples at the source's rate; captured = speech + silence + sum(dropped) once finished."""

    captured: int = 0
    speech: int = 0
    silence: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    audio_s: float = 0.0


class UtteranceStream:
    """Follows a source through gaps, files and rates; each unbroken stretch is heard on its own.

    Positions at 16 kHz become positions of the source on one rising line, so the spans of speech
    and of silence tile the stretch exactly. What resampler or ear lost would show as
    dropped["unaccounted"].
    """

    def __init__(
        self,
        endpointer: Endpointing,
        resampler: Callable[[int, int], Resampler],
        conditioner: Conditioner | None = None,
        mixer: Callable[[int, int], ChannelMixer] | None = None,
        channel: int | None = None,
    ) -> None:
        """resampler, mixer: make one for (rate_hz, channels).

        conditioner: None leaves sound as it is. mixer: makes one channel of several; None leaves
        them to the resampler, which takes only `channel`, counted from 1, where one is given.
        """
        self.endpointer = endpointer
        self._conditioner = conditioner
        self._make_mixer = mixer
        self._channel = channel
        self._sound_check: SoundCheck | None = None
        self._said: list[Notice] = []
        self.accounting = Accounting()
        self._make_resampler = resampler
        self._key = ("", SAMPLE_RATE_HZ, 0)
        self._origin = 0
        self._stretch: _Stretch | None = None

    def hear(self, item: Chunk | Gap) -> list[Utterance]:
        """The utterances whose end this item decided."""
        if isinstance(item, Gap):
            return self._skip(item)
        count, channels = item.samples.shape
        key = (item.source, item.rate_hz, channels)
        utterances = self.finish() if key != self._key else []
        if key[:2] != self._key[:2]:
            self._origin = 0
            self.endpointer.begin_source()
            if self._conditioner is not None:
                self._said += self.take_notices()
                self._sound_check = SoundCheck(item.source, item.rate_hz)
        self._key = key
        if self._stretch is None:
            self._stretch = self._begin(item.rate_hz, channels)
        self._stretch.delivered += count
        self.accounting.captured += count
        self.accounting.audio_s += count / item.rate_hz
        samples = item.samples
        if self._sound_check is not None:
            self._sound_check.hear(samples)
            self._stretch.clipping.push(samples)
        if self._stretch.mixer is not None:
            samples = self._stretch.mixer.push(samples)
            if self._sound_check is not None:
                self._sound_check.mix(self._stretch.mixer.faults, channels)
        utterances += self._listen(self._stretch, self._stretch.resampler.push(samples))
        return utterances

    def take_notices(self) -> list[Notice]:
        """What is wrong with the sound, found since the last time."""
        said, self._said = self._said, []
        return said if self._sound_check is None else [*said, *self._sound_check.take()]

    def give_up(self, utterance: Utterance, reason: str) -> None:
        """An utterance that was heard here, and of which nothing will come, was dropped."""
        self.accounting.speech -= utterance.source_samples
        self.accounting.dropped[reason] += utterance.source_samples

    def finish(self) -> list[Utterance]:
        """End the stretch: its last utterance, and its accounts closed."""
        stretch, self._stretch = self._stretch, None
        if stretch is None:
            return []
        utterances: list[Utterance] = []
        if stretch.mixer is not None:
            rest = stretch.resampler.push(stretch.mixer.finish())
            if self._sound_check is not None:
                self._sound_check.mix(stretch.mixer.faults, self._key[2])
            utterances += self._listen(stretch, rest)
        utterances += self._listen(stretch, stretch.resampler.finish())
        if self._conditioner is not None:
            rest = self._conditioner.finish()
            if self._sound_check is not None and self._conditioner.is_disturbed:
                self._sound_check.condition(self._conditioner.disturbances)
            utterances += self._utterances(stretch, self.endpointer.hear(rest))
            self._conditioner.reset()
        utterances += self._utterances(stretch, self.endpointer.finish())
        self._close_accounts(stretch)
        self.endpointer.reset()
        self._origin += stretch.delivered
        return utterances

    def _begin(self, rate_hz: int, channels: int) -> "_Stretch":
        clipping = ClippingMeter(rate_hz, channels)
        if channels == 1 or self._make_mixer is None:
            return _Stretch(self._make_resampler(rate_hz, channels), clipping)
        mixer = self._make_mixer(rate_hz, channels)
        return _Stretch(self._make_resampler(rate_hz, 1), clipping, mixer)

    def _skip(self, gap: Gap) -> list[Utterance]:
        utterances = self.finish()
        self._origin += gap.samples
        self.accounting.captured += gap.samples
        self.accounting.dropped[gap.reason] += gap.samples
        self.accounting.audio_s += gap.samples / self._key[1]
        return utterances

    def _listen(self, stretch: "_Stretch", samples: Samples) -> list[Utterance]:
        stretch.resampled += len(samples)
        if self._conditioner is not None:
            samples = self._conditioner.push(samples)
            if self._sound_check is not None and self._conditioner.is_disturbed:
                self._sound_check.condition(self._conditioner.disturbances)
        return self._utterances(stretch, self.endpointer.hear(samples))

    def _utterances(self, stretch: "_Stretch", found: Iterable[Cut]) -> list[Utterance]:
        source, rate_hz, _ = self._key
        utterances = []
        for span, audio, quality in found:
            onset, offset = stretch.position(span.start_sample), stretch.position(span.end_sample)
            self.accounting.silence += onset - stretch.accounted
            self.accounting.speech += offset - onset
            stretch.accounted = offset
            clipped = stretch.clipping.part(onset, offset, self._heard_channels(stretch))
            quality = with_clipping(quality, clipped)
            if self._sound_check is not None:
                self._sound_check.judge(quality, audio)
            onset_s, offset_s = ((self._origin + at) / rate_hz for at in (onset, offset))
            utterances.append(Utterance(source, onset_s, offset_s, audio, quality, offset - onset))
        return utterances

    def _heard_channels(self, stretch: "_Stretch") -> set[int]:
        """Counted from 0."""
        if self._channel is not None:
            return {self._channel - 1}
        faults = {} if stretch.mixer is None else stretch.mixer.faults
        return {at for at in range(self._key[2]) if at + 1 not in faults}

    def _close_accounts(self, stretch: "_Stretch") -> None:
        heard = self.endpointer.speech_samples + self.endpointer.silence_samples
        whole = heard == stretch.resampled == stretch.resampler.expected_out(stretch.delivered)
        end = stretch.delivered if whole else stretch.position(min(heard, stretch.resampled))
        self.accounting.silence += end - stretch.accounted
        if end != stretch.delivered:
            self.accounting.dropped["unaccounted"] += stretch.delivered - end


@dataclass(slots=True)
class _Stretch:
    """One unbroken run of a source. accounted: up to here, its samples are speech or silence."""

    resampler: Resampler
    clipping: ClippingMeter
    mixer: ChannelMixer | None = None
    delivered: int = 0
    resampled: int = 0
    accounted: int = 0

    def position(self, sample_16k: int) -> int:
        return min(self.resampler.to_source_samples(sample_16k), self.delivered)

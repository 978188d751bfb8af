"""What is wrong with the sound of a source, said once each: what it is, then what helps."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from streamer.audio.conditioning.conditioner import Disturbances
from streamer.audio.quality import is_narrow, power_dbfs
from streamer.types import Notice, NoticeKind, Quality, Samples

SILENT_S: Final = 3.0
LOW_AFTER_S: Final = 30.0
LOW_DBFS: Final = -70.0
RAISED_DB: Final = 6.0
QUIET_DBFS: Final = -45.0
LOWEST_RATE_HZ: Final = 16_000
UNCLEAR_IN_A_ROW: Final = 2
CLIPPED_UTTERANCES: Final = 2
NARROW_IN_A_ROW: Final = 3


class SoundCheck:
    """Follows one source; `take` hands out what is to be said since the last time.

    A kind is said once a source. `hear` takes what the source delivers, `judge` each utterance,
    `condition` what is being removed.
    """

    def __init__(self, source: str, rate_hz: int) -> None:
        self._source = source
        self._rate_hz = rate_hz
        self._said: set[str] = set()
        self._notices: list[Notice] = []
        self._last: Samples | None = None
        self._still_s = self._heard_s = 0.0
        self._loudest = 0.0
        self._utterances = self._unclear = self._clipped = self._narrow = 0
        if rate_hz < LOWEST_RATE_HZ:
            self._say(
                "low_rate",
                f"{rate_hz:,} samples a second hold less than half of what speech does: guesses "
                "are rougher; a headset that plays sound falls to this: choose another microphone",
            )

    def take(self) -> Iterator[Notice]:
        notices, self._notices = self._notices, []
        yield from notices

    def hear(self, samples: Samples) -> None:
        """samples: float32 [n, channels], as the source delivers them."""
        if not len(samples):
            return
        self._heard_s += len(samples) / self._rate_hz
        last, self._last = self._last, samples[-1].copy()
        still = bool((samples == samples[0]).all()) and (last is None or (last == samples[0]).all())
        self._still_s = self._still_s + len(samples) / self._rate_hz if still else 0.0
        if self._still_s >= SILENT_S and "silent_input" not in self._said:
            value = "digital silence" if not samples.any() else "one value that never changes"
            self._say(
                "silent_input",
                f"nothing but {value} for {self._still_s:.0f} s: the microphone may be muted, "
                "unplugged, or refused to this program; look at the system's sound settings",
            )
        if not self._utterances and "low_level" not in self._said and not still:
            wide = samples - samples.mean(axis=0)
            self._loudest = max(self._loudest, float(np.mean(wide * wide, axis=0).max()))
            if self._heard_s >= LOW_AFTER_S and power_dbfs(self._loudest) < LOW_DBFS:
                self._say(
                    "low_level",
                    f"nothing louder than {power_dbfs(self._loudest):.0f} dBFS in "
                    f"{self._heard_s:.0f} s: turn the microphone up, or choose another",
                )

    def judge(self, quality: Quality, audio: Samples) -> None:
        """One utterance."""
        self._utterances += 1
        if quality.gain_db > RAISED_DB:
            quiet = "very quiet" if quality.level_dbfs < QUIET_DBFS else "quieter than usual"
            self._say(
                "low_level",
                f"speech is {quiet} ({quality.level_dbfs:.0f} dBFS) and was raised by "
                f"{quality.gain_db:.0f} dB: turn the microphone up",
            )
        elif quality.gain_db < -RAISED_DB and not quality.clipped:
            self._say(
                "high_level",
                f"speech is louder than usual ({quality.level_dbfs:.0f} dBFS) and was lowered by "
                f"{-quality.gain_db:.0f} dB: turn the microphone down",
            )
        elif quality.gain_db < 0.0:
            self._say(
                "clipping",
                f"samples go far beyond full scale ({quality.level_dbfs:+.0f} dBFS) and were "
                f"lowered by {-quality.gain_db:.0f} dB",
            )
        self._clipped += quality.clipped
        if self._clipped >= CLIPPED_UTTERANCES:
            self._say(
                "clipping",
                "speech is clipped, which cannot be repaired: turn the microphone down, or move "
                "away from it",
            )
        self._unclear = self._unclear + 1 if not quality.is_clear and not quality.clipped else 0
        if self._unclear >= UNCLEAR_IN_A_ROW:
            self._say(
                "noise",
                f"speech is only {quality.snr_db:+.0f} dB above the noise: predictions are less "
                "certain, and such utterances are not asked about; move closer to the microphone",
            )
        if "low_rate" not in self._said:
            self._narrow = self._narrow + 1 if is_narrow(audio) else 0
            if self._narrow == NARROW_IN_A_ROW:
                before = self._utterances > NARROW_IN_A_ROW
                self._say(
                    "low_rate",
                    f"nothing above 4,000 Hz {'any more ' if before else ''}at {self._rate_hz:,} "
                    "samples a second: the sound comes over a telephone, or a headset that falls "
                    "to 8,000 where it also plays; guesses are rougher: choose another microphone",
                )

    def condition(self, found: Disturbances) -> None:
        if found.offset:
            self._say("offset", f"a constant offset of {found.offset:+.3f} is removed")
        if found.hum_hz:
            self._say(
                "hum",
                f"mains hum of {found.hum_hz:.0f} Hz ({power_dbfs(found.hum_power):.0f} dBFS) is "
                "removed: another power supply, cable or socket avoids it",
            )
        if found.rumble_power:
            self._say(
                "rumble",
                f"rumble below the voice ({power_dbfs(found.rumble_power):.0f} dBFS) is damped: "
                "shield the microphone from wind, and its stand from knocks",
            )

    def mix(self, faults: dict[int, str], channels: int) -> None:
        """faults: of channels, by their number, that are left out."""
        if not faults:
            return
        text = ", ".join(f"channel {channel} {fault}" for channel, fault in sorted(faults.items()))
        used = [str(c) for c in range(1, channels + 1) if c not in faults]
        heard = f"heard: channel {', '.join(used)} (to choose another: --channel)"
        self._say("channels", f"{text}; {heard}")

    def _say(self, kind: NoticeKind, text: str) -> None:
        if kind not in self._said:
            self._said.add(kind)
            self._notices.append(Notice(f"{self._source}: {text}", kind))

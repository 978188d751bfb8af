"""Copies of clips at another speed, pitch or tempo: more voices and speaking styles.

The teacher processes the copies too, so their targets are valid. They have no emotion label,
because pitch and tempo carry emotion. The size of a change depends only on the speaker's name, so
that all copies of a speaker share one voice.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np
import soxr

from streamer.encoders.acoustic.compilation import compile_once
from streamer.training.data.speech import COPY_MARK, RATE_HZ, Clip

Copied = tuple[Clip, np.ndarray]


def at_other_speed(clip: Clip, audio: np.ndarray) -> Copied:
    """The clip 8 to 20 % faster or slower, pitch and formants with it: another voice."""
    changed = soxr.resample(audio, RATE_HZ * _factor(clip), RATE_HZ)
    return _copy(clip, changed, COPY_MARK, COPY_MARK)


def at_other_pitch(clip: Clip, audio: np.ndarray) -> Copied:
    """The clip 1.3 to 3.2 semitones higher or lower, at its own tempo: another voice.

    By `librosa.effects.pitch_shift` (a phase vocoder; formants move with the pitch).
    """
    steps = 12.0 * np.log2(_factor(clip))
    compile_once()
    from librosa.effects import pitch_shift

    changed = pitch_shift(audio, sr=RATE_HZ, n_steps=steps, res_type="soxr_hq")
    return _copy(clip, changed, f".pitch{COPY_MARK}", f".pitch{COPY_MARK}")


def at_other_tempo(clip: Clip, audio: np.ndarray) -> Copied:
    """The clip 8 to 20 % faster or slower, at its own pitch: the same voice.

    By `librosa.effects.time_stretch` (a phase vocoder).
    """
    compile_once()
    from librosa.effects import time_stretch

    changed = time_stretch(audio, rate=_factor(clip))
    return _copy(clip, changed, f".tempo{COPY_MARK}", "")


COPIES: Final[dict[str, Callable[[Clip, np.ndarray], Copied]]] = {
    "speed": at_other_speed,
    "pitch": at_other_pitch,
    "tempo": at_other_tempo,
}


def _factor(clip: Clip) -> float:
    name = f"{clip.corpus}/{clip.speaker or clip.name}"
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return float(rng.uniform(1.08, 1.2) ** rng.choice([-1.0, 1.0]))


def _copy(clip: Clip, audio: np.ndarray, mark: str, speaker_mark: str) -> Copied:
    copy = replace(
        clip,
        name=f"{clip.name}{mark}",
        speaker=clip.speaker and f"{clip.speaker}{speaker_mark}",
        emotion="",
        samples=len(audio),
    )
    return copy, np.asarray(audio, np.float32)

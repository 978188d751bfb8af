"""Emotions by example: enroll a few utterances, then verify others."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.audio.quality import why_unclear
from streamer.audio.sources.open import open_source
from streamer.config import Config
from streamer.errors import UnreadableAudio, UsageError
from streamer.learners.prototypes import sounds_like
from streamer.loop.compose import bind_encoder, make_utterance_stream
from streamer.loop.online_model import OnlineModel
from streamer.loop.profile_model import ProfileModel
from streamer.loop.trust import predict
from streamer.store.profile import Profile
from streamer.text import many
from streamer.types import (
    Encoding,
    Notice,
    Prediction,
    Quality,
    Samples,
    Utterance,
    Verdict,
)

Notify = Callable[[str], None]

ENOUGH: Final = 10
NEUTRAL: Final = "neutral"


@dataclass(frozen=True, slots=True)
class Verified:
    """The verdict and prediction of one utterance of a file, and how well it was recorded."""

    source: str
    onset_s: float
    offset_s: float
    verdict: Verdict
    prediction: Prediction
    quality: Quality


def enroll(
    config: Config,
    profile: Profile,
    emotion: str,
    utterances: Sequence[int],
    files: Sequence[str],
    notify: Notify,
    confirmed: Callable[[str], bool] = lambda doubt: True,
) -> int:
    """Enroll stored utterances and every utterance in the files; all or none.

    notify: receives what is wrong with a file or an utterance that can be used all the same.
    confirmed: asked
    whether they are to be enrolled although they sound like another emotion.
    Returns how many. Raises NotFound, AudioError for a file without speech, EncoderError, and
    UsageError where it is not confirmed.
    """
    vectors: list[tuple[Samples, str, int | None]] = []
    if files:
        encoder = bind_encoder(config, profile)
        for file in files:
            for found in utterances_in(config, file, notify):
                _tell_unclear(f"{found.source} from {found.onset_s:.1f} s", found.quality, notify)
                vectors.append((encoder.encode(found.audio)[1], found.source, None))
    with profile.database.transaction():
        for number in dict.fromkeys(utterances):
            stored = profile.utterances.get(number)
            _tell_unclear(f"#{number}", stored.quality, notify)
            vectors.append((stored.emotion, stored.source, number))
        rows = [vector for vector, _, _ in vectors]
        model = None if profile.is_empty() else ProfileModel(profile).model
        doubt = None if model is None else doubt_about(model, emotion, rows)
        if doubt is not None and not confirmed(doubt):
            raise UsageError(f"{doubt}: nothing was enrolled; to enroll them, repeat with --yes")
        for vector, source, utterance in vectors:
            profile.emotions.enroll(emotion, vector, source, utterance, time.time())
    return len(vectors)


def _tell_unclear(what: str, quality: Quality, notify: Notify) -> None:
    reason = why_unclear(quality)
    if reason is not None:
        loud = quality.clipped
        remedy = "with the microphone turned down" if loud else "closer to the microphone"
        notify(
            f"{what} is a poor example ({reason}): what is enrolled by it is recognized less "
            f"reliably; record it again, {remedy}"
        )


def advice(profile: Profile, emotion: str) -> str | None:
    """Advice that improves the recognition of an enrolled emotion, or None.

    About ten clips are enough (Li and Lee, figure 4), and those of neutral count most (figure 5).
    """
    enrolled = {name: len(vectors) for name, vectors in profile.emotions.enrolled().items()}
    lacking = ENOUGH - enrolled.get(emotion, 0)
    told = [f"{lacking} more would help: about {ENOUGH} are enough"] if lacking > 0 else []
    if NEUTRAL not in enrolled:
        told.append("enroll neutral next: its examples help to recognize all the others")
    return "; ".join(told) or None


def doubt_about(model: OnlineModel, emotion: str, vectors: Sequence[Samples]) -> str | None:
    """Why clips may not be of the emotion that they are to be enrolled as, for people, or None.

    vectors: their emotion vectors, each [e].
    """
    if model.usual_emotion.count < ENOUGH:  # too little was heard to know what is usual here
        return None
    rows = np.array(vectors, np.float64)
    other = sounds_like(rows, emotion, model.prototypes, model.usual_emotion.mean)
    if other is None:
        return None
    return f"these {many(len(vectors), 'clip')} sound more like {other} than like {emotion}"


def verify_files(
    config: Config, profile: Profile, files: Sequence[str], notify: Notify
) -> Iterator[Verified]:
    """The verdict and prediction of every utterance in the files; the profile stays as it is."""
    encoder = bind_encoder(config, profile)
    profile_model = ProfileModel(profile)
    profile_model.follow()
    model = profile_model.model
    for file in files:
        for utterance in utterances_in(config, file, notify):
            encoding = Encoding(*encoder.encode(utterance.audio))
            yield Verified(
                utterance.source,
                utterance.onset_s,
                utterance.offset_s,
                model.verdict(encoding),
                predict(model, encoding, utterance.quality),
                utterance.quality,
            )


def read_numbers(text: str | None) -> list[int]:
    """Utterances given as ID,ID,...; none for None. Raises UsageError."""
    try:
        numbers = [int(part) for part in text.split(",")] if text else []
    except ValueError:
        raise UsageError(f"utterances {text!r}: give numbers, such as 12,15,31") from None
    return numbers


def utterances_in(config: Config, file: str, notify: Notify = lambda text: None) -> list[Utterance]:
    """Every utterance in a recording. Raises AudioError, also where there is none."""
    source = open_source(file)
    utterance_stream = make_utterance_stream(config)
    found: list[Utterance] = []
    try:
        for item in source:
            if isinstance(item, Notice):
                notify(item.text)
            else:
                found += utterance_stream.hear(item)
            for notice in utterance_stream.take_notices():
                notify(notice.text)
        found += utterance_stream.finish()
        for notice in utterance_stream.take_notices():
            notify(notice.text)
    finally:
        source.close()
    if not found:
        raise UnreadableAudio(f"no speech was found in {file}: give a recording of a voice")
    return found

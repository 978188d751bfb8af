"""Emotions by example: enroll a few utterances, then verify others."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from streamer.audio.sources.open import open_source
from streamer.config import Config
from streamer.errors import UnreadableAudio, UsageError
from streamer.loop.compose import bind_encoder, make_utterance_stream
from streamer.loop.profile_model import ProfileModel
from streamer.loop.trust import widened
from streamer.store.profile import Profile
from streamer.types import Encoding, Notice, Prediction, Samples, Utterance, Verdict

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Verified:
    """What a profile makes of one utterance of a file."""

    source: str
    onset_s: float
    offset_s: float
    verdict: Verdict
    prediction: Prediction


def enroll(
    config: Config,
    profile: Profile,
    emotion: str,
    utterances: Sequence[int],
    files: Sequence[str],
    notice: Told,
) -> int:
    """Enroll stored utterances and every utterance that is heard in the files; all or none.

    notice: told what is wrong with a file that is heard all the same.
    Returns how many. Raises NotFound, AudioError for a file without speech, EncoderError.
    """
    vectors: list[tuple[Samples, str, int | None]] = []
    if files:
        encoder = bind_encoder(config, profile)
        for file in files:
            for heard in utterances_in(config, file, notice):
                vectors.append((encoder.encode(heard.audio)[1], heard.source, None))
    with profile.database.transaction():
        for number in dict.fromkeys(utterances):
            stored = profile.utterances.get(number)
            vectors.append((stored.emotion, stored.source, number))
        for vector, source, utterance in vectors:
            profile.emotions.enroll(emotion, vector, source, utterance, time.time())
    return len(vectors)


def verify_files(
    config: Config, profile: Profile, files: Sequence[str], notice: Told
) -> Iterator[Verified]:
    """The verdict and prediction of every utterance in the files; the profile stays as it is."""
    encoder = bind_encoder(config, profile)
    profile_model = ProfileModel(profile)
    profile_model.follow()
    model = profile_model.model
    for file in files:
        for utterance in utterances_in(config, file, notice):
            encoding = Encoding(*encoder.encode(utterance.audio))
            yield Verified(
                utterance.source,
                utterance.onset_s,
                utterance.offset_s,
                model.verdict(encoding),
                widened(model.predict(encoding), utterance.quality.trust),
            )


def read_numbers(text: str | None) -> list[int]:
    """Utterances given as ID,ID,...; none for None. Raises UsageError."""
    try:
        numbers = [int(part) for part in text.split(",")] if text else []
    except ValueError:
        raise UsageError(f"utterances {text!r}: give numbers, such as 12,15,31") from None
    return numbers


def utterances_in(config: Config, file: str, notice: Told = lambda text: None) -> list[Utterance]:
    """Every utterance that is heard in a recording. Raises AudioError, also where there is none."""
    source = open_source(file)
    utterance_stream = make_utterance_stream(config)
    heard: list[Utterance] = []
    try:
        for item in source:
            if isinstance(item, Notice):
                notice(item.text)
            else:
                heard += utterance_stream.hear(item)
            for said in utterance_stream.take_notices():
                notice(said.text)
        heard += utterance_stream.finish()
        for said in utterance_stream.take_notices():
            notice(said.text)
    finally:
        source.close()
    if not heard:
        raise UnreadableAudio(f"no speech was found in {file}: give a recording of a voice")
    return heard

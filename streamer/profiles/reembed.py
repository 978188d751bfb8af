"""Move a profile to another encoder.

The stored vectors are replaced first: by those of the kept audio, or, where there is none, by a
learned linear map from the former encoder's vectors (`encoders.vector_map`). Then the model is
relearned, with the final normalization for all labels.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.audio.clips import from_flac, from_recording
from streamer.config import Config
from streamer.encoders.registry import find_encoder
from streamer.encoders.vector_map import VectorMap, find_map
from streamer.errors import ProfileError, UnreadableAudio, UsageError
from streamer.loop.compose import make_encoder
from streamer.loop.profile_model import learn_anew
from streamer.store.profile import Profile
from streamer.store.records import StoredUtterance
from streamer.text import many
from streamer.types import Samples

if TYPE_CHECKING:
    from streamer.encoders.acoustic.encoder import AcousticEncoder
    from streamer.encoders.onnx import OnnxEncoder

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Reembedded:
    """Numbers of moved and lost utterances, and of labels of the lost ones.

    mapped: of the moved ones, those without audio, whose vectors were mapped; map: which tells how
    well that does. copy: the backup file.
    """

    carried: int
    mapped: int
    lost: int
    lost_labels: int
    map: VectorMap | None
    copy: Path


def reembed(
    config: Config, profile: Profile, progress: Progress, *, losing: bool = False
) -> Reembedded:
    """Move a profile to the configured encoder, as far as its audio still exists.

    Audio comes from the clips of open queries and from recordings that have not been moved. The
    vectors of an utterance without audio are mapped, where there is a map between the two encoders,
    and marked as such; otherwise it is deleted from the profile. A backup of the whole profile is
    left beside it. losing: allow that. Raises UsageError where the profile already has the encoder,
    or utterances would be lost without `losing`; ProfileError, EncoderError.
    """
    if profile.is_empty():
        raise ProfileError(
            f"profile {profile.folder.name!r} is empty: there is nothing to carry over"
        )
    profile.take_over_or_fail("streamer reembed")
    encoder = make_encoder(config, config.encoder)
    if profile.meta("encoder_sha256") == encoder.sha256:
        raise UsageError(f"the profile is one of {encoder.name} already: give another --encoder")
    bare = [n for n in profile.utterances.numbers() if not _has_audio(profile, n)]
    row = find_encoder(config.encoder, config.models)
    former = profile.meta("encoder_sha256") or ""
    vector_map = find_map(former, _sizes(profile), row, config.models)
    if bare and vector_map is None and not losing:
        labels = sum(profile.labels.count_of(number) for number in bare)
        raise UsageError(
            f"{many(len(bare), 'utterance')} with {many(labels, 'label')} would be left behind in "
            f"a copy, for want of audio and of a map from {profile.meta('encoder')} "
            f"({former[:12]}) to {encoder.name}: repeat with --yes"
        )
    copy = profile.copy_database()
    try:
        found = _carry_over(config, profile, encoder, progress, losing, vector_map)
    except BaseException:
        copy.unlink()
        raise
    profile.database.vacuum()
    return Reembedded(*found, vector_map, copy)


def _has_audio(profile: Profile, number: int) -> bool:
    return profile.audio.has_clip(number) or profile.recording_of(number) is not None


def _carry_over(
    config: Config,
    profile: Profile,
    encoder: "OnnxEncoder | AcousticEncoder",
    progress: Progress,
    losing: bool,
    vector_map: VectorMap | None,
) -> tuple[int, int, int, int]:
    """Counts of the carried, of those of them that were mapped, of the lost, and their labels."""
    carried = mapped = lost = lost_labels = 0
    with profile.database.transaction():
        numbers = profile.utterances.numbers()
        for done, number in enumerate(numbers):
            progress(done, len(numbers))
            stored = profile.utterances.get(number)
            audio = _audio(profile, stored, config.channel)
            if audio is None and vector_map is not None:
                carried += 1
                mapped += 1
                vectors = vector_map.apply(stored.embedding, stored.emotion)
                profile.utterances.replace_vectors(number, *vectors, vector_map.source)
                continue
            if audio is None and not losing:
                raise UsageError(
                    f"the audio of utterance {number} cannot be read any more, and it would be "
                    "left behind in a copy: repeat with --yes"
                )
            if audio is None:
                lost += 1
                lost_labels += profile.labels.count_of(number)
                profile.utterances.delete(number)
            else:
                carried += 1
                profile.utterances.replace_vectors(number, *encoder.encode(audio))
        profile.emotions.follow_utterances()
        profile.marks.deleted()
        profile.rebind(encoder.name, encoder.sha256, encoder.prior)
        profile.forget_states()
        learn_anew(profile)
    return carried, mapped, lost, lost_labels


def _sizes(profile: Profile) -> tuple[int, int]:
    """Of the embedding and the emotion vector that its encoder gives."""
    prior = profile.prior()
    return len(prior.embedding_mean), len(prior.emotion_mean)


def _audio(profile: Profile, stored: StoredUtterance, channel: int | None) -> Samples | None:
    clip = profile.audio.clip(stored.id)
    if clip is not None:
        with suppress(UnreadableAudio):  # then the recording may still be there
            return from_flac(clip)
    recording = profile.recording_of(stored.id)
    if recording is None:
        return None
    return from_recording(recording, stored.onset_s, stored.offset_s, channel)

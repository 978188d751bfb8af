"""Move a profile to another encoder.

The stored vectors are replaced first; then the model is relearned, with the final normalization for
all labels.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streamer.audio.clips import from_flac, from_recording
from streamer.config import Config
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
    """Numbers of moved and lost utterances, and of labels of the lost ones; copy:

    the backup file.
    """

    carried: int
    lost: int
    lost_labels: int
    copy: Path


def reembed(
    config: Config, profile: Profile, progress: Progress, *, losing: bool = False
) -> Reembedded:
    """Move a profile to the configured encoder, as far as its audio still exists.

    Audio comes from the clips of open queries and from recordings that have not been moved. An
    utterance without audio is deleted from the profile; a backup of the whole profile is left
    beside it. losing: allow that. Raises UsageError where the profile already has the encoder, or
    utterances would be lost without `losing`; ProfileError, EncoderError.
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
    if bare and not losing:
        labels = sum(profile.labels.count_of(number) for number in bare)
        raise UsageError(
            f"{many(len(bare), 'utterance')} with {many(labels, 'label')} would be left behind in "
            "a copy, for want of audio: repeat with --yes"
        )
    copy = profile.copy_database()
    try:
        found = _carry_over(config, profile, encoder, progress, losing)
    except BaseException:
        copy.unlink()
        raise
    profile.database.vacuum()
    return Reembedded(*found, copy)


def _has_audio(profile: Profile, number: int) -> bool:
    return profile.audio.has_clip(number) or profile.recording_of(number) is not None


def _carry_over(
    config: Config,
    profile: Profile,
    encoder: "OnnxEncoder | AcousticEncoder",
    progress: Progress,
    losing: bool,
) -> tuple[int, int, int]:
    carried = lost = lost_labels = 0
    with profile.database.transaction():
        numbers = profile.utterances.numbers()
        for done, number in enumerate(numbers):
            progress(done, len(numbers))
            stored = profile.utterances.get(number)
            audio = _audio(profile, stored, config.channel)
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
    return carried, lost, lost_labels


def _audio(profile: Profile, stored: StoredUtterance, channel: int | None) -> Samples | None:
    clip = profile.audio.clip(stored.id)
    if clip is not None:
        with suppress(UnreadableAudio):  # then the recording may still be there
            return from_flac(clip)
    recording = profile.recording_of(stored.id)
    if recording is None:
        return None
    return from_recording(recording, stored.onset_s, stored.offset_s, channel)

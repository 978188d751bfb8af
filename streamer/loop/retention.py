"""The privacy modes: which audio is stored, where, and for how long."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from streamer.loop.clip_cache import ClipCache
from streamer.store.profile import Profile
from streamer.text import many
from streamer.types import Samples

Privacy = Literal["clips", "embeddings", "everything"]


def may_store_audio(privacy: Privacy, profile: Profile) -> bool:
    """Whether audio may be written to the disk: neither this process's settings nor those of the
    last run on the profile forbid it.
    """
    return "embeddings" not in (privacy, profile.meta("privacy"))


@dataclass(frozen=True, slots=True)
class Retention:
    """The retention policy of audio.

    clips: of open queries, on disk, until they are answered.

    embeddings: none on disk; queries can be played only while this process keeps their clips.
    everything: all utterances, on disk, labelled or not.

    to_clip: audio to FLAC bytes; memory: holds clips that may not be on disk; query_life_s,
    audio_life_s: after that an unanswered question, and audio that was kept, is deleted;
    most_bytes: of audio on disk, beyond which the oldest is deleted.
    """

    profile: Profile
    to_clip: Callable[[Samples], bytes]
    memory: ClipCache
    privacy: Privacy = "clips"
    query_life_s: float = math.inf
    audio_life_s: float = math.inf
    most_bytes: float = math.inf

    def begin(self) -> Iterator[str]:
        """Delete audio beyond the policy; yields notices. Raises ProfileBusy."""
        self.profile.delete_left()
        if self.privacy == "embeddings":
            self.profile.copies.delete_played()
            count = self.profile.audio.delete_all()
            if count:
                gone = many(count, "clip")
                yield f"{gone} deleted: --privacy embeddings keeps no audio on disk"
        elif self.privacy == "clips" and (kept := self.profile.audio.kept()):
            yield (
                f"the audio of {many(kept, 'utterance')} is still kept: `streamer forget --audio` "
                "deletes it"
            )

    def store_utterance(self, utterance: int, audio: Samples, now: float) -> None:
        """Called when an utterance is stored, in the same transaction."""
        if self.privacy == "everything":
            self.profile.audio.keep(utterance, self.to_clip(audio), now)

    def clip_for_query(self, utterance: int, audio: Samples) -> bytes | None:
        """The clip to store with a query, where it may be stored."""
        if self.privacy == "everything":
            return None  # it is stored already
        clip = self.to_clip(audio)
        if self.privacy == "clips":
            return clip
        self.memory.put(utterance, clip, self.profile.marks.now())
        return None

    def expire(self, wall_s: float, steady_s: float) -> Iterator[str]:
        """Delete audio and questions that are too old; yields notices.

        Age is the running time of sessions, see `LivedTime`.
        """
        lived = self.profile.lived_time
        lived.advance(wall_s, steady_s)
        too_old = lived.newest_of_age(self.query_life_s)
        closed = self.profile.utterances.expire_queries_through(too_old, wall_s)
        if closed:
            yield f"{many(closed, 'question')} closed: not answered in time"
        old = self.profile.audio.expire_through(lived.newest_of_age(self.audio_life_s))
        if old:
            yield f"the audio of {many(old, 'utterance')} deleted: older than audio_days"
        yield from self.make_room(wall_s)

    def make_room(self, now: float) -> Iterator[str]:
        """Delete the oldest audio beyond `most_bytes`; a notice of it."""
        over = self.profile.audio.keep_within(self.most_bytes, now)
        if over:
            yield f"the {many(over, 'oldest clip')} deleted: more than audio_mb of audio"

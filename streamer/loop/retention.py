"""Which audio is kept, where, and for how long: the modes of privacy."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from streamer.loop.clip_cache import ClipCache
from streamer.store.profile import Profile
from streamer.text import many
from streamer.types import Samples

Privacy = Literal["clips", "embeddings", "everything"]


@dataclass(frozen=True, slots=True)
class Retention:
    """clips: of open questions, on disk, until they are answered.

    embeddings: none on disk; questions sound only while this process remembers them.
    everything: all utterances, on disk, answered or not.

    to_clip: audio to FLAC bytes; memory: where clips go that may not lie on disk; query_life_s,
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
        """What is kept already and no longer should be; says it. Raises ProfileBusy."""
        self.profile.delete_left()
        if self.privacy == "embeddings":
            self.profile.delete_played(everyone_s=True)
            count = self.profile.audio.delete_all()
            if count:
                gone = many(count, "clip")
                yield f"{gone} deleted: with --privacy embeddings no audio lies on the disk"
        elif self.privacy == "clips" and (kept := self.profile.audio.kept()):
            yield (
                f"the audio of {many(kept, 'utterance')} is still kept: `streamer forget --audio` "
                "deletes it"
            )

    def heard(self, utterance: int, audio: Samples, now: float) -> None:
        """Called as an utterance is stored, in the same transaction."""
        if self.privacy == "everything":
            self.profile.audio.keep(utterance, self.to_clip(audio), now)

    def asked(self, utterance: int, audio: Samples) -> bytes | None:
        """The clip that the question's row is to hold, if it may."""
        if self.privacy == "everything":
            return None  # it is kept already
        clip = self.to_clip(audio)
        if self.privacy == "clips":
            return clip
        self.memory.put(utterance, clip)
        return None

    def expire(self, now: float) -> Iterator[str]:
        """Delete what is too old or too much; says how many."""
        closed = self.profile.utterances.expire_queries(now - self.query_life_s, now)
        if closed:
            yield f"{many(closed, 'question')} closed: not answered in time"
        old = self.profile.audio.expire(now - self.audio_life_s)
        if old:
            yield f"the audio of {many(old, 'utterance')} deleted: its time was over"
        yield from self.make_room(now)

    def make_room(self, now: float) -> Iterator[str]:
        """Delete the oldest beyond `most_bytes`; says how many."""
        over = self.profile.audio.keep_within(self.most_bytes, now)
        if over:
            yield f"the {many(over, 'oldest clip')} deleted: audio may take no more room (audio_mb)"

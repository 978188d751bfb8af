"""A profile in which something was heard, asked, answered by two people, twice, and enrolled."""

import numpy as np

from streamer.annotation.labels import give
from streamer.store.profile import Profile
from streamer.types import DIMENSIONS
from tests.support import label_of, store_utterance

NASTY = "<script>alert(1)</script>&\"'"
ACCOUNT = {
    "captured_samples": 100, "speech_samples": 60, "silence_samples": 35,
    "dropped_samples": {"overflow": 5}, "utterances": 24, "asked": 12, "released": 12,
    "audio_s": 75.0, "realtime_factor": 0.1,
}  # fmt: skip


def lived_in(profile: Profile) -> None:
    """24 utterances of which 12 are asked, 10 answered by ann, 6 by an annotator with a bad name.

    A second session follows in which one utterance is heard and which has not ended.
    """
    rng = np.random.default_rng(4)
    for _ in range(24):
        store_utterance(
            profile, rng.normal(size=6).astype(np.float32), rng.normal(size=4).astype(np.float32)
        )
    profile.utterances.select("made", "for a test", [(n, 0.0, None) for n in range(1, 13)], [], 1.0)
    profile.sessions.end(1, ACCOUNT, 90.0)
    labels = []
    for number in range(1, 11):
        values = dict(zip(DIMENSIONS, rng.uniform(-1, 1, 3).round(2).tolist(), strict=True))
        labels.append(label_of(number, "ann", **values, emotion=("joy", "woe")[number % 2]))
        if number <= 6:
            values["valence"] = min(values["valence"] + 0.1, 1.0)
            labels.append(label_of(number, NASTY, **values, emotion=NASTY))
    give(profile, labels)
    again = label_of(1, "ann", valence=0.0, arousal=0.0)
    profile.annotation_events.add("repeat", again, 100.0)
    profile.annotation_events.add("cannot tell", label_of(12, "ann"), 101.0)
    profile.utterances.close_query(12, 101.0)
    second = profile.sessions.begin("file", f"/home/somebody/{NASTY.replace('/', '')}.wav", 2e9)
    one = profile.sessions.recent(1)[0]
    profile.database.write(
        """INSERT INTO utterances (session, source, onset_s, offset_s, heard_at, quality, embedding,
               emotion, prediction, verdict, informativeness, state)
           SELECT ?, source, 0, 1, 2e9, quality, embedding, emotion, prediction, verdict,
               informativeness, 'buffered' FROM utterances WHERE id = ?""",
        second,
        one.id,
    )

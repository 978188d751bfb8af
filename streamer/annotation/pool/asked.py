"""Which utterances of a pool a profile was asked about, kept in the profile.

A round of questions is a session of the profile, of the kind `pool`, whose source is the pool's id.
Which row of the pool each of its utterances is stands in the profile's `meta`, written in the same
transaction as the utterances: nothing is asked twice, and nothing is lost between the two.
"""

import json
from typing import Final

from streamer.store.profile import Profile

KIND: Final = "pool"


def note_asked(profile: Profile, session: int, rows: dict[int, int]) -> None:
    """rows: of the pool, by the number of the utterance. Only inside the transaction of both."""
    profile.set_meta(_key(session), json.dumps(sorted(rows.items())))


def asked_rows(profile: Profile, pool_id: str) -> dict[int, int]:
    """The pool's rows by utterance, of all rounds; those whose utterance was forgotten included."""
    found: dict[int, int] = {}
    for session in profile.sessions.all():
        if session.kind == KIND and session.source == pool_id:
            kept = profile.meta(_key(session.id))
            found |= {int(utterance): int(row) for utterance, row in json.loads(kept or "[]")}
    return found


def _key(session: int) -> str:
    return f"pool_rows/{session}"

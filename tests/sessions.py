"""Sessions of made-up parts, for tests of the flow."""

from functools import partial
from typing import Any

from streamer.audio.clips import to_flac
from streamer.audio.endpointer import Endpointer
from streamer.audio.resampling import Resampler
from streamer.audio.utterance_stream import UtteranceStream
from streamer.encoders.queue import SyncEncoding
from streamer.learners.prior import Prior
from streamer.loop.clip_cache import ClipCache
from streamer.loop.profile_model import ProfileModel
from streamer.loop.retention import Retention
from streamer.loop.session import Session
from streamer.query.strategies import make_strategy
from streamer.query.strategies.binary_confidence import BinaryConfidence
from streamer.store.profile import Profile
from streamer.testing import FakeEncoder, FakeVoiceActivity


def made_session(
    profile: Profile,
    *,
    source: tuple[str, str] = ("microphone", "room"),
    begun_s: float = 0.0,
    encoder: Any = None,
    **options: Any,
) -> Session:
    """encoder: None for a `FakeEncoder`; options: of `Session`, in place of the usual ones."""
    encoder = encoder or FakeEncoder()
    profile.bind(encoder.name, encoder.sha256, Prior.uninformed(16, 8))
    usual = {
        "number": profile.sessions.begin(*source, begun_s),
        "utterance_stream": UtteranceStream(
            Endpointer(FakeVoiceActivity()), partial(Resampler, channel=None)
        ),
        "encoding_queue": SyncEncoding(encoder),
        "profile": profile,
        "profile_model": ProfileModel(profile),
        "strategy": make_strategy("random"),
        "informativeness": BinaryConfidence(),
        "size": 100,
        "keep": 0.5,
        "explore": 0.0,
        "seed": 0,
        "retention": Retention(profile, to_flac, ClipCache()),
        "wall_s": lambda: 0.0,
        "now_s": lambda: 0.0,
    }
    return Session(**(usual | options))

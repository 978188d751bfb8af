"""Fakes and synthetic speech, for the project's own tests and for yours."""

from streamer.testing.fakes import FakeEncoder, FakeVoiceActivity
from streamer.testing.synthetic.session import Spoken, synthetic_session
from streamer.testing.synthetic.speech import MANNERS, SPEAKERS, Manner, Speaker, synthetic_speech

__all__ = [
    "MANNERS",
    "SPEAKERS",
    "FakeEncoder",
    "FakeVoiceActivity",
    "Manner",
    "Speaker",
    "Spoken",
    "synthetic_session",
    "synthetic_speech",
]

"""Adding encoders: an ONNX file and voices to measure it on become a row of the user's manifest."""

import time
from pathlib import Path
from typing import Final

import numpy as np

from streamer.annotation.enrolment import utterances_in
from streamer.config import Config
from streamer.encoders.import_onnx import Statement, add_encoder
from streamer.encoders.probe_outputs import Measurement
from streamer.encoders.registry import EncoderRow
from streamer.testing import MANNERS, SPEAKERS, synthetic_speech
from streamer.types import Samples

MADE_UP_S: Final = 2.0
HEARD_AT_MOST: Final = 200


def add(
    config: Config, file: Path, statement: Statement, speech: str | None
) -> tuple[EncoderRow, Measurement]:
    """Add an ONNX file to `config.models`; speech: see `voices`. Raises StreamerError."""
    heard = voices(config, speech)
    rng = np.random.default_rng(config.seed)
    return add_encoder(file, config.models, statement, heard, rng, time.perf_counter)


def voices(config: Config, speech: str | None) -> list[Samples]:
    """Utterances on which the scale of an encoder's outputs is measured.

    speech: a recording or a folder of them, the more voices the better. Without it made-up
    voices serve, whose scale is right only roughly; each profile measures its own as it hears.
    """
    if speech is not None:
        return [utterance.audio for utterance in utterances_in(config, speech)[:HEARD_AT_MOST]]
    rng = np.random.default_rng(config.seed)
    return [
        synthetic_speech(rng, manner, MADE_UP_S, speaker)
        for manner in MANNERS
        for speaker in SPEAKERS
    ]

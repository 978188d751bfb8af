"""Adding encoders: measure an ONNX file on voices and add a row to the user's manifest."""

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

SYNTHETIC_S: Final = 2.0
MOST_UTTERANCES: Final = 200


def add(
    config: Config, file: Path, statement: Statement, speech: str | None
) -> tuple[EncoderRow, Measurement]:
    """Add an ONNX file to `config.models`; speech: see `voices`. Raises StreamerError."""
    heard = voices(config, speech)
    rng = np.random.default_rng(config.seed)
    return add_encoder(file, config.models, statement, heard, rng)


def voices(config: Config, speech: str | None) -> list[Samples]:
    """Utterances on which the scale of an encoder's outputs is measured.

    speech: a recording or a folder of them, with as many voices as possible. Without it, synthetic
    voices give a rough scale; each profile then measures its own.
    """
    if speech is not None:
        return [utterance.audio for utterance in utterances_in(config, speech)[:MOST_UTTERANCES]]
    rng = np.random.default_rng(config.seed)
    return [
        synthetic_speech(rng, manner, SYNTHETIC_S, speaker)
        for manner in MANNERS
        for speaker in SPEAKERS
    ]

"""Public checkpoints by name, with the licence that their owners state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """repository: OWNER/NAME on Hugging Face. layer: None for the last block.

    head: the checkpoint ends in audEERING's regression of arousal, dominance and valence.
    source: where the licence is stated.
    """

    repository: str
    licence: str
    commercial_use: bool
    description: str
    source: str
    layer: int | None = None
    head: bool = False
    training_data: list[dict[str, Any]] = field(default_factory=list)


PRESETS = {
    "wav2vec2-base": Preset(
        repository="facebook/wav2vec2-base",
        licence="Apache-2.0",
        commercial_use=True,
        description="wav2vec 2.0 base, self-supervised (Baevski et al. 2020)",
        source="licence as stated on huggingface.co/facebook/wav2vec2-base",
        training_data=[{"name": "LibriSpeech", "licence": "CC BY 4.0"}],
    ),
    "wav2vec2-large-robust": Preset(
        repository="facebook/wav2vec2-large-robust",
        licence="Apache-2.0",
        commercial_use=True,
        description="wav2vec 2.0 large on read and telephone speech (Hsu et al. 2021)",
        source="licence as stated on huggingface.co/facebook/wav2vec2-large-robust",
        training_data=[
            {"name": "Libri-Light"},
            {"name": "Common Voice"},
            {"name": "Switchboard"},
            {"name": "Fisher"},
        ],
    ),
    "whisper-tiny.en": Preset(
        repository="openai/whisper-tiny.en",
        licence="MIT",
        commercial_use=True,
        description="encoder of Whisper tiny.en (Radford et al. 2023), after block 2 of 4",
        source="licence as stated on github.com/openai/whisper (code and model weights)",
        layer=2,
        training_data=[{"name": "transcribed English speech of the web"}],
    ),
    "audeering-dimensional": Preset(
        repository="audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim",
        licence="CC BY-NC-SA 4.0",
        commercial_use=False,
        description="wav2vec 2.0 large, 12 blocks, with its own valence, arousal and dominance "
        "(Wagner et al. 2023)",
        source="licence as stated on huggingface.co/audeering/"
        "wav2vec2-large-robust-12-ft-emotion-msp-dim",
        head=True,
        training_data=[{"name": "MSP-Podcast 1.7"}],
    ),
}

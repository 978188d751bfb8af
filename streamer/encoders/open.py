"""From a manifest's row to the encoder that runs."""

from typing import TYPE_CHECKING

from streamer.encoders.registry import BUILT_IN, EncoderRow

if TYPE_CHECKING:
    from streamer.encoders.acoustic.encoder import AcousticEncoder
    from streamer.encoders.onnx import OnnxEncoder


def open_encoder(row: EncoderRow, threads: int = 1) -> "OnnxEncoder | AcousticEncoder":
    """threads: of onnxruntime, within one operation. Raises EncoderError."""
    if row == BUILT_IN:
        from streamer.encoders.acoustic.encoder import AcousticEncoder

        return AcousticEncoder()
    from streamer.encoders.onnx import OnnxEncoder

    return OnnxEncoder(row, threads)

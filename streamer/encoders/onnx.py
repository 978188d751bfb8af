"""An encoder in an ONNX file, run by onnxruntime."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from streamer.encoders.registry import EncoderRow, check_hash, load_prior
from streamer.errors import EncoderError
from streamer.learners.prior import Prior
from streamer.types import SAMPLE_RATE_HZ, Samples

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

BUCKET_SAMPLES: Final = SAMPLE_RATE_HZ // 2


def open_session(model: Path | bytes, threads: int = 1) -> "InferenceSession":
    """A session with the product's settings; `model` is a file or its content.

    Raises EncoderError for what onnxruntime cannot load.
    """
    # Imported here: it takes 0.2 s, which only listening verbs need.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # its errors are raised as exceptions already
    given = model if isinstance(model, bytes) else str(model)
    try:
        # Without its fallback, which prints on standard output.
        return onnxruntime.InferenceSession(
            given, options, providers=["CPUExecutionProvider"], enable_fallback=0
        )
    except Exception as error:  # onnxruntime's own exceptions share no public base
        where = "the model" if isinstance(model, bytes) else model
        raise EncoderError(
            f"{where}: onnxruntime cannot load it ({error}): give an ONNX file"
        ) from error


class OnnxEncoder:
    """Waveform in, two vectors out, as the row of the manifest describes.

    Lengths are rounded up to half seconds where the encoder ignores trailing zeros, and the memory
    arena is off, so that memory does not grow with the variety of lengths.
    Raises EncoderError for a file that is missing, altered, or of other inputs or outputs.
    """

    def __init__(self, row: EncoderRow, threads: int = 1) -> None:
        check_hash(row.path, row.sha256)
        if row.rate_hz != SAMPLE_RATE_HZ:
            raise EncoderError(
                f"encoder {row.name!r} needs {row.rate_hz} Hz, not {SAMPLE_RATE_HZ}: "
                "export it for that rate"
            )
        self._session = open_session(row.path, threads)
        self._row = row
        self.name = row.name
        self.sha256 = row.sha256
        self.embedding_size = row.embedding_size
        self.emotion_size = row.emotion_size
        self._check_signature()

    @property
    def prior(self) -> Prior:
        return load_prior(self._row)

    def encode(self, audio: Samples) -> tuple[Samples, Samples]:
        """embedding float32 [d] and emotion float32 [e] of one utterance, float32 [samples].

        Shorter audio than the encoder takes is padded with silence. Raises EncoderError when the
        encoder fails, or gives vectors of another size or that are not finite.
        """
        size = max(len(audio), self._row.min_samples)
        if self._row.padding_invariant:
            size = -(-size // BUCKET_SAMPLES) * BUCKET_SAMPLES
        padded = np.zeros((1, size), np.float32)
        padded[0, : len(audio)] = audio
        try:
            embedding, emotion = self._session.run(
                [self._row.embedding, self._row.emotion], {self._row.input: padded}
            )
        except Exception as error:  # onnxruntime's own exceptions share no public base
            raise EncoderError(f"encoder {self.name!r} failed: {error}") from error
        for vector, size in ((embedding, self.embedding_size), (emotion, self.emotion_size)):
            if vector.shape != (1, size):
                raise EncoderError(
                    f"encoder {self.name!r} gave {list(vector.shape)}, not [1, {size}]: "
                    "correct the sizes in its manifest"
                )
        if not (np.isfinite(embedding).all() and np.isfinite(emotion).all()):
            raise EncoderError(f"encoder {self.name!r} gave values that are not finite")
        if not self._row.unit_length:
            emotion = emotion / max(float(np.linalg.norm(emotion)), 1e-12)
        return embedding[0], emotion[0]

    def _check_signature(self) -> None:
        row = self._row
        inputs = [(i.name, i.type, i.shape) for i in self._session.get_inputs()]
        if len(inputs) != 1 or not takes_utterances(row.input, *inputs[0]):
            raise EncoderError(
                f"{row.path} takes {inputs}, not one {row.input!r} of float [batch, samples]"
            )
        outputs = {o.name: o for o in self._session.get_outputs()}
        for name, size in ((row.embedding, row.embedding_size), (row.emotion, row.emotion_size)):
            shape = outputs[name].shape if name in outputs else None
            if shape is None or len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != size):
                raise EncoderError(
                    f"{row.path}: output {name!r} has shape {shape}, not [batch, {size}]"
                )


def takes_utterances(wanted: str, name: str, kind: str, shape: list[int | str | None]) -> bool:
    """Whether an input takes one utterance of any length: a free dimension is a name, or None."""
    if name != wanted or kind != "tensor(float)" or len(shape) != 2:
        return False
    batch, samples = shape
    return (batch == 1 or not isinstance(batch, int)) and not isinstance(samples, int)

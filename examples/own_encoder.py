"""An encoder of one's own: an ONNX graph from the waveform to two vectors.

    python examples/own_encoder.py RECORDING

The graph is a bank of 40 band-pass filters; the mean and the deviation of each band's log energy
make the embedding. `streamer models add` measures it and adds it to your models; after that its
name works everywhere, as in `streamer run --encoder bands`. Needs onnx to write the graph.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper, numpy_helper

import streamer

BANDS, WINDOW, HOP = 40, 400, 160  # 25 ms every 10 ms, at 16 kHz


def graph() -> onnx.ModelProto:
    """Input audio [batch, samples]; outputs embedding [batch, 80], emotion [batch, 80]."""
    mel = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + 7600 / 700), BANDS)
    phase = 2 * np.pi * np.outer(700 * (10 ** (mel / 2595) - 1), np.arange(WINDOW)) / 16_000
    waves = np.concatenate([np.cos(phase), np.sin(phase)]) * np.hanning(WINDOW) / WINDOW
    constants = {
        "filters": waves[:, np.newaxis].astype(np.float32),
        "floor": np.float32(1e-8),
        "one": np.array([1], np.int64),
        "two": np.array([2], np.int64),
        "halves": np.array([BANDS, BANDS], np.int64),
    }
    steps: list[tuple[str, list[str], list[str], dict[str, Any]]] = [
        ("Unsqueeze", ["audio", "one"], ["channel"], {}),
        ("Conv", ["channel", "filters"], ["filtered"], {"strides": [HOP]}),
        ("Mul", ["filtered", "filtered"], ["power"], {}),
        ("Split", ["power", "halves"], ["cosine", "sine"], {"axis": 1}),
        ("Add", ["cosine", "sine"], ["energy"], {}),
        ("Add", ["energy", "floor"], ["above"], {}),
        ("Log", ["above"], ["log"], {}),
        ("ReduceMean", ["log"], ["mean_"], {"axes": [2], "keepdims": 1}),
        ("Sub", ["log", "mean_"], ["rest"], {}),
        ("Mul", ["rest", "rest"], ["square"], {}),
        ("ReduceMean", ["square"], ["variance"], {"axes": [2], "keepdims": 0}),
        ("Sqrt", ["variance"], ["deviation"], {}),
        ("Squeeze", ["mean_", "two"], ["mean"], {}),
        ("Concat", ["mean", "deviation"], ["embedding"], {"axis": 1}),
        ("LpNormalization", ["embedding"], ["emotion"], {"axis": 1, "p": 2}),
    ]
    made = helper.make_graph(
        [helper.make_node(kind, ins, outs, **settings) for kind, ins, outs, settings in steps],
        "bands",
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["batch", "samples"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 2 * BANDS])
            for name in ("embedding", "emotion")
        ],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


with tempfile.TemporaryDirectory() as folder:
    file = Path(folder) / "bands.onnx"
    onnx.save(graph(), str(file))
    command = [sys.executable, "-m", "streamer", "models", "add", str(file), "--licence", "own"]
    subprocess.run([*command, "--embedding", "embedding", "--emotion", "emotion"], check=True)

encoder = streamer.load_encoder("bands")
audio, rate_hz = soundfile.read(sys.argv[1], dtype="float32", always_2d=True)
encoding = encoder(audio.mean(axis=1), rate_hz)
print(f"{encoder.name}: {encoder.embedding_size} values, the first {encoding.embedding[:3]}")

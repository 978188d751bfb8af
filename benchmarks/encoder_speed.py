"""How fast the default encoder is, against wav2vec 2.0 base on the same machine.

    python -m benchmarks.encoder_speed [--encoder NAME] [--against NAME ...] [--out FILE.json]

An utterance of 3 s on one thread, beside the former default. The yardstick is the architecture of
facebook/wav2vec2-base with random weights (speed does not depend on them), exported by the code of
`streamer models export`, in float32 and with its matrix products quantized to int8 by onnxruntime.
All take turns, so that whatever else the machine does falls on each alike; a turn is one pass
untimed, so that nobody finds the cache full of another's weights, and one timed. The ratios are of
processor time, which on a quiet machine is the time that passes. Needs the extra `train`.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loop import RESULTS, machine, pin
from streamer.config import Config
from streamer.encoders.onnx import OnnxEncoder, open_session
from streamer.encoders.registry import find_encoder
from streamer.types import SAMPLE_RATE_HZ, Samples

UTTERANCE_S = 3.0
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Times:
    """Of every turn: what the clock says passed, and what the processor worked."""

    passed_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)


def write_wav2vec2_base(folder: Path) -> dict[str, Path]:
    """ONNX files of the base architecture with random weights, by their arithmetic."""
    import torch
    import transformers
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from streamer.training.hub.checkpoint import export_checkpoint

    torch.manual_seed(0)
    torch.set_num_threads(1)
    transformers.Wav2Vec2Model(transformers.Wav2Vec2Config()).save_pretrained(folder / "checkpoint")
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder / "checkpoint")
    whole, _ = export_checkpoint("wav2vec2-base", folder, checkpoint=folder / "checkpoint")
    small = folder / "int8.onnx"
    # Matrix products only: onnxruntime has no dynamic int8 convolution that is faster.
    quantize_dynamic(whole, small, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
    return {"wav2vec2-base float32": whole, "wav2vec2-base int8": small}


def contestants(names: list[str], folder: Path) -> dict[str, Callable[[Samples], object]]:
    rows = [find_encoder(name, Config().models) for name in names]
    found: dict[str, Callable[[Samples], object]] = {
        row.name: OnnxEncoder(row).encode for row in rows
    }
    for label, path in write_wav2vec2_base(folder).items():
        session = open_session(path)
        found[label] = lambda audio, run=session.run: run(None, {"audio": audio[None]})
    return found


def race(encoders: dict[str, Callable[[Samples], object]], rounds: int) -> dict[str, Times]:
    """Milliseconds of every turn of each, on the same noise."""
    rng = np.random.default_rng(0)
    audio = (0.1 * rng.standard_normal(round(UTTERANCE_S * SAMPLE_RATE_HZ))).astype(np.float32)
    times = {name: Times() for name in encoders}
    for turn in range(WARM_UP + rounds):
        for name, encode in encoders.items():
            encode(audio)
            begun_s, begun_cpu_s = time.perf_counter(), time.process_time()
            encode(audio)
            if turn >= WARM_UP:
                times[name].passed_ms.append((time.perf_counter() - begun_s) * 1e3)
                times[name].cpu_ms.append((time.process_time() - begun_cpu_s) * 1e3)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--encoder", default="", help="a name of `streamer models list`")
    parser.add_argument("--against", nargs="*", default=["streamer-small"], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=40, help="turns of each")
    parser.add_argument("--out", type=Path, default=RESULTS / "encoder_speed.json")
    options = parser.parse_args()
    pin()
    with tempfile.TemporaryDirectory() as name:
        times = race(contestants([options.encoder, *options.against], Path(name)), options.rounds)
    ours, *others = times
    cpu_ms = {name: statistics.median(each.cpu_ms) for name, each in times.items()}
    passed_ms = {name: statistics.median(each.passed_ms) for name, each in times.items()}
    figures: dict[str, Any] = {
        "machine": machine(),
        "encoder": ours,
        "utterance_s": UTTERANCE_S,
        "rounds": options.rounds,
        "median_cpu_ms": {name: round(ms, 2) for name, ms in cpu_ms.items()},
        "median_passed_ms": {name: round(ms, 2) for name, ms in passed_ms.items()},
        "times_faster_than": {name: round(cpu_ms[name] / cpu_ms[ours], 1) for name in others},
    }
    text = json.dumps(figures, indent=2)
    options.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()

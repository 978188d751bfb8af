"""The child process of `measured_apart`: loads and runs a foreign model within limits."""

import hashlib
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np

from streamer.encoders.onnx import OnnxEncoder, open_session
from streamer.encoders.probe_outputs import Run, choose_outputs, measure, runner
from streamer.encoders.registry import EncoderRow
from streamer.errors import EncoderError
from streamer.types import Samples

REQUEST: Final = "request.json"
VOICES: Final = "voices.npz"
VECTORS: Final = "vectors.npz"
BEAT: Final = "."
_LARGEST_ANSWER_BYTES: Final = 1 << 28


def main() -> None:
    """argv: the folder with the request. Prints a beat after each run, and then the answer."""
    folder = Path(sys.argv[1])
    request = json.loads((folder / REQUEST).read_text("utf-8"))
    beat = _limit(request["memory_bytes"], request["patience_s"])
    with np.load(folder / VOICES, allow_pickle=False) as file:
        voices = [file[name] for name in file.files]
    try:
        answer = _answer(request, voices, folder, beat)
    except EncoderError as error:
        answer = {"error": str(error)}
    except OSError as error:
        answer = {"error": f"cannot read {request['file']}: {error.strerror}: give an ONNX file"}
    except MemoryError:
        answer = {"error": f"the model needs more than {request['memory_bytes'] / 1e9:.1f} GB"}
    print(json.dumps(answer), flush=True)


def _answer(
    request: dict[str, Any], voices: list[Samples], folder: Path, beat: "Beat"
) -> dict[str, Any]:
    path = Path(request["file"])
    model = path.read_bytes()
    # From memory, so that a file that needs others beside it fails now and not after it was copied.
    session = open_session(model)
    beat()
    names = choose_outputs(session, request["embedding"], request["emotion"])
    found = measure(
        _beating(runner(session, *names), beat),
        np.random.default_rng(request["seed"]),
        perf_counter,
    )
    sha256 = hashlib.sha256(model).hexdigest()
    del session, model
    row = EncoderRow(
        path.parent, "the model", path.name, sha256, "", found.embedding_size, found.emotion_size,
        input=names[0], embedding=names[1], emotion=names[2], min_samples=found.min_samples,
        padding_invariant=found.padding_invariant, unit_length=found.unit_length,
    )  # fmt: skip
    encode = _beating(OnnxEncoder(row).encode, beat)
    vectors = [encode(voice) for voice in voices]
    with (folder / VECTORS).open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            embedding=np.array([one for one, _ in vectors], np.float64),
            emotion=np.array([one for _, one in vectors], np.float64),
        )
    return {"names": names, "sha256": sha256, "measurement": asdict(found)}


class Beat:
    """Tells the parent that the model has come to an end once more, and counts its time anew.

    Where the parent is gone, the limit of CPU time ends a model that does not.
    """

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self()

    def __call__(self) -> None:
        if os.name == "posix":
            import resource

            used_s = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
            _, hard = resource.getrlimit(resource.RLIMIT_CPU)
            soft = int(used_s + 2.0 * self._patience_s) + 1
            if hard != resource.RLIM_INFINITY:
                soft = min(soft, hard)
            resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
        print(BEAT, flush=True)


def _limit(memory_bytes: int, patience_s: float) -> Beat:
    if os.name == "posix":
        import resource

        for kind, most in (
            (resource.RLIMIT_DATA, memory_bytes),
            (resource.RLIMIT_FSIZE, _LARGEST_ANSWER_BYTES),
            (resource.RLIMIT_CORE, 0),
        ):
            _, hard = resource.getrlimit(kind)
            least = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (least, least))
    return Beat(patience_s)


def _beating(run: Run, beat: Beat) -> Run:
    def beaten(audio: Samples) -> tuple[Samples, Samples]:
        vectors = run(audio)
        beat()
        return vectors

    return beaten


if __name__ == "__main__":
    main()

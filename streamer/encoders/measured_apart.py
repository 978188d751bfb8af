"""Measures a foreign model in a process of its own: it may never end, or take all memory."""

import json
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamer.encoders import measuring_child
from streamer.encoders.measuring_child import BEAT, REQUEST, VECTORS, VOICES
from streamer.encoders.probe_outputs import Measurement
from streamer.errors import EncoderError
from streamer.system import module_command
from streamer.types import Samples

# For one utterance; a model that takes so long for three seconds of speech serves nobody.
PATIENCE_S: Final = 60.0
LARGEST_MODEL_BYTES: Final = 1 << 31  # what a file of ONNX may be, too
_BESIDE_BYTES: Final = 1 << 30
_COPIES: Final = 4
_LONGEST_LINE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """patience_s: for loading it, and for each utterance; memory_bytes: None by the file's size."""

    patience_s: float = PATIENCE_S
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """names: of input, embedding and emotion. embeddings [n, d], emotions [n, e]: of the voices."""

    names: tuple[str, str, str]
    sha256: str
    measurement: Measurement
    embeddings: NDArray[np.float64]
    emotions: NDArray[np.float64]


def measured_apart(
    file: Path,
    embedding: str | None,
    emotion: str | None,
    voices: Sequence[Samples],
    seed: int,
    limits: Limits,
) -> Measured:
    """What `probe_outputs.measure` finds, and the vectors of `voices`, float32 at 16 kHz.

    embedding, emotion: names of outputs, None to find them. Raises EncoderError for a model that
    does not fit, or exceeds a limit.
    """
    memory_bytes = limits.memory_bytes or _memory_for(file.stat().st_size)
    request = {
        "file": str(file.absolute()),
        "embedding": embedding,
        "emotion": emotion,
        "seed": seed,
        "memory_bytes": memory_bytes,
        "patience_s": limits.patience_s,
    }
    with tempfile.TemporaryDirectory(prefix="streamer-measure-") as name:
        folder = Path(name)
        (folder / REQUEST).write_text(json.dumps(request), "utf-8")
        np.savez(folder / VOICES, *voices, allow_pickle=False)
        answer = _ask(folder, limits.patience_s, memory_bytes)
        with np.load(folder / VECTORS, allow_pickle=False) as vectors:
            return Measured(
                names=(answer["names"][0], answer["names"][1], answer["names"][2]),
                sha256=answer["sha256"],
                measurement=Measurement(**answer["measurement"]),
                embeddings=vectors["embedding"],
                emotions=vectors["emotion"],
            )


def _memory_for(size_bytes: int) -> int:
    wanted = _BESIDE_BYTES + _COPIES * size_bytes
    if not hasattr(os, "sysconf"):
        return wanted
    return min(wanted, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))


def _ask(folder: Path, patience_s: float, memory_bytes: int) -> dict[str, Any]:
    command = module_command(measuring_child.__name__, str(folder))
    with tempfile.TemporaryFile() as messages:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=messages
        )
        assert child.stdout is not None
        late = threading.Event()
        answer = b""
        try:
            while line := _line(child, patience_s, late):
                answer = b"" if line.strip() == BEAT.encode() else line
            child.wait(patience_s)
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        if late.is_set() or child.returncode == -getattr(signal, "SIGXCPU", 0) != 0:
            raise EncoderError(
                f"the model was stopped: {patience_s:g} s were not enough for one utterance. It "
                "may never end: export it without loops, or give a smaller one"
            )
        if child.returncode or not answer:
            messages.seek(0)
            said = messages.read().decode(errors="replace").strip().splitlines()
            raise EncoderError(
                f"the model ended the process that measured it ({_ended(child.returncode)}"
                f"{': ' + said[-1] if said else ''}): it is damaged, or needs more than "
                f"{memory_bytes / 1e9:.1f} GB of memory; export it again, or give a smaller one"
            )
    found: dict[str, Any] = json.loads(answer)
    if "error" in found:
        raise EncoderError(found["error"])
    return found


def _line(child: "subprocess.Popen[bytes]", patience_s: float, late: threading.Event) -> bytes:
    """The next line; none where the child has ended, or is ended as it takes too long."""
    assert child.stdout is not None
    with _ending(child, patience_s, late):
        return child.stdout.readline(_LONGEST_LINE)


@contextmanager
def _ending(
    child: "subprocess.Popen[bytes]", patience_s: float, late: threading.Event
) -> Iterator[None]:
    """Ends the child where the block takes longer."""

    def end() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(patience_s, end)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _ended(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"

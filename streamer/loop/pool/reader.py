"""The recordings of one voice to the rows of a pool, in whichever process."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from streamer.config import Config
from streamer.errors import EncoderError, UnreadableAudio
from streamer.learners.normalization import RunningNormalization
from streamer.loop.compose import make_utterance_stream, open_input
from streamer.loop.pool.schema import EMBEDDING, EMOTION
from streamer.loop.table.reader import Fault, utterances_of
from streamer.loop.workers.same_encoder import load_same_encoder
from streamer.text import path_text
from streamer.types import Matrix, Notice, Samples, Utterance

if TYPE_CHECKING:
    from streamer.encoders.acoustic.encoder import AcousticEncoder
    from streamer.encoders.onnx import OnnxEncoder


@dataclass(frozen=True, slots=True)
class NewRecording:
    """A recording that the pool does not hold yet. sha256: of its bytes."""

    path: Path
    sha256: str
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class VoiceUnit:
    """Recordings of one voice. speaker: its name; None: each recording is a voice by itself."""

    recordings: tuple[NewRecording, ...]
    speaker: str | None = None

    def __str__(self) -> str:
        return path_text(self.recordings[0].path)


@dataclass(slots=True)
class PoolRows:
    """What came of one unit: rows by column, vectors apart, and the recordings that they are of."""

    columns: dict[str, list[Any]] = field(default_factory=dict)
    embeddings: NDArray[Any] | None = None
    emotions: NDArray[Any] | None = None
    recordings: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.columns["onset_s"]) if self.columns else 0


@dataclass(frozen=True, slots=True, eq=False)
class PoolReaderSetup:
    """What a worker needs to read units; called once in each, it loads the encoder.

    settings: of `Config`, as plain values; speaker: None, "folder" or "channel".
    """

    settings: dict[str, Any]
    encoder: str
    sha256: str
    speaker: str | None
    precision: str

    def __call__(self) -> Callable[[VoiceUnit], PoolRows]:
        config = Config.load(**self.settings)
        encoder = load_same_encoder(config, self.encoder, self.sha256)
        return PoolReader(config, encoder, self.speaker, self.precision).read


class PoolReader:
    """Reads units; what comes of one depends on nothing that was read before."""

    def __init__(
        self,
        config: Config,
        encoder: "OnnxEncoder | AcousticEncoder",
        speaker: str | None,
        precision: str,
    ) -> None:
        self._config = config
        self._encoder = encoder
        self._speaker = speaker
        self._precision = np.dtype(precision)
        self._prior = encoder.prior

    def read(self, unit: VoiceUnit) -> PoolRows:
        """All rows of a unit. What cannot be read is a fault, and raises nothing."""
        read = PoolRows()
        vectors: list[tuple[Samples, Samples]] = []
        for recording in unit.recordings:
            before, faults = len(vectors), len(read.faults)
            try:
                self._read_recording(recording, unit.speaker, read, vectors)
            except (UnreadableAudio, EncoderError) as error:
                read.faults.append(Fault(path_text(recording.path), str(error)))
            except OSError as error:
                problem = error.strerror or str(error)
                read.faults.append(Fault(path_text(recording.path), problem))
            problems = [fault.problem for fault in read.faults[faults:]]
            if len(vectors) == before and problems:
                continue  # nothing of it is kept, so that it is read again the next time
            spans = zip(read.columns.get("onset_s", [])[before:],
                        read.columns.get("offset_s", [])[before:], strict=True)  # fmt: skip
            read.recordings.append(
                {
                    "recording": recording.sha256,
                    "file": path_text(recording.path),
                    "size_bytes": recording.size_bytes,
                    "mtime_ns": recording.mtime_ns,
                    "rows": len(vectors) - before,
                    "speech_s": float(sum(offset - onset for onset, offset in spans)),
                    "problem": "; ".join(problems) or None,
                }
            )
        if vectors:
            voices = read.columns["voice"]
            embeddings = np.stack([one for one, _ in vectors]).astype(np.float64)
            read.embeddings = self._stored(self._aligned(embeddings, voices))
            read.emotions = self._stored(np.stack([one for _, one in vectors]))
        return read

    def _read_recording(
        self,
        recording: NewRecording,
        speaker: str | None,
        read: PoolRows,
        vectors: list[tuple[Samples, Samples]],
    ) -> None:
        path = recording.path
        channels: list[int | None] = [self._config.channel]
        if self._speaker == "channel":
            with closing(open_input(self._config, str(path))) as source:
                channels = list(range(1, source.channels + 1))
        for channel in channels:
            config = self._config.model_copy(update={"channel": channel})
            with closing(open_input(config, str(path))) as source:
                for item in utterances_of(source, make_utterance_stream(config)):
                    if isinstance(item, Utterance):
                        encoded = self._encoder.encode(item.audio)
                        vectors.append((encoded[0], encoded[1]))
                        self._add(read, recording, speaker, channel, item)
                    else:
                        _note(item, path_text(path), read)

    def _add(
        self,
        read: PoolRows,
        recording: NewRecording,
        speaker: str | None,
        channel: int | None,
        utterance: Utterance,
    ) -> None:
        own = recording.sha256 if channel is None else f"{recording.sha256}/{channel}"
        quality = utterance.quality
        row = {
            "recording": recording.sha256,
            "file": path_text(recording.path),
            "onset_s": utterance.onset_s,
            "offset_s": utterance.offset_s,
            "channel": channel,
            "voice": speaker or own,
            "level_dbfs": quality.level_dbfs,
            "gain_db": quality.gain_db,
            "snr_db": quality.snr_db,
            "clipped": quality.clipped,
            "trust": quality.trust,
        }
        for name, value in row.items():
            read.columns.setdefault(name, []).append(value)

    def _aligned(self, embeddings: Matrix, voices: list[str]) -> Matrix:
        """Each voice's mean and deviation brought to the population's.

        The shift is that of `RunningNormalization` once all of the voice was heard: small for few
        utterances, whole for many. A profile that has heard nobody takes the result as it is.
        """
        prior = self._prior
        aligned = np.empty_like(embeddings)
        names = np.array(voices)
        for voice in dict.fromkeys(voices):
            own = names == voice
            usual = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
            population = RunningNormalization(prior.embedding_mean, prior.embedding_deviation)
            for vector in embeddings[own]:
                usual.update(vector)
            scale = np.sqrt(population.variance)
            aligned[own] = population.mean + scale * usual.apply(embeddings[own])
        return aligned

    def _stored(self, vectors: NDArray[Any]) -> NDArray[Any]:
        with np.errstate(over="ignore"):
            stored = vectors.astype(self._precision)
        if not np.isfinite(stored).all():
            raise EncoderError(
                f"the vectors reach {np.abs(vectors).max():g}, beyond {self._precision}: make the "
                "pool with --precision float32"
            )
        return stored


def _note(notice: Notice, name: str, read: PoolRows) -> None:
    if notice.kind == "undecoded":
        read.faults.append(Fault(name, notice.text))
    else:
        read.notices.append(notice.text)


def columns_of(units: list[PoolRows], embedding_size: int, emotion_size: int) -> dict[str, Any]:
    """The rows of several units as the columns of one part."""
    names = ("recording", "file", "onset_s", "offset_s", "channel", "voice", "level_dbfs",
             "gain_db", "snr_db", "clipped", "trust")  # fmt: skip
    columns: dict[str, Any] = {
        name: [value for unit in units for value in unit.columns.get(name, [])] for name in names
    }
    for name, size, vectors in (
        (EMBEDDING, embedding_size, [unit.embeddings for unit in units]),
        (EMOTION, emotion_size, [unit.emotions for unit in units]),
    ):
        there = [one for one in vectors if one is not None]
        columns[name] = np.concatenate(there) if there else np.zeros((0, size), np.float16)
    return columns

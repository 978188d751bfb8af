"""One unit of recordings to rows, in whichever process. The steps are those of the loop."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from streamer.audio.sources.protocol import Source
from streamer.audio.utterance_stream import UtteranceStream
from streamer.config import Config
from streamer.errors import EncoderError, UnreadableAudio
from streamer.learners.explanation import Usual, differences, in_words
from streamer.loop.assessment import Assessment, assess
from streamer.loop.compose import make_utterance_stream, open_input
from streamer.loop.model_state import ModelState
from streamer.loop.table.columns import ACOUSTIC, DISTANCE, EMBEDDING, SOUNDS, Contents
from streamer.loop.table.units import Unit
from streamer.loop.workers.same_encoder import load_same_encoder, settings_for_workers
from streamer.query.strategies.binary_confidence import BinaryConfidence
from streamer.query.strategy import ASKED_DIMENSIONS
from streamer.text import path_text
from streamer.types import DIMENSIONS, Chunk, Encoding, Gap, Notice, Samples, Utterance

if TYPE_CHECKING:
    from streamer.encoders.acoustic.encoder import AcousticEncoder
    from streamer.encoders.onnx import OnnxEncoder

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fault:
    """A recording that could not be read, or not to its end, and why."""

    file: str
    problem: str


@dataclass(slots=True)
class UnitRows:
    """What came of one unit. notices: what is wrong with sound that was read."""

    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class ReaderSetup:
    """What a worker needs to read recordings; called once in each, it loads the encoder.

    settings: of `Config`, as plain values. sha256: of the encoder that must be found there. usual:
    what utterances are compared with in words.
    """

    settings: dict[str, Any]
    encoder: str
    sha256: str
    state: ModelState
    contents: Contents
    usual: dict[str, Usual]

    @classmethod
    def of(
        cls,
        config: Config,
        encoder: str,
        sha256: str,
        state: ModelState,
        contents: Contents,
        usual: dict[str, Usual],
    ) -> "ReaderSetup":
        return cls(settings_for_workers(config), encoder, sha256, state, contents, usual)

    def __call__(self) -> Callable[[Unit], UnitRows]:
        config = Config.load(**self.settings)
        encoder = load_same_encoder(config, self.encoder, self.sha256)
        return RecordingReader(config, encoder, self.state, self.contents, self.usual).read


class RecordingReader:
    """Reads units. Each is heard from the profile's state on, so their order does not matter."""

    def __init__(
        self,
        config: Config,
        encoder: "OnnxEncoder | AcousticEncoder",
        state: ModelState,
        contents: Contents,
        usual: dict[str, Usual],
    ) -> None:
        self._usual = usual
        self._config = config
        self._encoder = encoder
        self._state = state
        self._contents = contents
        self._model = state.model()
        self._scorer = BinaryConfidence(
            (config.dimension,) if config.dimension else ASKED_DIMENSIONS
        )
        self._functionals: Callable[[Samples], dict[str, float]] | None = None
        if contents.acoustic:
            from streamer.encoders.acoustic.encoder import AcousticEncoder

            self._functionals = AcousticEncoder().functionals

    def read(self, unit: Unit) -> UnitRows:
        """All rows of a unit, file by file. What cannot be read is a fault, and raises nothing.

        Rows of what came before the fault are kept.
        """
        self._state.reset_adaptation(self._model)
        read = UnitRows()
        for path in unit.files:
            try:
                if self._contents.speaker == "channel":
                    self._read_channels(path, read)
                else:
                    self._read_file(path, unit.speaker, self._config, read)
            except (UnreadableAudio, EncoderError) as error:
                read.faults.append(Fault(path_text(path), str(error)))
            except OSError as error:  # a network drive that went away, no permission any more
                read.faults.append(Fault(path_text(path), error.strerror or str(error)))
        return read

    def _read_channels(self, path: Path, read: UnitRows) -> None:
        """Each channel as a voice of its own."""
        with closing(open_input(self._config, str(path.absolute()))) as source:
            channels = source.channels
        for channel in range(1, channels + 1):
            self._state.reset_adaptation(self._model)
            config = self._config.model_copy(update={"channel": channel})
            self._read_file(path, str(channel), config, read)

    def _read_file(self, path: Path, speaker: str | None, config: Config, read: UnitRows) -> None:
        stream = make_utterance_stream(config, self._state.usual_dbfs, whole=self._contents.whole)
        name = path_text(path)
        # As an absolute path: a relative one could be taken for an address.
        with closing(open_input(config, str(path.absolute()))) as source:
            for item in utterances_of(source, stream):
                if isinstance(item, Notice):
                    if item.kind == "undecoded":
                        read.faults.append(Fault(name, item.text))
                    else:
                        read.notices.append(item.text)
                else:
                    read.rows.append(self._row(name, speaker, item))

    def _row(self, name: str, speaker: str | None, utterance: Utterance) -> Row:
        encoded = Encoding(*self._encoder.encode(utterance.audio))
        self._model.adapt(encoded)
        said = assess(self._model, encoded, utterance.quality, self._scorer)
        row: Row = {
            "file": name,
            "onset_s": utterance.onset_s,
            "offset_s": utterance.offset_s,
        }
        if self._contents.speaker:
            row["speaker"] = speaker
        row |= _assessed(said)
        row |= {
            "level_dbfs": utterance.quality.level_dbfs,
            "snr_db": utterance.quality.snr_db,
            "clipped": utterance.quality.clipped,
            "trust": utterance.quality.trust,
        }
        if self._functionals is not None:
            named = self._functionals(utterance.audio)
            row |= {ACOUSTIC + n: None if np.isnan(v) else float(v) for n, v in named.items()}
            heard = {**named, "level_dbfs": utterance.quality.level_dbfs}
            row[SOUNDS] = in_words(differences(heard, self._usual))
        if self._contents.embeddings:
            row[EMBEDDING] = shortest(encoded.embedding)
        return row


def utterances_of(source: Source, stream: UtteranceStream) -> Iterator[Utterance | Notice]:
    """Every utterance of a source, and what is wrong with its sound."""
    for item in source:
        if isinstance(item, Chunk | Gap):
            yield from stream.hear(item)
        else:
            yield item
        yield from stream.take_notices()
    yield from stream.finish()
    yield from stream.take_notices()


def shortest(vector: Samples) -> list[float]:
    """float32 values as the shortest decimals that give the same float32 again.

    >>> shortest(np.array([0.1, 1 / 3], np.float32))
    [0.1, 0.33333334]
    """
    return [float(text) for text in map(str, vector)]


def _assessed(said: Assessment) -> Row:
    row: Row = {}
    for name in DIMENSIONS:
        estimate = getattr(said.prediction, name)
        row |= {name: estimate.mean, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    verdict = said.verdict
    row |= {
        "emotion": verdict.emotion,
        "emotion_distance": verdict.distance,
        "emotion_own": verdict.own,
    }
    row |= {DISTANCE + name: verdict.distances[name] for name in sorted(verdict.distances)}
    row["informativeness"] = said.informativeness
    return row

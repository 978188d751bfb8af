"""The encoder and the settings of a worker: those of the process that sent the work, or none."""

from typing import TYPE_CHECKING, Any

from streamer.config import Config
from streamer.encoders.registry import find_encoder
from streamer.errors import EncoderError
from streamer.loop.compose import make_encoder

if TYPE_CHECKING:
    from streamer.encoders.acoustic.encoder import AcousticEncoder
    from streamer.encoders.onnx import OnnxEncoder

_PRIVATE = {"mqtt", "mqtt_user", "mqtt_password"}


def settings_for_workers(config: Config) -> dict[str, Any]:
    """The settings as plain values, without passwords, which no worker needs."""
    settings = config.model_dump(exclude=_PRIVATE)
    settings["segmentation"] = config.segmentation
    return settings


def load_same_encoder(config: Config, name: str, sha256: str) -> "OnnxEncoder | AcousticEncoder":
    """The encoder of that name. Raises EncoderError where it is another one here."""
    row = find_encoder(name, config.models)
    if row.sha256 != sha256:
        raise EncoderError(
            f"encoder {name!r} has sha256 {row.sha256[:12]} on this worker, not "
            f"{sha256[:12]}: install the same encoder on all machines"
        )
    return make_encoder(config, name)

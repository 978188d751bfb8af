"""Parts that need more than the plain installation has."""

import importlib
from types import ModuleType

from streamer.errors import EncoderError


def training_module(name: str) -> ModuleType:
    """streamer.training.NAME, which needs the extra `train`. Raises EncoderError without it.

    It is imported by its name, so that nothing on the device depends on what trains.
    """
    try:
        return importlib.import_module(f"streamer.training.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("streamer"):
            raise
        raise EncoderError(
            f"{error.name} is not installed, which only exporting and training need: in the "
            "project's folder, python -m pip install -e '.[train]'"
        ) from error

"""Modules that need an optional extra."""

import importlib
from types import ModuleType

from streamer.errors import EncoderError


def training_module(name: str) -> ModuleType:
    """streamer.training.NAME, which needs the extra `train`. Raises EncoderError without it.

    It is imported by name, so that the device's code does not depend on the training code.
    """
    try:
        return importlib.import_module(f"streamer.training.{name}")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("streamer"):
            raise
        raise EncoderError(
            f"{error.name} is not installed; exporting and training need it: in the project's "
            "folder, python -m pip install -e '.[train]'"
        ) from error

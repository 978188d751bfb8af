"""Libraries of the extra `exchange`, imported where they are used."""

import importlib
from typing import Any

from streamer.errors import StreamerError


def library(module: str, package: str) -> Any:
    """A module of an optional package. Raises StreamerError where it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise StreamerError(
            f"{package} is not installed; this format needs it: python -m pip install "
            "'streamer[exchange]'"
        ) from error

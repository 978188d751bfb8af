"""The checks of `streamer doctor`: what is missing on this machine, and how to get it."""

from collections.abc import Iterator

from streamer.config import Config
from streamer.ops.doctor import disk, machine
from streamer.ops.doctor.finding import Finding
from streamer.ops.doctor.outliving import examined_apart

__all__ = ["Finding", "examine"]


def examine(config: Config) -> Iterator[Finding]:
    """Look at everything that `streamer run` needs, in the order in which it needs it.

    Changes nothing, and does not create a missing profile. Libraries that may end or hang
    the process that loads them are examined in processes of their own.
    """
    yield machine.versions()
    yield machine.processor(config.threads)
    yield machine.memory()
    yield machine.heat()
    yield machine.power()
    yield from examined_apart("sound", config)
    yield from examined_apart("encoders", config)
    yield from disk.examine(config)

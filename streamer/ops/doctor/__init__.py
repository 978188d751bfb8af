"""The checks of `streamer doctor`: what is missing on this machine, and how to get it."""

from collections.abc import Iterator

from streamer.config import Config
from streamer.ops.doctor import disk, encoders, machine, sound
from streamer.ops.doctor.finding import Finding

__all__ = ["Finding", "examine"]


def examine(config: Config) -> Iterator[Finding]:
    """Look at everything that `streamer run` needs, in the order in which it needs it.

    Changes nothing, and does not create a missing profile.
    """
    yield machine.versions()
    yield machine.processor(config.threads)
    yield machine.memory()
    yield machine.heat()
    yield machine.power()
    yield from sound.examine(config.device, config.channel)
    yield from encoders.examine(config)
    yield from disk.examine(config)

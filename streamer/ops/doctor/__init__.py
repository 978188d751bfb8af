"""What is missing on this machine, and how to get it."""

from collections.abc import Iterator

from streamer.config import Config
from streamer.ops.doctor import disk, encoders, machine, sound
from streamer.ops.doctor.finding import Finding

__all__ = ["Finding", "examine"]


def examine(config: Config) -> Iterator[Finding]:
    """Look at everything that `streamer run` needs, in the order in which it needs it.

    Nothing is changed, and a profile that is not there is not made.
    """
    yield machine.versions()
    yield machine.processor(config.threads)
    yield machine.memory()
    yield machine.heat()
    yield machine.power()
    yield from sound.examine(config.device, config.channel)
    yield from encoders.examine(config)
    yield from disk.examine(config)

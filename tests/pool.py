"""Work for worker processes, started as the command line starts them."""

import sys
from collections.abc import Callable
from contextlib import suppress

from streamer.__main__ import main
from streamer.loop.workers.processes import Processes


def double() -> Callable[[int], int]:
    return _double


def _double(number: int) -> int:
    return 2 * number


def work() -> None:
    """The command line, and then worker processes."""
    sys.argv[1:] = ["--version"]
    with suppress(SystemExit):
        main()
    processes = Processes(double, 1)
    print(*processes.map([3]))
    processes.close()


if __name__ == "__main__":
    work()

"""Keys as they are pressed, without waiting for one."""

import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

Poll = Callable[[float], str]
_POLL_S: Final = 0.02


@contextmanager
def pressed_keys() -> Iterator[Poll]:
    """Yields a function: the key pressed within so many seconds, or "" where none was.

    Standard input must be a terminal. Ctrl-C stays an interrupt.
    """
    if sys.platform == "win32":
        import msvcrt

        def wait(seconds: float) -> str:
            until_s = time.monotonic() + seconds
            while not msvcrt.kbhit():
                if time.monotonic() >= until_s:
                    return ""
                time.sleep(_POLL_S)
            return msvcrt.getwch()

        yield wait
        return
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)

    def poll(seconds: float) -> str:
        if not select.select([terminal], [], [], seconds)[0]:
            return ""
        return os.read(terminal, 1).decode(errors="replace")

    try:
        yield poll
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)

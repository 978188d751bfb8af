"""Standard error held shut while a library writes there what an error already says."""

import os
import threading
from contextlib import suppress
from types import TracebackType


class QuietStandardError:
    """Sends the whole process's standard error to nowhere while inside.

    PortAudio and ALSA print several lines at every failed attempt to open a device. One thread
    enters and leaves; another may call `restore` at any time, in case the first one hangs.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: int | None = None

    def __enter__(self) -> "QuietStandardError":
        with self._lock, suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            try:
                self._kept = os.dup(2)
                os.dup2(nowhere, 2)
            finally:
                os.close(nowhere)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.restore()

    def restore(self) -> None:
        with self._lock:
            kept, self._kept = self._kept, None
            if kept is not None:
                os.dup2(kept, 2)
                os.close(kept)

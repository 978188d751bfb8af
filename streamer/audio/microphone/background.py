"""A call that may never return, made where it cannot stop the loop."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class BackgroundCall(Generic[T]):
    """Runs `call` once, at once, in a daemon thread.

    PortAudio's functions can hang for ever when the audio server does; a thread that hangs
    in them is left behind, as nothing can end it.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="portaudio", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """True as soon as the call is over, False where it is not within the time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def result(self) -> T:
        """What the call returned or raised; only after `wait` said True."""
        if self._error is not None:
            raise self._error
        return self._value[0]

    def _run(self) -> None:
        try:
            self._value.append(self._call())
        except BaseException as error:  # handed on by result()
            self._error = error

"""Measures utterances beside the loop, on a thread of its own, for what is said about them.

librosa takes 15 to 40 ms for an utterance, and 200 MB: too much for the path from the end of an
utterance to its prediction, and for those who show no explanations. So it is loaded here, late.
"""

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from streamer.errors import EncoderError, ProfileError
from streamer.learners.explanation import differences, in_words, is_known
from streamer.store.profile import Profile
from streamer.types import Quality, Samples

WAITING: Final = 32
_KEPT: Final = 64
_LOOK_S: Final = 0.2

Work = tuple[int, Samples, float] | None


class Describer:
    """Takes utterances as they are stored; what it measured is in the profile's `acoustics`.

    Parameters
    ----------
    folder
        The profile's.
    waits
        Where more than `WAITING` are to be measured: wait, as for a recording, or leave them out,
        as for a microphone.

    Attributes
    ----------
    told : callable
        Called on its thread with the number of each utterance that is measured.
    """

    def __init__(self, folder: Path, *, waits: bool) -> None:
        self.told: Callable[[int], None] = lambda utterance: None
        self._folder = folder
        self._waits = waits
        self._work: queue.Queue[Work] = queue.Queue(WAITING)
        self._words: OrderedDict[int, str] = OrderedDict()
        self._lock = threading.Lock()
        self._is_ready = threading.Event()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="describer", daemon=True)
        self._thread.start()

    def put(self, utterance: int, audio: Samples, quality: Quality) -> None:
        """One utterance; its level is that of the recording as it was, not raised."""
        self._put((utterance, audio, quality.level_dbfs))

    def words(self, utterance: int) -> str:
        """How it differed from the usual when it was measured; "" where that is not known (yet)."""
        with self._lock:
            return self._words.get(utterance, "")

    def close(self) -> None:
        """Measure what waits, and end; of a microphone, only where librosa is loaded by now."""
        if not self._waits and not self._is_ready.is_set():
            self._is_closed.set()
            return  # it ends by itself, or with the process
        self._waits = True
        self._put(None)
        self._thread.join()

    def _put(self, work: Work) -> None:
        while True:
            with suppress(queue.Full):
                self._work.put(work, self._waits, _LOOK_S)
                return
            if not (self._waits and self._thread.is_alive()):
                return

    def _run(self) -> None:
        from streamer.encoders.acoustic.encoder import AcousticEncoder

        try:
            functionals = AcousticEncoder().functionals
            if self._is_closed.is_set():  # the profile may be gone by now: none is made
                return
            with closing(Profile(self._folder)) as profile:
                numbering = profile.marks.now().numbering
                self._is_ready.set()
                while not self._is_closed.is_set() and (work := self._work.get()) is not None:
                    utterance, audio, level_dbfs = work
                    values = {**functionals(audio), "level_dbfs": level_dbfs}
                    with profile.of_numbering(numbering):
                        profile.acoustics.add(utterance, values)
                        usual = profile.acoustics.usual()
                    with self._lock:
                        if is_known(usual):
                            self._words[utterance] = in_words(differences(values, usual))
                        while len(self._words) > _KEPT:
                            self._words.popitem(last=False)
                    self.told(utterance)
        except (EncoderError, ProfileError):
            pass  # nothing depends on it: utterances are then not described
        finally:
            self._is_ready.set()

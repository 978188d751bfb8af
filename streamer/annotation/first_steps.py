"""The first minutes of a profile, step by step: the microphone, a few sentences, the first answers.

It only follows the events of a loop, whatever shows it: terminal and page share its state.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from streamer.events import Event, Heard, Noticed, Selected, Status, Withheld
from streamer.loop.notices import NOTICE_KINDS
from streamer.types import Quality

Step = Literal["microphone", "speak", "answer", "learned"]
STEPS: Final[tuple[Step, ...]] = ("microphone", "speak", "answer", "learned")
Sound = Literal["unknown", "good", "poor"]
# Utterances in the first buffer, so that the first question comes within half a minute.
FIRST_BUFFER: Final = 3
# A cough or a single word is not one of the sentences.
SHORTEST_SENTENCE_S: Final = 0.8


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to read aloud. mood: how; hint: what helps to find that mood."""

    text: str
    mood: str
    hint: str


# Everyday content that suits every mood, so that only the voice tells them apart.
SENTENCES: Final = (
    Sentence("The blue cup stands on the kitchen table.", "calm", "as on a quiet evening"),
    Sentence("There is a letter for you by the door.", "happy", "as if it were good news"),
    Sentence("We walked around the lake and came back.", "sad", "as if something were lost"),
    Sentence("I have put the boxes next to the stairs.", "angry", "as if for the third time"),
    Sentence("The bus leaves in about twenty minutes.", "angry", "as if nobody had told you"),
    Sentence("My sister called this afternoon.", "sad", "as if you missed her"),
    Sentence("There is still some soup in the pot.", "happy", "as if to a welcome guest"),
    Sentence("The window at the back is open.", "calm", "as if it did not matter"),
)


@dataclass(frozen=True, slots=True)
class FirstState:
    """Where somebody is in the first minutes.

    Attributes
    ----------
    step : Step
        What is to be done now.
    sound : Sound
        Whether the last utterance was recorded well; "unknown" before there was one.
    sound_text : str
        The same in words, with what helps.
    reads : bool
        The sentences are read; False: the person just talks.
    read : int
        How many sentences were heard, 0 to 8.
    heard : tuple of (int, int or None)
        The utterances so far, each with the sentence that was read, counted from 0.
    """

    step: Step = "microphone"
    sound: Sound = "unknown"
    sound_text: str = "No speech yet."
    reads: bool = True
    read: int = 0
    heard: tuple[tuple[int, int | None], ...] = ()

    @property
    def sentence(self) -> Sentence | None:
        """What is to be read now; None where nothing is."""
        if self.step != "speak" or not self.reads or self.read >= len(SENTENCES):
            return None
        return SENTENCES[self.read]


class FirstSteps:
    """A sink that follows the first minutes. Any thread may ask for the state, or change it."""

    name = "the first steps"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = FirstState()

    @property
    def state(self) -> FirstState:
        return self._state

    def emit(self, event: Event) -> None:
        with self._lock:
            match event:
                case Noticed() if NOTICE_KINDS[event.kind].is_of_sound:
                    self._state = replace(self._state, sound="poor", sound_text=event.text)
                case Heard() | Withheld():
                    self._hear(event)
                case Selected() if event.asked and not self._state.reads:
                    if self._state.step == "speak":
                        self._state = replace(self._state, step="answer")

    def tick(self, status: Callable[[], Status]) -> None:
        pass

    def close(self) -> None:
        pass

    def go_to(self, step: Step) -> None:
        """Go on, skip a step, or go back."""
        with self._lock:
            self._state = replace(self._state, step=step)

    def go_on(self, from_step: Step) -> None:
        """To the step after this one, unless that was already left."""
        with self._lock:
            after = STEPS[min(STEPS.index(from_step) + 1, len(STEPS) - 1)]
            if self._state.step == from_step:
                self._state = replace(self._state, step=after)

    def read_sentences(self, reads: bool) -> None:
        """Read the sentences, or just talk."""
        with self._lock:
            self._state = replace(self._state, step="speak", reads=reads)

    def read_again(self) -> None:
        """The last sentence once more, as it was cut or misread; its utterance stays heard."""
        with self._lock:
            last = self._state.read - 1
            if last >= 0:
                heard = tuple((n, None if s == last else s) for n, s in self._state.heard)
                self._state = replace(self._state, step="speak", read=last, heard=heard)

    def _hear(self, event: Heard | Withheld) -> None:
        state = self._state
        good, text = judge(event.quality)
        step, read, sentence = state.step, state.read, None
        if step == "microphone":
            step = "speak" if good else step
        elif state.sentence and event.offset_s - event.onset_s >= SHORTEST_SENTENCE_S:
            sentence, read = read, read + 1
            step = "answer" if read == len(SENTENCES) else step
        self._state = replace(
            state,
            step=step,
            sound="good" if good else "poor",
            sound_text=text,
            read=read,
            heard=(*state.heard, (event.id, sentence)),
        )


def judge(quality: Quality) -> tuple[bool, str]:
    """Whether an utterance was recorded well enough to be asked about, and why in words.

    Examples
    --------
    >>> judge(Quality(level_dbfs=-24.0, snr_db=31.0, clipped=False))
    (True, 'Good: speech at -24 dBFS, 31 dB above the noise.')
    """
    if quality.clipped:
        return False, "Too loud: speech is clipped. Turn the microphone down, or move away from it."
    if not quality.is_clear:
        return False, (
            f"Speech is only {quality.snr_db:.0f} dB above the noise. Move closer to the "
            "microphone, or turn the noise down."
        )
    level = f"speech at {quality.level_dbfs:.0f} dBFS, {quality.snr_db:.0f} dB above the noise."
    return True, f"Good: {level}"

"""Labelling in the terminal: hear a clip, answer with one key for each question."""

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import typer

from streamer.audio.clip import from_flac
from streamer.errors import UsageError
from streamer.labelling import give, take_back
from streamer.messages import SAMPLE_RATE_HZ, Label
from streamer.screens.lines import clock, interval
from streamer.store.profile import Profile
from streamer.store.records import OpenQuery

POINTS: Final = "123456789"
COMMON_EMOTIONS: Final = (
    "neutral", "happiness", "sadness", "anger", "fear", "disgust", "surprise", "calm", "boredom",
)  # fmt: skip
KEYS: Final = (
    "keys: 1-9 answer (5 is the middle), space plays again, s skips, x cannot tell, "
    "z takes the last answer back, q stops"
)


def label_by_keys(
    profile: Profile,
    annotator: str,
    *,
    key: Callable[[], str] = typer.getchar,
    play: Callable[[bytes], str] | None = None,
) -> None:
    """Ask about every open query, most informative first, until none is left or `q`.

    The prediction is shown only after the answer, so that it does not lead it. Each answer is
    stored and learned before the next question. key: reads one key; play: plays a FLAC clip and
    says how. Raises UsageError where there is no terminal.
    """
    if key is typer.getchar and not sys.stdin.isatty():
        raise UsageError("no terminal to answer in: give an utterance, or --import FILE.csv")
    print(KEYS)
    with tempfile.TemporaryDirectory(prefix="streamer-") as folder:
        asker = _Asker(profile, annotator, key, play or partial(_play, folder=Path(folder)))
        asker.ask_all()
    print(f"{asker.answered} answered, {profile.utterances.open_query_count()} still open")


class _Stop(Exception):
    pass


class _Leave(Exception):
    """Leave this query: skipped, closed, or because an earlier one was opened again."""


class _Asker:
    def __init__(
        self,
        profile: Profile,
        annotator: str,
        key: Callable[[], str],
        play: Callable[[bytes], str],
    ) -> None:
        self._profile = profile
        self._annotator = annotator
        self._key = key
        self._play = play
        self._passed: set[int] = set()
        # A label deletes the stored audio; what was answered here can still be heard after `z`.
        self._clips: dict[int, bytes] = {}
        self.answered = 0

    def ask_all(self) -> None:
        try:
            while query := self._next():
                try:
                    self._ask(query)
                except _Leave:
                    continue
        except (_Stop, KeyboardInterrupt, EOFError):
            print()

    def _next(self) -> OpenQuery | None:
        queries = self._profile.utterances.open_queries()
        return next((q for q in queries if q.utterance.id not in self._passed), None)

    def _ask(self, query: OpenQuery) -> None:
        heard = query.utterance
        clip = self._profile.utterances.clip(heard.id)
        if clip is not None:
            self._clips[heard.id] = clip
        print(f"\n#{heard.id}  {heard.source} {clock(heard.onset_s)}-{clock(heard.offset_s)}")
        self._replay(heard.id)
        valence = self._scale("valence  1 negative .. 9 positive", heard.id)
        arousal = self._scale("arousal  1 calm .. 9 excited", heard.id)
        emotion = self._emotion(heard.id)
        label = Label(heard.id, valence, arousal, None, emotion, self._annotator)
        print(give(self._profile, [label]))
        self.answered += 1
        print(
            f"  you said {valence:+.2f}, {arousal:+.2f}; it had predicted "
            f"{interval(heard.prediction.valence)}, {interval(heard.prediction.arousal)}"
        )

    def _scale(self, question: str, utterance: int) -> float:
        return (int(self._answer(f"  {question}: ", POINTS, utterance)) - 5) / 4

    def _emotion(self, utterance: int) -> str | None:
        enrolled = list(self._profile.emotions.enrolled())
        names = [*enrolled, *(name for name in COMMON_EMOTIONS if name not in enrolled)][:9]
        choices = "  ".join(f"{at} {name}" for at, name in enumerate(names, start=1))
        chosen = self._answer(f"  emotion  {choices}  Enter none: ", POINTS + "\r\n", utterance)
        return names[int(chosen) - 1] if chosen in POINTS else None

    def _answer(self, question: str, allowed: str, utterance: int) -> str:
        print(question, end="", flush=True)
        while True:
            pressed = self._key()
            if pressed in allowed:
                print(pressed.strip())
                return pressed
            self._obey(pressed, utterance)

    def _obey(self, pressed: str, utterance: int) -> None:
        match pressed:
            case " ":
                self._replay(utterance)
            case "s":
                self._passed.add(utterance)
                print("skipped")
                raise _Leave
            case "x":
                self._profile.utterances.close_query(utterance, time.time())
                print("closed: nobody can tell")
                raise _Leave
            case "z":
                print(take_back(self._profile, 1))
                raise _Leave
            case "?":
                print(f"\n{KEYS}")
            case "q" | "\x03" | "\x04":
                raise _Stop

    def _replay(self, utterance: int) -> None:
        clip = self._clips.get(utterance)
        print(f"  {self._play(clip) if clip else 'its audio is not kept any more'}")


def _play(clip: bytes, folder: Path) -> str:
    """Play a clip; where there is no sound output, name a file in `folder` that holds it."""
    from streamer.audio.devices import load_portaudio
    from streamer.errors import AudioError, NoDevice

    try:
        sounddevice = load_portaudio()
        try:
            sounddevice.play(from_flac(clip), SAMPLE_RATE_HZ)
        except sounddevice.PortAudioError as error:
            raise NoDevice(str(error)) from error
    except AudioError:
        path = folder / "clip.flac"
        path.write_bytes(clip)
        return f"no sound output here; until you stop, it is in {path}"
    return "playing"

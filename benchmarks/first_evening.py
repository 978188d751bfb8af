"""The first evening of a new user, in real time: `streamer start` to the tenth answer.

    python -m benchmarks.first_evening [--voices savee:DC savee:JE emovo:f1 ...]

A new profile and a virtual microphone. The voice is that of one actor of a corpus: a few words to
check the level, eight "sentences" in the four moods of the first steps, then other clips until ten
answers are given. The person answers over the page's requests: the affective norm of the mood plus
noise of 0.25, after listening to the clip and a second and a half of thought. Afterwards 20 clips
that were not played are predicted twice from the same profile: without its labels, and with them.

Needs `../shared/data/speech` and what the virtual microphone needs. The encoder has not heard these
corpora; the prior was fitted to labels of them, among others.
"""

import argparse
import csv
import json
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from typing import IO, Any

import numpy as np
import soundfile

import streamer
from benchmarks.loop import RESULTS, STREAMER, machine
from streamer.annotation.first_steps import SENTENCES
from streamer.annotation.labels import take_back
from streamer.learners.affective_norms import affective_norm
from streamer.store.profile import Profile
from tests.virtual_microphone import VirtualMicrophone, missing

SPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech"
VOICES = ("savee:DC", "savee:JE", "savee:JK", "savee:KL", "emovo:f1", "emovo:m1")
MOODS = {"calm": "neutral", "happy": "happiness", "sad": "sadness", "angry": "anger"}
RATE_HZ = 16_000
ANSWERS = 10
UNSEEN = 20
NOISE = 0.25
PAUSE_S = 1.5
THOUGHT_S = 1.5


class Clips:
    """The clips of one actor, by emotion, each played once."""

    def __init__(self, corpus: str, speaker: str, rng: np.random.Generator) -> None:
        audio, _ = soundfile.read(SPEECH / f"{corpus}.opus", dtype="float32")
        self._of: dict[str, list[np.ndarray[Any, Any]]] = {}
        with (SPEECH / "clips.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                if (row["corpus"], row["speaker"]) == (corpus, speaker):
                    start, length = int(row["start"]), int(row["samples"])
                    self._of.setdefault(row["emotion"], []).append(audio[start : start + length])
        for clips in self._of.values():
            rng.shuffle(clips)  # type: ignore[arg-type]
        self._rng = rng

    def take(self, emotion: str | None = None) -> tuple[str, np.ndarray[Any, Any]]:
        """One that was not taken yet; of any mood for None."""
        moods = [mood for mood in MOODS.values() if self._of[mood]]
        name = emotion or str(self._rng.choice(moods))
        return name, self._of[name].pop()


class Evening:
    """One run of `streamer start`, the voice before it, and the person at its page."""

    def __init__(self, microphone: VirtualMicrophone, folder: Path, clips: Clips) -> None:
        self._microphone = microphone
        self._folder = folder
        self._clips = clips
        self._rng = np.random.default_rng(4)
        self._heard: dict[int, str] = {}
        self._now = ""
        self._begun_s = time.perf_counter()
        self.first_question_s: float | None = None
        words = ["start", "--web", "--no-open", "--port", "0", "--profile", str(folder / "p")]
        self._process = subprocess.Popen(
            [*STREAMER, *words], env=microphone.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout
        assert self._process.stderr
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._follow, args=(self._process.stdout,))
        self._reader.start()
        found = re.search(r"http://\S+", self._process.stderr.readline())
        assert found
        self._base = found.group(0).partition("/start?")[0]
        self._open = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._base = self._open.open(found.group(0)).url.rpartition("/")[0]
        threading.Thread(target=self._process.stderr.read, daemon=True).start()

    def run(self) -> dict[str, Any]:
        self._listening.wait(60)
        ready_s = time.perf_counter() - self._begun_s
        self._speak("neutral")
        for sentence in SENTENCES:
            self._speak(MOODS[sentence.mood])
        answers = 0
        state = self._ask("/api/start")
        read = state["read"]
        while answers < ANSWERS:
            item = self._ask("/api/next")["item"]
            if item is None:
                self._speak(None)
                continue
            self._answer(item)
            answers += 1
        tenth_s = time.perf_counter() - self._begun_s
        changes = self._ask("/api/start")["changes"]
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)
        self._reader.join(10)
        return {
            "listening_s": ready_s,
            "first_question_s": self.first_question_s,
            "tenth_answer_s": tenth_s,
            "sentences_recognized": read,
            "utterances": len(self._heard),
            "compared": len(changes),
        }

    def _follow(self, out: IO[str]) -> None:
        for line in out:
            if "listening to microphone" in line:
                self._listening.set()
            elif found := re.match(r"#(\d+) ", line):
                self._heard.setdefault(int(found[1]), self._now)
            elif line.startswith("buffer 1:") and self.first_question_s is None:
                self.first_question_s = time.perf_counter() - self._begun_s

    def _speak(self, emotion: str | None) -> None:
        self._now, audio = self._clips.take(emotion)
        path = self._folder / "said.wav"
        soundfile.write(path, audio, RATE_HZ)
        self._microphone.feed(path)
        time.sleep(PAUSE_S)

    def _answer(self, item: dict[str, Any]) -> None:
        time.sleep(item["offset_s"] - item["onset_s"] + THOUGHT_S)
        emotion = self._heard[item["utterance"]]
        values = np.array((affective_norm(emotion) or (0.0, 0.0))[:2])
        noisy = np.clip(values + self._rng.normal(0.0, NOISE, 2), -1.0, 1.0)
        answer = {
            "utterance": item["utterance"], "annotator": "me", "seat": "evening",
            "valence": float(noisy[0]), "arousal": float(noisy[1]), "emotion": emotion,
        }  # fmt: skip
        self._ask("/api/labels", answer)

    def _ask(self, path: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        place = self._base + path
        headers = {}
        if values is not None:
            origin = "/".join(place.split("/")[:3])
            headers = {"content-type": "application/json", "origin": origin}
        body = None if values is None else json.dumps(values).encode()
        with self._open.open(urllib.request.Request(place, body, headers)) as reply:
            found: dict[str, Any] = json.load(reply)
        return found


def unseen(clips: Clips, folder: Path) -> Iterator[tuple[Path, str]]:
    folder.mkdir()
    for number in range(UNSEEN):
        emotion, audio = clips.take()
        path = folder / f"{number:02}.wav"
        soundfile.write(path, audio, RATE_HZ)
        yield path, emotion


def errors(profile: Path, files: dict[Path, str]) -> dict[str, float]:
    """Mean absolute errors on [-1, 1] against the affective norms, and the emotions named right."""
    rows = list(streamer.table(files, profile=profile, whole=True))
    assert len(rows) == len(files)
    found: dict[str, float] = {}
    for at, dimension in enumerate(("valence", "arousal")):
        found[dimension] = statistics.mean(
            abs(row[dimension] - (affective_norm(files[Path(row["file"])]) or (0.0, 0.0))[at])
            for row in rows
        )
    right = sum(row["emotion"] == files[Path(row["file"])] for row in rows)
    return {**found, "emotion": right / len(rows)}


def one_voice(voice: str) -> dict[str, Any]:
    corpus, _, speaker = voice.partition(":")
    clips = Clips(corpus, speaker, np.random.default_rng(3))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = dict(unseen(clips, folder / "unseen"))
        with VirtualMicrophone() as microphone:
            row = Evening(microphone, folder, clips).run()
        shutil.copytree(folder / "p", folder / "untaught")
        untaught = Profile(folder / "untaught")
        take_back(untaught, ANSWERS)
        untaught.close()
        before, after = (errors(folder / p, files) for p in ("untaught", "p"))
    return {"voice": voice, **row, "before": before, "after": after}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--voices", nargs="+", default=VOICES)
    options = parser.parse_args()
    if reason := missing():
        raise SystemExit(reason)
    if not (SPEECH / "clips.csv").is_file():
        raise SystemExit("needs ../shared/data/speech, which is not here")
    rows = []
    for voice in options.voices:
        rows.append(one_voice(voice))
        print(json.dumps(rows[-1]), flush=True)
    kept = {"machine": machine(), "noise": NOISE, "unseen": UNSEEN, "voices": rows}
    (RESULTS / "first_evening.json").write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())

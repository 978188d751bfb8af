"""How far spoiled sound moves the guesses, without and with conditioning.

    python -m benchmarks.conditioning [--only WORD] [--out FILE.json]

200 clips of five corpora in ../shared (RAVDESS, nEMO, EMOVO, SAVEE, TESS; 40 of each, drawn with a
seed), joined to ten recordings of 20 with pauses of 0.8 to 1.4 s over noise at -62 dBFS. Every
recording is heard clean without conditioning, and spoiled in each way without and with it. Found
utterances are matched by their overlap.

V, A: mean absolute difference of valence and arousal against the clean recording, as `run` gives
them: each recording in a profile of its own, which follows what is usual as it goes. "known": the
same where the profile already knew this voice, clean (the microphone went bad later). kept:
utterances whose verdict stayed the same, of all clean ones. missed, extra: utterances not found,
and found beside. worst: the largest difference of one guess.
"""

import argparse
import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, fftconvolve, sosfilt

from streamer.audio.conditioning.conditioner import Conditioner
from streamer.audio.conditioning.level import LevelFollower
from streamer.audio.conditioning.usual_level import UsualLevel
from streamer.audio.endpointer import Endpointer
from streamer.audio.resampling import Resampler
from streamer.audio.utterance_stream import UtteranceStream
from streamer.audio.vad import SileroVoiceActivity
from streamer.config import Config
from streamer.loop.compose import make_encoder
from streamer.loop.online_model import OnlineModel
from streamer.types import SAMPLE_RATE_HZ, Chunk, Encoding, Samples, Utterance

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
CORPORA = ("ravdess", "nemo", "emovo", "savee", "tess")
CLIPS = 40
RECORDINGS = 2
ENROLLED = 6
NOISE = 10.0 ** (-62.0 / 20.0)

Spoil = Callable[[Samples, int], Samples]
Clip = tuple[str, Samples]


@dataclass(frozen=True, slots=True)
class Guess:
    onset_s: float
    offset_s: float
    valence: float
    arousal: float
    emotion: str | None


def corpus(name: str) -> list[Clip]:
    """(emotion, audio) of every labelled clip."""
    audio, _ = soundfile.read(SHARED / "speech" / f"{name}.opus", dtype="float32")
    with (SHARED / "speech" / "clips.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["corpus"] == name and row["emotion"]]
    return [
        (row["emotion"], audio[int(row["start"]) : int(row["start"]) + int(row["samples"])])
        for row in rows  # views: only the few that are drawn are copied
    ]


def dataset() -> tuple[list[Samples], list[list[Clip]]]:
    """The clean recordings, and for each the clips of its corpus that are enrolled."""
    rng = np.random.default_rng(12)
    recordings: list[Samples] = []
    enrolled: list[list[Clip]] = []
    for name in CORPORA:
        clips = corpus(name)
        order = rng.permutation(len(clips))
        others: dict[str, list[Clip]] = {}
        for at in order[CLIPS:]:
            others.setdefault(clips[at][0], []).append(clips[at])
        kept = [(e, audio.copy()) for some in others.values() for e, audio in some[:ENROLLED]]
        for chosen in np.split(order[:CLIPS], RECORDINGS):
            parts = []
            for at in chosen:
                pause = int(rng.uniform(0.8, 1.4) * SAMPLE_RATE_HZ)
                parts += [np.zeros(pause, np.float32), clips[at][1]]
            sound = np.concatenate([*parts, np.zeros(SAMPLE_RATE_HZ, np.float32)])
            noise = NOISE * rng.standard_normal(len(sound))
            recordings.append((sound + noise).astype(np.float32))
            enrolled.append(kept)
    return recordings, enrolled


def rms(sound: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(sound, dtype=np.float64))))


def speech_rms(sound: Samples) -> float:
    """Of the frames above -45 dBFS."""
    frames = sound[: len(sound) // 512 * 512].reshape(-1, 512).astype(np.float64)
    power = np.mean(frames**2, axis=1)
    return float(np.sqrt(power[power > 10.0**-4.5].mean()))


def offset(level: float) -> Spoil:
    return lambda sound, k: sound + np.float32(level)


def hum(mains_hz: float, level: float, harmonics: tuple[float, ...]) -> Spoil:
    """Off the nominal frequency by up to 0.2 %, another phase in each recording."""

    def spoil(sound: Samples, k: int) -> Samples:
        hz = mains_hz * (1.0 + 0.0004 * (k - 4))
        t = np.arange(len(sound)) / SAMPLE_RATE_HZ
        lines = [h * np.sin(2 * np.pi * hz * (i + 1) * t + i + k) for i, h in enumerate(harmonics)]
        return sound + level * np.sum(lines, axis=0)

    return spoil


def rumble(level: float) -> Spoil:
    band = butter(2, (4, 30), "band", fs=SAMPLE_RATE_HZ, output="sos")

    def spoil(sound: Samples, k: int) -> Samples:
        noise = sosfilt(band, np.random.default_rng(k).standard_normal(len(sound)))
        return sound + noise * (level / rms(noise))

    return spoil


def telephone(sound: Samples, k: int) -> Samples:
    band = butter(4, (300, 3_400), "band", fs=SAMPLE_RATE_HZ, output="sos")
    return np.asarray(sosfilt(band, sound))


def eight_khz(sound: Samples, k: int) -> Samples:
    low = soxr.resample(sound, SAMPLE_RATE_HZ, 8_000)
    return np.asarray(soxr.resample(low, 8_000, SAMPLE_RATE_HZ))[: len(sound)]


def clipping(db: float) -> Spoil:
    """Loud peaks (one sample in 2,000) that many dB beyond full scale."""

    def spoil(sound: Samples, k: int) -> Samples:
        peak = float(np.quantile(np.abs(sound), 0.9995))
        return np.clip(sound * (10.0 ** (db / 20.0) / peak), -1.0, 1.0)

    return spoil


def reverberation() -> Spoil:
    with np.load(SHARED / "noise" / "rirs_16k.npz") as file:
        samples, bounds, kinds = file["samples"], file["offsets"], file["kind"]
    rooms = [i for i, kind in enumerate(kinds) if str(kind) == "room"]

    def spoil(sound: Samples, k: int) -> Samples:
        at = rooms[k % len(rooms)]
        response = samples[bounds[at] : bounds[at + 1]].astype(np.float64)
        response /= np.sqrt(np.sum(response**2))
        direct = int(np.argmax(np.abs(response)))
        return np.asarray(fftconvolve(sound, response)[direct : direct + len(sound)])

    return spoil


def noise(snr_db: float) -> Spoil:
    """Of homes, streets, appliances and music, against the level of the speech."""
    path = SHARED / "noise" / "noises.opus"

    def spoil(sound: Samples, k: int) -> Samples:
        everything = soundfile.info(path).frames
        at = int(np.random.default_rng(100 + k).integers(0, everything - len(sound)))
        piece, _ = soundfile.read(path, len(sound), at, dtype="float32")
        return sound + piece * (speech_rms(sound) / rms(piece) * 10.0 ** (-snr_db / 20.0))

    return spoil


def gain(db: float) -> Spoil:
    return lambda sound, k: sound * np.float32(10.0 ** (db / 20.0))


def conditions() -> dict[str, Spoil]:
    buzz = (1.0, 0.3, 0.2, 0.1, 0.05)
    return {
        "clean": lambda sound, k: sound,
        "offset 0.05": offset(0.05),
        "offset -0.2": offset(-0.2),
        "hum 50 Hz, 0.05, five lines": hum(50.0, 0.05, buzz),
        "hum 50 Hz, 0.3": hum(50.0, 0.3, (1.0,)),
        "hum 60 Hz, 0.1, five lines": hum(60.0, 0.1, buzz),
        "rumble -34 dBFS": rumble(0.02),
        "rumble -20 dBFS": rumble(0.1),
        "telephone band": telephone,
        "8 kHz": eight_khz,
        "clipping, 6 dB": clipping(6.0),
        "clipping, 12 dB": clipping(12.0),
        "reverberation": reverberation(),
        "noise, 20 dB": noise(20.0),
        "noise, 10 dB": noise(10.0),
        "noise, 0 dB": noise(0.0),
        **{f"gain {db:+} dB": gain(db) for db in (-50, -40, -30, -20, -10, 10, 20)},
    }


class Listener:
    """Finds utterances, embeds them, and guesses as `run` does."""

    def __init__(self) -> None:
        self._encoder = make_encoder(Config(), "")
        self._activity = SileroVoiceActivity()
        self._encoded: dict[int, Encoding] = {}

    def utterances(
        self, sound: Samples, conditioned: bool, usual_dbfs: float | None = None
    ) -> list[Utterance]:
        level = LevelFollower() if conditioned else None
        endpointer = Endpointer(self._activity, None, level, UsualLevel(usual_dbfs))
        stream = UtteranceStream(endpointer, Resampler, Conditioner() if conditioned else None)
        heard: list[Utterance] = []
        for chunk in np.split(sound[:, np.newaxis], range(8_000, len(sound), 8_000)):
            heard += stream.hear(Chunk(chunk, SAMPLE_RATE_HZ, "benchmark"))
        return heard + stream.finish()

    def encode(self, utterances: list[Utterance]) -> list[Encoding]:
        return [Encoding(*self._encoder.encode(utterance.audio)) for utterance in utterances]

    def model(self, enrolled: list[Clip]) -> OnlineModel:
        """A new voice, with these emotions enrolled."""
        model = OnlineModel(self._encoder)
        for emotion, audio in enrolled:
            if id(audio) not in self._encoded:
                self._encoded[id(audio)] = Encoding(*self._encoder.encode(audio))
            model.enroll(emotion, [self._encoded[id(audio)]])
        return model


def guesses(
    model: OnlineModel,
    utterances: list[Utterance],
    encodings: list[Encoding],
    adapt: bool,
) -> list[Guess]:
    found = []
    for utterance, encoding in zip(utterances, encodings, strict=True):
        if adapt:
            model.adapt(encoding)
        p, v = model.predict(encoding), model.verdict(encoding)
        span = utterance.onset_s, utterance.offset_s
        found.append(Guess(*span, p.valence.mean, p.arousal.mean, v.emotion))
    return found


def match(clean: list[Guess], spoiled: list[Guess]) -> list[Guess | None]:
    """For each clean utterance the one that covers more than half of it, if there is one."""

    def overlap(a: Guess, b: Guess) -> float:
        shared = min(a.offset_s, b.offset_s) - max(a.onset_s, b.onset_s)
        return shared / (a.offset_s - a.onset_s)

    best = [max(spoiled, key=lambda b, a=a: overlap(a, b), default=None) for a in clean]
    return [
        b if b is not None and overlap(a, b) > 0.5 else None
        for a, b in zip(clean, best, strict=True)
    ]


class Comparison:
    """Differences, gathered over the recordings of one condition."""

    def __init__(self) -> None:
        self.valence: list[float] = []
        self.arousal: list[float] = []
        self.utterances = self.missed = self.extra = self.kept = 0

    def add(self, clean: list[Guess], spoiled: list[Guess]) -> None:
        matched = match(clean, spoiled)
        self.utterances += len(clean)
        self.missed += matched.count(None)
        self.extra += len(spoiled) - len({id(b) for b in matched if b is not None})
        for a, b in zip(clean, matched, strict=True):
            if b is not None:
                self.valence.append(abs(a.valence - b.valence))
                self.arousal.append(abs(a.arousal - b.arousal))
                self.kept += a.emotion == b.emotion

    def row(self) -> dict[str, float]:
        found = len(self.valence) > 0
        return {
            "valence": round(float(np.mean(self.valence)), 4) if found else float("nan"),
            "arousal": round(float(np.mean(self.arousal)), 4) if found else float("nan"),
            "worst": round(max(self.valence + self.arousal), 4) if found else float("nan"),
            "kept": round(self.kept / self.utterances, 4),
            "missed": self.missed,
            "extra": self.extra,
            "utterances": self.utterances,
        }


def measure(only: str) -> dict[str, Any]:
    listener = Listener()
    recordings, enrolled = dataset()
    clean = [listener.utterances(sound, conditioned=False) for sound in recordings]
    encodings = [listener.encode(utterances) for utterances in clean]
    fresh_guesses = [
        guesses(listener.model(enrolled[k]), clean[k], encodings[k], adapt=True)
        for k in range(len(recordings))
    ]
    known_models = [listener.model(some) for some in enrolled]
    for model, some in zip(known_models, encodings, strict=True):
        for encoding in some:
            model.adapt(encoding)
    known_guesses = [
        guesses(model, *heard, adapt=False)
        for model, *heard in zip(known_models, clean, encodings, strict=True)
    ]
    usual_dbfs = [median(u.quality.level_dbfs for u in utterances) for utterances in clean]
    table: dict[str, Any] = {}
    for name, spoil in conditions().items():
        if only not in name:
            continue
        table[name] = {}
        for conditioned in (False, True):
            fresh, known = Comparison(), Comparison()
            for k, sound in enumerate(recordings):
                spoiled = np.asarray(spoil(sound, k), np.float32)
                found = listener.utterances(spoiled, conditioned)
                heard = found, listener.encode(found)
                usual = found
                if conditioned:
                    usual = listener.utterances(spoiled, conditioned, usual_dbfs[k])
                same = [u.quality for u in usual] == [u.quality for u in found]
                again = usual, heard[1] if same else listener.encode(usual)
                known.add(known_guesses[k], guesses(known_models[k], *again, adapt=False))
                model = listener.model(enrolled[k])
                fresh.add(fresh_guesses[k], guesses(model, *heard, adapt=True))
            key = "with" if conditioned else "without"
            table[name][key] = {"fresh": fresh.row(), "known": known.row()}
            print(f"{name:28} {key:8} fresh {_line(fresh)}   known {_line(known)}", flush=True)
    return table


def _line(comparison: Comparison) -> str:
    row = comparison.row()
    return (
        f"V {row['valence']:.3f} A {row['arousal']:.3f} worst {row['worst']:.2f} "
        f"kept {row['kept']:.3f} missed {row['missed']} extra {row['extra']}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--only", default="", help="conditions whose name holds this")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    if not SHARED.is_dir():
        raise SystemExit(f"no corpora in {SHARED}: this measures on recorded speech")
    table = measure(arguments.only)
    if arguments.out:
        arguments.out.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()

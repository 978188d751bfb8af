"""How much of an encoder is left under real microphones, rooms, lines and codecs.

    python -m benchmarks.encoder_robustness --speech SPEECH [--encoders NAME ...] [--corpora ...]

SPEECH holds the packed corpora. Every clip is embedded as it is and changed in each of the ways
below. Rows, for every encoder, way and corpus: the mean cosine of the clip's `embedding` before and
after, the population's mean taken out and its deviations made one; and UAR of a logistic
regression (C = 0.01) that learned from the *unchanged* clips of other speakers and hears the
changed ones, plain and with each speaker's own mean and deviation taken out, as a profile does (of
the changed clips, since a profile hears through its own microphone). "Fall" is against the
unchanged clips. EMOVO and SAVEE are the default: the encoders that ship heard neither.
"""

import argparse
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile
import soxr
from sklearn.metrics import recall_score

from benchmarks.loop import RESULTS, machine
from streamer.config import Config
from streamer.encoders.onnx import OnnxEncoder
from streamer.encoders.registry import find_encoder
from streamer.training.data.speech import RATE_HZ, Clip, read_clips, read_rows
from streamer.training.export.probe import logistic, speaker_folds, standardize_speakers, unit

CORPORA = ("emovo", "savee")
ENCODERS = ("streamer-wav2vec2", "streamer-small")
FOLDS = 6
INVERSE_PENALTY = 0.01
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def offset(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A tenth of full scale."""
    return audio + 0.1


def hum(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """50 Hz and multiples, 10 dB under the clip."""
    time_s = np.arange(len(audio)) / RATE_HZ
    tones = (np.sin(2 * np.pi * 50.0 * k * time_s + rng.uniform(0, 6)) / k for k in (1, 2, 3, 5))
    return mixed(audio, np.sum(list(tones), axis=0), 10.0)


def telephone(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """300 to 3,400 Hz."""
    spectrum = np.fft.rfft(audio)
    frequencies = np.fft.rfftfreq(len(audio), 1 / RATE_HZ)
    spectrum[(frequencies < 300) | (frequencies > 3_400)] = 0
    return np.fft.irfft(spectrum, len(audio))


def rate_8_khz(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    slow = soxr.resample(audio, RATE_HZ, RATE_HZ // 2)
    return np.resize(soxr.resample(slow, RATE_HZ // 2, RATE_HZ), len(audio))


def mp3(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """32 kbit/s, there and back."""
    packed = io.BytesIO()
    with soundfile.SoundFile(
        packed, "w", RATE_HZ, 1, "MPEG_LAYER_III", format="MP3",
        bitrate_mode="CONSTANT", compression_level=(160 - 32) / (160 - 8),
    ) as out:  # fmt: skip
        out.write(audio)
    packed.seek(0)
    return soundfile.read(packed, dtype="float32")[0]


def reverberation(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A room of 0.5 s, as loud as the direct sound."""
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    room = rng.standard_normal(len(time_s)) * 10.0 ** (-3.0 * time_s / 0.5)
    room[:80] = 0.0
    room /= np.linalg.norm(room)
    room[0] = 1.0
    total = len(audio) + len(room)
    return np.fft.irfft(np.fft.rfft(audio, total) * np.fft.rfft(room, total), total)[: len(audio)]


def noise(ratio_db: float) -> Change:
    """Pink, so many dB under the clip."""

    def change(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        spectrum = np.fft.rfft(rng.standard_normal(len(audio)))
        pink = np.fft.irfft(spectrum / np.sqrt(np.arange(len(spectrum)) + 1.0), len(audio))
        return mixed(audio, pink, ratio_db)

    return change


def gain(db: float) -> Change:
    """Louder or quieter, in a microphone of 16 bits: rounded, and cut at full scale."""

    def change(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return np.clip(np.round(audio * 10 ** (db / 20) * 32_768) / 32_768, -1.0, 1.0)

    return change


def mixed(audio: np.ndarray, other: np.ndarray, ratio_db: float) -> np.ndarray:
    level = np.sqrt(np.mean(audio**2)) / np.sqrt(np.mean(other**2))
    return audio + other * level * 10 ** (-ratio_db / 20)


CHANGES: dict[str, Change] = {
    "offset": offset,
    "hum": hum,
    "300-3400 Hz": telephone,
    "8 kHz": rate_8_khz,
    "MP3 32 kbit/s": mp3,
    "reverberation": reverberation,
    "noise 20 dB": noise(20.0),
    "noise 10 dB": noise(10.0),
    "noise 5 dB": noise(5.0),
    "gain -40 dB": gain(-40.0),
    "gain +20 dB": gain(20.0),
}


def embed(
    encoder: OnnxEncoder, clips: list[tuple[Clip, np.ndarray]], change: Change | None
) -> np.ndarray:
    """Embeddings [clips, d]; what is drawn at random depends on the clip's place alone."""
    rows = []
    for i, (_, audio) in enumerate(clips):
        heard = audio if change is None else change(audio, np.random.default_rng(i))
        rows.append(encoder.encode(heard.astype(np.float32))[0])
    return np.array(rows)


def uar(clean: np.ndarray, changed: np.ndarray, clips: list[Clip]) -> float:
    """Learned from clean vectors, tested on changed ones of other speakers."""
    emotions, fold = np.array([c.emotion for c in clips]), speaker_folds(clips, FOLDS)
    answers = np.empty_like(emotions)
    for held in np.unique(fold):
        train, test = fold != held, fold == held
        mean, deviation = clean[train].mean(0), clean[train].std(0) + 1e-6
        model = logistic(INVERSE_PENALTY).fit((clean[train] - mean) / deviation, emotions[train])
        answers[test] = model.predict((changed[test] - mean) / deviation)
    return float(recall_score(emotions, answers, average="macro"))


def table(
    name: str, speech: Path, corpora: tuple[str, ...]
) -> Iterator[tuple[str, str, dict[str, float]]]:
    """(corpus, change, figures) of one encoder."""
    encoder = OnnxEncoder(find_encoder(name, Config().models))
    mean, deviation = encoder.prior.embedding_mean, encoder.prior.embedding_deviation
    others = frozenset(clip.corpus for clip in read_rows(speech))
    for corpus in corpora:
        pairs = [(c, a) for c, a in read_clips(speech, others - {corpus}) if c.emotion]
        clips = [clip for clip, _ in pairs]
        clean = embed(encoder, pairs, None)
        own = standardize_speakers(clean, clips)
        before = uar(clean, clean, clips), uar(own, own, clips)
        yield corpus, "none", {"plain": before[0], "standardized": before[1]}
        for change, make in CHANGES.items():
            heard = embed(encoder, pairs, make)
            after = uar(clean, heard, clips), uar(own, standardize_speakers(heard, clips), clips)
            cosine = unit((clean - mean) / deviation) * unit((heard - mean) / deviation)
            yield (
                corpus,
                change,
                {
                    "cosine": float(cosine.sum(axis=1).mean()),
                    "plain": after[0],
                    "standardized": after[1],
                    "plain fall": before[0] - after[0],
                    "standardized fall": before[1] - after[1],
                },
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--speech", type=Path, required=True)
    parser.add_argument("--encoders", nargs="+", default=list(ENCODERS), metavar="NAME")
    parser.add_argument("--corpora", nargs="+", default=list(CORPORA))
    parser.add_argument("--out", type=Path, default=RESULTS / "encoder_robustness.json")
    args = parser.parse_args()
    found: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for name in args.encoders:
        for corpus, change, figures in table(name, args.speech, tuple(args.corpora)):
            rounded = {key: round(value, 3) for key, value in figures.items()}
            found.setdefault(name, {}).setdefault(corpus, {})[change] = rounded
            print(name, corpus, change, json.dumps(rounded), flush=True)
    args.out.write_text(json.dumps({"machine": machine(), "figures": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()

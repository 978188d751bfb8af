"""What a fleet's prior brings a new device: 40 devices, then a voice and a corpus left out.

    python -m benchmarks.fleet SPEECH --cache FILE.npz [--seeds 3] [--out FILE.json]

SPEECH: packed corpora (`clips.csv` with one Ogg Opus file a corpus); FILE.npz keeps their
embeddings, as that of `python -m streamer.training prior`. Ratings are the affective
norms of the emotion labels, as there are no others. 40 speakers of five corpora are devices with 5
to 40 labels each, drawn by seed; their statistics make the prior of a new device, which is tested
on the other speakers of these corpora ("speakers") and on SAVEE, of which no device is ("corpus").

A new device hears 20 clips, gets the labels of the first 0, 5, 10 or 20 of them, and is tested on
40 others at most. RMSE and CCC are over all clips of all tested voices, the mean over seeds, mean
of valence and arousal.

The fleet starts from the encoder's shipped prior, which was itself fitted to all labels of all
these corpora, so that there is little left to learn; and from a prior fitted without any corpus of
devices or tests, which is what a fleet meets in a language and with microphones that nobody trained
on. Devices are also measured with noise (--epsilon 10 and 1), and with one of 40 lying: it says the
opposite of what it heard, with a billion answers.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.loop import RESULTS, machine
from streamer.encoders.registry import EncoderRow, find_encoder, load_prior
from streamer.evaluation.metrics import ccc, rmse
from streamer.learners.fleet.estimation import estimate
from streamer.learners.fleet.statistics import VoiceData, VoiceStatistics
from streamer.learners.prior import Prior
from streamer.loop.online_model import OnlineModel
from streamer.profiles.fleet.noise import private_statistics
from streamer.training.data.speech import Clip
from streamer.training.export.prior import norm_of
from streamer.training.export.voices import embedded, fit_voices

# Of each corpus, how many speakers are devices; the others are tested where they have enough clips.
DEVICES = {"ravdess": 16, "kor_emotts": 10, "nemo": 6, "emovo": 4, "turev": 4}
LEFT_OUT = "savee"
ELSEWHERE = ("tess", "urdu", "emospeech_in")
MOST_CLIPS = 80
HEARD = 20
TESTED = 40
LABELS = (0, 5, 10, 20)
FEWEST, MOST = 5, 40


@dataclass(frozen=True, slots=True)
class Voice:
    """The clips of one speaker: embeddings [n, d], emotion vectors [n, e], norms [n, 3]."""

    clips: list[Clip]
    embeddings: np.ndarray
    vectors: np.ndarray
    norms: np.ndarray


@dataclass(frozen=True, slots=True)
class Encoded:
    """One encoding, as the model takes it."""

    embedding: np.ndarray
    emotion: np.ndarray


def read_voices(row: EncoderRow, speech: Path, cache: Path) -> dict[tuple[str, str], Voice]:
    """Of each speaker at most `MOST_CLIPS` clips whose emotion has a norm, by a fixed seed."""
    clips, embeddings, vectors = embedded(row, speech, cache)
    wanted = {*DEVICES, LEFT_OUT, *ELSEWHERE}
    rng = np.random.default_rng(0)
    places: dict[tuple[str, str], list[int]] = {}
    for place, clip in enumerate(clips):
        if clip.corpus in wanted and clip.speaker and norm_of(clip.emotion) is not None:
            places.setdefault((clip.corpus, clip.speaker), []).append(place)
    found = {}
    for key, own in sorted(places.items()):
        at = np.array(own)[np.sort(rng.permutation(len(own))[:MOST_CLIPS])]
        chosen = [clips[i] for i in at]
        norms = np.array([norm_of(clip.emotion) for clip in chosen], np.float64)
        found[key] = Voice(chosen, embeddings[at].astype(float), vectors[at].astype(float), norms)
    return found


def prior_without(voices: dict[tuple[str, str], Voice]) -> Prior:
    """Fitted, as the shipped one, to the corpora that are neither devices' nor tested."""
    chosen = [voice for (corpus, _), voice in voices.items() if corpus in ELSEWHERE]
    clips = [clip for voice in chosen for clip in voice.clips]
    embeddings = np.concatenate([voice.embeddings for voice in chosen])
    vectors = np.concatenate([voice.vectors for voice in chosen])
    return fit_voices(embeddings, vectors, clips)[0]


def device_data(voice: Voice, rng: np.random.Generator) -> VoiceData:
    """A device has heard all of its voice, and was told of 5 to 40 clips."""
    count = int(rng.integers(FEWEST, MOST + 1))
    told = rng.permutation(len(voice.clips))[:count]
    affect = np.full_like(voice.norms, np.nan)
    affect[told] = voice.norms[told]
    emotions = [clip.emotion if k in set(told.tolist()) else None
                for k, clip in enumerate(voice.clips)]  # fmt: skip
    return VoiceData(voice.embeddings, voice.vectors, affect, emotions, {})


def liar(one: VoiceStatistics) -> VoiceStatistics:
    factor = 1e9
    return replace(
        one, labels=factor * one.labels, inputs=factor * one.inputs,
        targets=-factor * 5.0 * one.targets, squares=factor * 25.0 * one.squares,
        prototype_sums=-factor * one.prototype_sums,
        prototype_counts=factor * one.prototype_counts,
    )  # fmt: skip


def learned(
    prior: Prior, voice: Voice, order: np.ndarray
) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Predictions and norms [n, 2] of the other clips, by number of labels."""
    model = OnlineModel(prior)
    encoded = [
        Encoded(e.astype(np.float32), v.astype(np.float32))
        for e, v in zip(voice.embeddings, voice.vectors, strict=True)
    ]
    for index in order[:HEARD]:
        model.adapt(encoded[index])
    rest = order[HEARD : HEARD + TESTED]
    found = {}
    for count in range(HEARD + 1):
        if count in LABELS:
            said = [model.predict(encoded[index]) for index in rest]
            means = np.array([(p.valence.mean, p.arousal.mean) for p in said])
            found[count] = means, voice.norms[rest, :2]
        if count < HEARD:
            valence, arousal, dominance = voice.norms[order[count]]
            model.learn(
                encoded[order[count]], valence=valence, arousal=arousal, dominance=dominance
            )
    return found


def measure(
    prior: Prior, voices: Sequence[Voice], rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """RMSE and CCC by number of labels."""
    pooled: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {count: [] for count in LABELS}
    for voice in voices:
        for count, pair in learned(prior, voice, rng.permutation(len(voice.clips))).items():
            pooled[count].append(pair)
    rows = {}
    for count, pairs in pooled.items():
        said, truth = (np.concatenate(part) for part in zip(*pairs, strict=True))
        rows[str(count)] = {
            "rmse": float(np.mean([rmse(said[:, k], truth[:, k]) for k in range(2)])),
            "ccc": float(np.mean([ccc(said[:, k], truth[:, k]) for k in range(2)])),
        }
    return rows


def run_seed(
    voices: dict[tuple[str, str], Voice], priors: dict[str, Prior], seed: int
) -> dict[str, Any]:
    rng = np.random.default_rng((seed, 0))
    devices: list[Voice] = []
    others: list[Voice] = []
    for corpus, count in DEVICES.items():
        own = [voice for (name, _), voice in voices.items() if name == corpus]
        order = rng.permutation(len(own))
        devices += [own[i] for i in order[:count]]
        others += [own[i] for i in order[count:] if len(own[i].clips) >= HEARD + 10]
    left_out = [voice for (name, _), voice in voices.items() if name == LEFT_OUT]
    told = [device_data(voice, rng) for voice in devices]
    rows: dict[str, Any] = {}
    for start, prior in priors.items():
        sums = [VoiceStatistics.of(data, prior) for data in told]
        made = {
            "no fleet": prior,
            "fleet": estimate(sums, prior),
            "fleet, one lies": estimate([*sums[:-1], liar(sums[-1])], prior),
        }
        for epsilon in (10.0, 1.0):
            noisy = [private_statistics(data, prior, epsilon) for data in told]
            made[f"fleet, epsilon {epsilon:g}"] = estimate(noisy, prior)
        for name, one in made.items():
            new = one if isinstance(one, Prior) else one.prior
            kept = None if isinstance(one, Prior) else sum(one.kept)
            row: dict[str, Any] = {"devices_used": kept}
            for where, tested in (("speakers", others), ("corpus", left_out)):
                row[where] = measure(new, tested, np.random.default_rng((seed, 1)))
            rows[f"{start}: {name}"] = row
            print(json.dumps({"seed": seed, "prior": f"{start}: {name}"} | row), flush=True)
    rows["labels"] = sum(int(np.isfinite(data.affect[:, 0]).sum()) for data in told)
    rows["tested"] = {"speakers": len(others), "corpus": len(left_out)}
    return rows


def table(seeds: Sequence[dict[str, Any]]) -> str:
    """The means over seeds as a Markdown table."""
    lines = ["| prior | tested on | " + " | ".join(f"{n} labels" for n in LABELS) + " |",
             "|---" * (2 + len(LABELS)) + "|"]  # fmt: skip
    for name in (key for key in seeds[0] if ":" in key):
        for where in ("speakers", "corpus"):
            cells = []
            for count in LABELS:
                found = [seed[name][where][str(count)] for seed in seeds]
                pair = (float(np.mean([one[m] for one in found])) for m in ("rmse", "ccc"))
                cells.append(" / ".join(f"{value:.3f}" for value in pair))
            lines.append(f"| {name} | {where} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("speech", type=Path)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=RESULTS / "fleet.json")
    options = parser.parse_args()
    row = find_encoder()
    voices = read_voices(row, options.speech, options.cache)
    priors = {"shipped": load_prior(row), "without these corpora": prior_without(voices)}
    rows = [run_seed(voices, priors, seed) for seed in range(options.seeds)]
    kept = {"machine": machine(), "encoder": row.name, "seeds": rows}
    options.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(table(rows))


if __name__ == "__main__":
    main()

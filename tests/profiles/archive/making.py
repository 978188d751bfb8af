"""Profiles to carry about, exported folders to spoil, and whether two profiles are the same."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from streamer.annotation.labels import give, take_back
from streamer.audio.clips import to_flac
from streamer.loop.profile_model import ProfileModel
from streamer.profiles.archive.writing import export_profile
from streamer.store.marks import OF_THE_PLACE
from streamer.store.profile import Profile
from tests.support import bound_profile, label_of, store_utterance

SETTINGS = {"buffer": 10}


def lived_in(folder: Path) -> Profile:
    """A profile with a past: labels, undone and replaced, asides, questions, sound, a forgotten."""
    rng = np.random.default_rng(11)
    profile = bound_profile(folder)
    numbers = []
    for _ in range(12):
        embedding = rng.normal(size=6).astype(np.float32)
        numbers.append(store_utterance(profile, embedding, rng.normal(size=4).astype(np.float32)))
    _hear_all(profile)
    clip = to_flac(rng.uniform(-0.5, 0.5, 8_000).astype(np.float32))
    asked = [(number, 0.1 * number, clip) for number in numbers[:6]]
    profile.utterances.select("random", "too few labels", asked, numbers[6:], 120.0, [2], 0.1)
    give(profile, [label_of(1, valence=0.3, arousal=-0.1, emotion="joy")])
    give(profile, [label_of(2, valence=1.0), label_of(1, "you", arousal=4.5)], scale=(1.0, 5.0))
    give(profile, [label_of(1, valence=0.7, arousal=0.2, emotion="joy")])
    give(profile, [label_of(3, valence=-0.4, arousal=0.25)])
    take_back(profile, 1)
    profile.annotation_events.add("skip", label_of(4), 130.0)
    profile.annotation_events.add("repeat", label_of(1, valence=0.6, arousal=0.1), 131.0)
    profile.emotions.enroll("anger", np.full(4, 0.5, np.float32), "a.wav", None, 140.0)
    profile.emotions.enroll("anger", np.full(4, 0.25, np.float32), "made.wav", 5, 141.0)
    profile.utterances.delete(store_utterance(profile))  # its number is used, and is not used again
    return profile


def _hear_all(profile: Profile) -> None:
    profile_model = ProfileModel(profile)
    for number in profile.utterances.numbers():
        stored = profile.utterances.get(number)
        profile_model.adapt(stored)


def exported(tmp_path: Path) -> Path:
    """The folder that such a profile was exported to."""
    profile = lived_in(tmp_path / "lived in")
    export_profile(profile, tmp_path / "exported", SETTINGS)
    profile.close()
    return tmp_path / "exported"


def rewrite(folder: Path, name: str, content: bytes) -> None:
    """Change a file, and its hash too, as somebody who means harm would."""
    (folder / name).write_bytes(content)
    sums = folder / "SHA256SUMS"
    digest = hashlib.sha256(content).hexdigest()
    others = [line for line in sums.read_text().splitlines() if not line.endswith(f"  {name}")]
    sums.write_text("\n".join([*others, f"{digest}  {name}"]) + "\n")


def edit_row(folder: Path, table: str, line: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Change one row of a table, from 0."""
    lines = (folder / f"{table}.jsonl").read_bytes().splitlines()
    row = json.loads(lines[line])
    change(row)
    lines[line] = json.dumps(row).encode()
    rewrite(folder, f"{table}.jsonl", b"\n".join(lines) + b"\n")


def everything(profile: Profile) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, and the numbers used, as plain values."""
    rows = profile.database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
    tables = [row["name"] for row in rows]
    kept = {t: [tuple(row) for row in profile.database.rows(f"SELECT * FROM {t}")] for t in tables}
    kept["meta"] = [row for row in kept["meta"] if row[0] not in OF_THE_PLACE]
    return {name: sorted(rows, key=repr) for name, rows in kept.items()}

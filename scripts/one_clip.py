"""One clip of 2 s through the whole loop, so that two machines can be compared.

    python scripts/one_clip.py make CLIP.wav
    python scripts/one_clip.py hear CLIP.wav HEARD.json
    python scripts/one_clip.py compare HEARD.json OTHER.json RESULT.json

`hear` runs `streamer run` as a user does and keeps the embedding that the loop stored. `compare`
exits with 1 where two embeddings differ by more than 1e-3.
"""

import json
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

TOLERANCE: Final = 1e-3
SECONDS: Final = 2.0
PACKAGES: Final = ("streamer", "numpy", "onnxruntime", "river", "soxr")


def make(clip: Path) -> None:
    """Write 2 s: speech with a little quiet before and after."""
    import numpy as np
    import soundfile

    from streamer.testing import synthetic_speech
    from streamer.types import SAMPLE_RATE_HZ

    quiet = np.zeros(SAMPLE_RATE_HZ // 4, np.float32)
    speech = synthetic_speech(np.random.default_rng(0), "happy", SECONDS - 0.5)
    sound = np.concatenate([quiet, speech, quiet])[: round(SECONDS * SAMPLE_RATE_HZ)]
    soundfile.write(clip, sound, SAMPLE_RATE_HZ, "PCM_16")


def hear(clip: Path, out: Path) -> None:
    from streamer.store.profile import Profile

    with tempfile.TemporaryDirectory() as folder:
        words = ["run", "--json", "--input", str(clip), "--profile", f"{folder}/profile"]
        begun_s = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "streamer", *words], stdout=subprocess.PIPE, check=True
        )
        wall_s = time.perf_counter() - begun_s
        events = [json.loads(line) for line in done.stdout.splitlines()]
        (heard,) = [event for event in events if event["event"] == "utterance"]
        profile = Profile(Path(folder) / "profile")
        stored = profile.utterances.get(heard["id"])
        profile.close()
    row = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in PACKAGES},
        "process_s": wall_s,
        "utterance": heard,
        "end": events[-1],
        "embedding": stored.embedding.astype(float).tolist(),
        "emotion": stored.emotion.astype(float).tolist(),
    }
    out.write_text(json.dumps(row))


def compare(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """How far apart they are: largest differences, absolute."""
    ends = [(row["utterance"]["onset_s"], row["utterance"]["offset_s"]) for row in (one, other)]
    differences = {
        name: max(abs(a - b) for a, b in zip(one[name], other[name], strict=True))
        for name in ("embedding", "emotion")
    }
    return {
        "machines": [
            {name: row[name] for name in ("machine", "python", "packages", "process_s")}
            for row in (one, other)
        ],
        "utterance_s": ends[0],
        "same_cut": ends[0] == ends[1],
        "same_accounting": all(
            one["end"][name] == other["end"][name]
            for name in ("captured_samples", "speech_samples", "silence_samples")
        ),
        "largest_embedding_value": max(map(abs, one["embedding"])),
        "largest_difference": differences,
        "valence_difference": abs(
            one["utterance"]["valence"]["mean"] - other["utterance"]["valence"]["mean"]
        ),
        "tolerance": TOLERANCE,
        "equal": max(differences.values()) <= TOLERANCE,
    }


def main(words: list[str]) -> None:
    verb, *paths = words
    files = [Path(path) for path in paths]
    if verb == "make":
        make(*files)
    elif verb == "hear":
        hear(*files)
    else:
        one, other = (json.loads(file.read_text()) for file in files[:2])
        result = compare(one, other)
        files[2].write_text(json.dumps(result, indent=2) + "\n")
        print(json.dumps(result, indent=2))
        sys.exit(not result["equal"])


if __name__ == "__main__":
    main(sys.argv[1:])

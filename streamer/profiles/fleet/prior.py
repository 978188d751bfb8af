"""`streamer fleet prior`: exports of devices to the prior of the next device."""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from streamer.encoders.prior_file import write_prior
from streamer.encoders.registry import BUILT_IN, EncoderRow, load_prior
from streamer.errors import ProfileError, UsageError
from streamer.learners.fleet.estimation import FleetEstimate, estimate
from streamer.learners.fleet.statistics import VoiceStatistics
from streamer.learners.prior import Prior
from streamer.profiles.fleet.statistics_file import Origin, read_statistics
from streamer.profiles.fleet.voice_data import data_of_export
from streamer.system import make_private_folder
from streamer.text import path_text
from streamer.types import DIMENSIONS

REPORT_NAME: Final = "fleet.json"


def read_device(path: Path, row: EncoderRow, prior: Prior) -> VoiceStatistics:
    """The statistics of a device: a folder of `streamer export`, or a file of its --statistics.

    Raises ProfileError and its kinds.
    """
    if path.is_dir():
        return VoiceStatistics.of(data_of_export(path, row.name, row.sha256, prior), prior)
    return read_statistics(path, Origin.of(row.name, row.sha256, prior), prior)


def make_fleet_prior(
    paths: Sequence[Path],
    row: EncoderRow,
    out: Path,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Path, FleetEstimate]:
    """Write the prior of an encoder, and a report of how it came about, to a folder.

    Parameters
    ----------
    paths
        See `read_device`; each is one voice.
    row
        The encoder; the old prior is the one that it has here.
    progress
        Called with the devices that were read, and all of them.

    Returns
    -------
    path of the prior, FleetEstimate

    Raises
    ------
    UsageError
        The same path twice, or an encoder that is built in and has no file for a prior.
    OtherEncoder, ProfileDamaged
        Naming the export.
    """
    if row == BUILT_IN:
        raise UsageError(
            f"the encoder {row.name!r} is built in, with its prior: name one of `streamer models "
            "list` that has a file"
        )
    places = [path.resolve() for path in paths]
    twice = next((p for k, p in enumerate(paths) if places[k] in places[:k]), None)
    if twice is not None:
        raise UsageError(f"{twice} is named twice: a device counts once")
    prior = load_prior(row)
    voices = []
    for done, path in enumerate(paths):
        progress(done, len(paths))
        voices.append(read_device(path, row, prior))
    found = estimate(voices, prior)
    progress(len(paths), len(paths))
    target = out / f"{row.name}.prior.npz"
    try:
        make_private_folder(out)
        digest = write_prior(target, found.prior, row.sha256)
        report = _report(paths, voices, found, row, digest)
        text = json.dumps(report, indent=1, allow_nan=False) + "\n"
        (out / REPORT_NAME).write_text(text, encoding="utf-8")
    except OSError as error:
        raise ProfileError(
            f"cannot write into {out}: {error.strerror}: give another folder with --out"
        ) from error
    return target, found


def _report(
    paths: Sequence[Path],
    voices: Sequence[VoiceStatistics],
    found: FleetEstimate,
    row: EncoderRow,
    sha256: str,
) -> dict[str, Any]:
    return {
        "encoder": row.name,
        "encoder_sha256": row.sha256,
        "prior_sha256": sha256,
        "devices": [
            {
                "export": path_text(path),
                "utterances": float(voice.utterances[0]),
                "labels": dict(zip(DIMENSIONS, voice.labels.tolist(), strict=True)),
                "used": used,
            }
            for path, voice, used in zip(paths, voices, found.kept, strict=True)
        ],
        "dimensions": {
            name: {
                "strength": _finite(found.strengths[k]),
                "rmse_left_out": _finite(found.errors[k]),
                "rmse_left_out_before": _finite(found.errors_before[k]),
            }
            for k, name in enumerate(DIMENSIONS)
        },
        "emotions": found.prior.prototype_names.tolist(),
    }


def _finite(value: float) -> float | None:
    return round(float(value), 6) if math.isfinite(value) else None

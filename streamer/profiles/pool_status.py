"""A pool and what was learned of it: the row of `streamer pool status`."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from streamer.annotation.pool.asked import asked_rows
from streamer.learners.metrics import RunningAgreement
from streamer.loop.pool.pool import Pool
from streamer.loop.profile_model import lesson_of, untaught_model
from streamer.store.profile import Profile
from streamer.text import path_text
from streamer.types import DIMENSIONS

# After how many labels the curves have a point: at 5, 10, 20, 40...
FIRST_POINT: Final = 5


def pool_row(pool: Pool, profile: Profile) -> dict[str, Any]:
    """Counts of the pool and its questions, and the accuracy of the predictions over the labels.

    dimensions: by name the labels of this pool, and a curve: CCC and RMSE of the first 5, 10, 20...
    and all of them, each predicted before it was learned (prequential). They are of what was asked,
    which a strategy prefers for being hard: `streamer status` estimates those over all utterances.
    """
    recordings = list(pool.recordings())
    rows = asked_rows(profile, pool.about.id)
    open_now = profile.queries.open_numbers() & rows.keys()
    answered = {
        entry.label.utterance
        for entry in profile.labels.effective()
        if entry.label.utterance in rows
    }
    utterances = sum(one["rows"] for one in recordings)
    return {
        "pool": path_text(pool.folder),
        "encoder": pool.about.encoder,
        "precision": pool.about.precision,
        "recordings": len(recordings),
        "incomplete": sum(one["problem"] is not None for one in recordings),
        "utterances": utterances,
        "speech_s": float(sum(one["speech_s"] for one in recordings)),
        "disk_bytes": pool.size_bytes(),
        "asked": len(rows),
        "open": len(open_now),
        "answered": len(answered),
        "dimensions": {} if profile.is_empty() else _curves(profile, rows),
    }


def _curves(profile: Profile, rows: Mapping[int, int]) -> dict[str, Any]:
    """Repeats what the model does with the log; nothing is written."""
    model = untaught_model(profile)
    running = {name: RunningAgreement() for name in DIMENSIONS}
    curves: dict[str, list[dict[str, Any]]] = {name: [] for name in DIMENSIONS}
    counts = dict.fromkeys(DIMENSIONS, 0)
    for entry in profile.labels.effective():
        if entry.features is None:
            continue
        if entry.first and entry.label.utterance in rows:
            predicted = model.learner.predict(entry.features)
            for name in DIMENSIONS:
                truth = getattr(entry.label, name)
                if truth is not None:
                    running[name].observe(getattr(predicted, name).mean, truth)
                    counts[name] += 1
                    if _is_point(counts[name]):
                        curves[name].append(_point(counts[name], running[name]))
        model.learn_lesson(lesson_of(entry, entry.features))
    for name in DIMENSIONS:
        if counts[name] and not _is_point(counts[name]):
            curves[name].append(_point(counts[name], running[name]))
    return {
        name: {"labels": counts[name], "curve": curves[name]} for name in DIMENSIONS if counts[name]
    }


def _is_point(count: int) -> bool:
    times, rest = divmod(count, FIRST_POINT)
    return rest == 0 and np.log2(times).is_integer()


def _point(count: int, agreement: RunningAgreement) -> dict[str, Any]:
    return {"labels": count, "ccc": agreement.ccc, "rmse": agreement.rmse}

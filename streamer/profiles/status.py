"""The contents and the accuracy of a profile: the rows of `queue`, `emotions` and `status`."""

import math
from dataclasses import asdict
from typing import Any

from streamer.loop.online_model import OnlineModel
from streamer.loop.profile_model import ProfileModel, learner_of
from streamer.profiles.overview import folder_bytes
from streamer.profiles.unbiased_status import FairTest, fair_tests
from streamer.query.exploration import FEWEST
from streamer.store.profile import Profile
from streamer.text import path_text
from streamer.types import DIMENSIONS


def queue_rows(profile: Profile, *, blind: bool = True) -> list[dict[str, Any]]:
    """Open queries, most informative first; blind: without what is predicted of them."""
    shown = () if blind else DIMENSIONS
    return [
        {
            "utterance": query.utterance.id,
            "source": query.utterance.source,
            "onset_s": query.utterance.onset_s,
            "offset_s": query.utterance.offset_s,
            "score": query.score,
            "asked_at": query.asked_at,
            "has_clip": query.has_clip,
            **{
                name: {"mean": estimate.mean, "low": estimate.low, "high": estimate.high}
                for name in shown
                for estimate in [getattr(query.utterance.prediction, name)]
            },
        }
        for query in profile.queries.open()
    ]


def emotion_rows(profile: Profile) -> list[dict[str, Any]]:
    """Enrolled emotions, with the number of examples, threshold and equal error rate of each.

    eer is measured among the enrolled; open_set_false_accepts: how often the emotion would be
    called by another enrolled name, were it not enrolled itself. None for a single emotion.
    """
    if profile.is_empty():
        return []
    model = ProfileModel(profile).model
    accepts = model.open_set_false_accepts()
    return [
        {
            "emotion": name,
            "count": prototype.count,
            "threshold": prototype.threshold,
            "eer": prototype.eer,
            "open_set_false_accepts": accepts.get(name),
        }
        for name, prototype in model.enrolled.items()
    ]


def status_row(profile: Profile) -> dict[str, Any]:
    """Counts, the prequential accuracy of the predictions, and disk usage.

    ccc and coverage are prequential: each label was predicted before it was learned. They are
    computed on the queried utterances, which are the uncertain ones. fair: estimates for all
    utterances from the randomly drawn questions (see `query.exploration`); None until there are
    enough. mapped: utterances whose vectors were mapped from another encoder's, for want of audio.
    drift: changes found, oldest first. annotators: by name, the weight of their labels,
    their agreement with the others and their mean distance from them (`learners.raters`). source:
    the labelled source that `run` starts from, how often it predicted an answered emotion, and
    whether it is still used; None without one.
    """
    counts = profile.utterances.counts()
    dimensions: dict[str, Any] = {}
    drift: list[dict[str, Any]] = []
    annotators: dict[str, Any] = {}
    labels = 0
    source: dict[str, Any] | None = None
    if not profile.is_empty():
        profile_model = ProfileModel(profile)
        profile_model.follow()
        model = profile_model.model
        labels = model.labels
        source = _source_row(profile, model)
        drift = [{**asdict(one), "text": str(one)} for one in profile_model.drifts()]
        annotators = {name: asdict(one) for name, one in model.raters.raters().items()}
        fair = fair_tests(profile)
        for name, learner in model.learner.dimensions.items():
            dimensions[name] = {
                "labels": learner.regression.count,
                "ccc": learner.agreement.ccc,
                "rmse": learner.agreement.rmse,
                "coverage": learner.interval.coverage,
                "fair": _fair_row(fair[name]),
            }
    return {
        "profile": path_text(profile.folder.name),
        "encoder": profile.meta("encoder"),
        "learner": learner_of(profile),
        "listening": profile.holder(),
        "utterances": counts,
        "mapped": profile.utterances.mapped(),
        "open_queries": profile.utterances.open_query_count(),
        "not_asked": profile.not_asked(),
        "waiting_to_be_asked": profile.waiting_to_be_asked(),
        "labels": {"given": profile.labels.count(), "learned": labels},
        "annotators": annotators,
        "drift": drift,
        "source": source,
        "dimensions": dimensions,
        "emotions": len(profile.emotions.enrolled()),
        "disk_bytes": folder_bytes(profile.folder),
    }


def _source_row(profile: Profile, model: OnlineModel) -> dict[str, Any] | None:
    name, record = profile.sources.active_name(), model.source_record()
    if name is None:
        return None
    if record is None:
        return {"name": name, "named": 0, "right": 0, "majority": 0, "trusted": False}
    return {"name": name, **asdict(record), "trusted": record.trusted}


def _fair_row(test: FairTest) -> dict[str, Any]:
    saved: dict[str, Any] | None = None
    if test.saved is not None and test.saved.tells:
        # JSON has no infinity: where the learner may never have got there, there is no bound.
        saved = {k: v if math.isfinite(v) else None for k, v in asdict(test.saved).items()}
    return {
        "answers": test.answers,
        "needed_answers": FEWEST,
        "ccc": None if test.agreement is None else asdict(test.agreement),
        "saved": saved,
    }

"""What there is to say about a prediction: how the utterance sounds, and which answers are near."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from streamer.annotation.session import AnnotationSession
from streamer.learners.explanation import Difference, differences, in_words, is_known
from streamer.store.profile import Profile
from streamer.types import Label

NEAREST: Final = 3
# Of so many answers, the newest, the nearest are looked for.
_MOST_LABELS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A labelled utterance. similarity: cosine of the features, in [-1, 1]."""

    label: Label
    similarity: float
    has_audio: bool


@dataclass(frozen=True, slots=True)
class Sounding:
    """How an utterance differs from the profile's usual. text: in words, "" where not known."""

    text: str
    numbers: tuple[str, ...] = ()


def sounding(profile: Profile, values: Mapping[str, float | None] | None) -> Sounding:
    """values: of `Acoustics.of`; None for an utterance that was not measured.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> sounding(Profile(Path(mkdtemp())), {"level_dbfs": -20.0})
    Sounding(text='', numbers=())
    """
    usual = profile.acoustics.usual()
    if values is None or not is_known(usual):
        return Sounding("")
    found: list[Difference] = differences(values, usual)
    return Sounding(in_words(found), tuple(map(str, found)))


def soundings(profile: Profile, utterances: set[int]) -> dict[int, Sounding]:
    """Of those that were measured."""
    usual = profile.acoustics.usual()
    if not is_known(usual):
        return {}
    kept = profile.acoustics.all().items()
    found = {number: differences(values, usual) for number, values in kept if number in utterances}
    return {number: Sounding(in_words(of), tuple(map(str, of))) for number, of in found.items()}


def nearest(annotation: AnnotationSession, utterance: int) -> list[Neighbour]:
    """The labelled utterances that are most like this one to the learner, the nearest first.

    By the cosine of the standard scores that it reads. Raises NotFound.
    """
    stored = annotation.profile.utterances.get(utterance)
    entries = [
        entry
        for entry in annotation.profile.labels.page(_MOST_LABELS)
        if entry.features is not None and entry.label.utterance != utterance
    ]
    if not entries:
        return []
    with annotation.profile_model() as profile_model:
        here = profile_model.model.features(stored.embedding)
    there = np.stack([entry.features for entry in entries if entry.features is not None])
    lengths = np.linalg.norm(there, axis=1) * np.linalg.norm(here)
    similarities = there @ here / np.maximum(lengths, 1e-12)
    found: list[Neighbour] = []
    for at in np.argsort(-similarities, kind="stable"):
        label = entries[at].label
        if all(label.utterance != one.label.utterance for one in found):
            audio = annotation.has_audio(label.utterance)
            found.append(Neighbour(label, float(similarities[at]), audio))
        if len(found) == NEAREST:
            break
    return found

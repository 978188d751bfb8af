"""Labels: store, learn, undo."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from streamer.errors import DiskFull, ProfileError, UsageError
from streamer.loop.profile_model import ProfileModel
from streamer.store.labels import UNIT
from streamer.store.profile import PATIENCE_S, Profile
from streamer.text import annotator_name, emotion_name, many
from streamer.types import Label


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of labels that are stored: the result as text, and what kept them from being
    learned; the next process that opens the profile to learn does it.
    """

    text: str
    problem: str | None = None

    def __str__(self) -> str:
        return self.text


def give(
    profile: Profile,
    labels: Sequence[Label],
    scale: tuple[float, float] = UNIT,
    profile_model: ProfileModel | None = None,
) -> Outcome:
    """Store labels, all or none, then learn them.

    Parameters
    ----------
    scale
        Low and high of the values given.
    profile_model
        See `learn`.

    Returns
    -------
    Outcome
        Once they are stored there is one, whatever keeps them from being learned.

    Raises
    ------
    UsageError, NotFound, ProfileError
        Nothing is stored: for values outside the scale, utterances that are not in the profile, a
        disk without any room.
    """
    before = profile.labels.count()
    now = time.time()
    if profile_model is None or not profile_model.profile.is_taken_over:
        profile.labels.add(labels, now, scale)
    else:
        try:
            profile_model.give(labels, now, scale)
        except DiskFull:  # what is learned needs more room than what is stored
            profile.labels.add(labels, now, scale)
    # Only the last answer of each annotator on an utterance counts.
    replaced = len(labels) - (profile.labels.count() - before)
    in_place = f", {replaced} in place of an earlier one" if replaced else ""
    learned = _learned(profile, profile_model)
    return Outcome(f"{many(len(labels), 'label')} stored{in_place}; {learned}", learned.problem)


def take_back(profile: Profile, count: int, annotator: str | None = None) -> str:
    """Retract the last effective labels, of one annotator or of all; the result as text.

    Raises UsageError for a count below 1, ProfileError.
    """
    if count < 1:
        raise UsageError(f"cannot undo {count} labels: give 1 or more")
    whose = None if annotator is None else annotator_name(annotator)
    undone = profile.labels.undo(count, time.time(), whose)
    if not undone:
        return "there is no label to take back"
    numbers = ", ".join(f"#{e.label.utterance} by {e.label.annotator}" for e in undone)
    fewer = ", there were no more" * (len(undone) < count)
    return f"{many(len(undone), 'label')} taken back ({numbers}){fewer}; {_learned(profile)}"


def withdraw(profile: Profile, seq: int, profile_model: ProfileModel | None = None) -> str:
    """Retract one row of the label log; the result as text. Raises NotFound, ProfileError.

    profile_model: see `learn`.
    """
    entry = profile.labels.retract(seq, time.time())
    return f"the label of #{entry.label.utterance} taken back; {_learned(profile, profile_model)}"


def learn(profile: Profile, profile_model: ProfileModel | None = None) -> ProfileModel | None:
    """Learn the new rows of the label log, unless another process has taken the profile over.

    Parameters
    ----------
    profile_model
        The model of the loop of this process, which then learns it at once; or one that was read
        from the store.

    Returns
    -------
    ProfileModel or None
        The model that has learned; None where the listening process will learn.
    """
    if profile_model is not None and profile_model.profile.is_taken_over:
        profile_model.catch_up()
        return profile_model
    # Others than a listening process hold a profile for a moment only.
    if not profile.take_over("streamer label") and (
        profile.has_listener() or not profile.take_over("streamer label", PATIENCE_S)
    ):
        return None
    try:
        profile_model = profile_model or ProfileModel(profile)
        profile_model.catch_up()
        profile_model.save()
    finally:
        profile.let_go()
    return profile_model


def _learned(profile: Profile, profile_model: ProfileModel | None = None) -> Outcome:
    """The labels are stored, so nothing is raised: who gave them would give them again."""
    try:
        by = learn(profile, profile_model)
    except (UsageError, ProfileError) as error:
        problem = f"not learned yet: {error}"
        return Outcome(problem, problem)
    if by is None:
        return Outcome("the listening session learns it")
    return Outcome(f"learned, {many(by.model.labels, 'label')} in all")


def one(
    utterance: int,
    valence: float | None,
    arousal: float | None,
    dominance: float | None,
    emotion: str | None,
    annotator: str,
    alone: str | None = None,
) -> Label:
    """A label as typed: valence with arousal, dominance optional; an emotion; or all of them.

    alone: the dimension that may be answered by itself, where only one is asked (`--dimension`).

    Raises UsageError: a later answer replaces an earlier one whole, so half of one is no answer.
    """
    given = {"valence": valence, "arousal": arousal, "dominance": dominance}
    is_alone = [name for name, value in given.items() if value is not None] == [alone]
    dominance_alone = valence is None and dominance is not None
    if not is_alone and ((valence is None) != (arousal is None) or dominance_alone):
        raise UsageError(
            f"utterance {utterance}: give valence and arousal together, and dominance only "
            "with both; or an emotion alone"
        )
    name = None if emotion is None else emotion_name(emotion)
    return Label(utterance, valence, arousal, dominance, name, annotator)

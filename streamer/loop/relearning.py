"""Relearning of profiles from earlier versions, with a notice."""

from collections.abc import Callable

from streamer.config import Config
from streamer.encoders.registry import BUILT_IN, known_encoders, load_prior
from streamer.errors import EncoderError
from streamer.learners.prior import Prior
from streamer.loop.profile_model import learn_anew
from streamer.store.profile import Profile
from streamer.text import many


def learn_anew_where_due(config: Config, profile: Profile, tell: Callable[[str], None]) -> None:
    """Recompute the state of such a profile with its encoder's current prior, if installed.

    Where another process has the profile, that one does it, or the next one to open it.
    Raises ProfileError.
    """
    if not profile.is_to_learn_anew() or not profile.take_over("learning anew"):
        return
    try:
        labels = profile.labels.count()
        tell(
            "this profile was made by an earlier version: relearning from "
            f"{many(labels, 'label')} and {many(profile.utterances.count(), 'utterance')}"
        )
        with profile.database.transaction():
            profile.forget_states()
            prior = _prior(config, profile)
            if prior is not None:
                profile.save_state("prior", prior.to_arrays())
            learn_anew(profile)
    finally:
        profile.let_go()


def _prior(config: Config, profile: Profile) -> Prior | None:
    """The prior of the profile's encoder, or None where it is not installed."""
    sha256 = profile.meta("encoder_sha256")
    try:
        row = next((r for r in known_encoders(config.models) if r.sha256 == sha256), None)
        return None if row is None or row == BUILT_IN else load_prior(row)
    except EncoderError:
        return None  # whoever wants to hear something is told why

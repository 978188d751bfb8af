"""Relearning, with a notice, of profiles of earlier versions, and of those in part forgotten.

After something was forgotten there may have been no room on the disk to relearn the rest.
"""

from collections.abc import Callable

from streamer.config import Config
from streamer.encoders.registry import BUILT_IN, known_encoders, load_prior
from streamer.errors import EncoderError
from streamer.learners.prior import Prior
from streamer.loop.profile_model import learn_anew
from streamer.store.profile import FORGOTTEN, LEARN_ANEW, Profile
from streamer.text import many


def learn_anew_where_due(config: Config, profile: Profile, tell: Callable[[str], None]) -> None:
    """Recompute the state of such a profile with its encoder's current prior, if installed.

    Where another process has the profile, that one does it, or the next one to open it.
    Raises ProfileError.
    """
    if not profile.is_to_learn_anew() or not profile.take_over("learning anew"):
        return
    try:
        forgotten = profile.meta(LEARN_ANEW) == FORGOTTEN
        why = "a part was forgotten" if forgotten else "this profile was made by an earlier version"
        tell(
            f"{why}: relearning from {many(profile.labels.count(), 'label')} "
            f"and {many(profile.utterances.count(), 'utterance')}"
        )
        with profile.database.transaction():
            profile.forget_states()
            prior = None if forgotten else _prior(config, profile)
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

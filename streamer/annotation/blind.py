"""Blind answers: which predictions are hidden, so that no answer follows a guess."""

from streamer.store.labelling_sign import LabellingSign
from streamer.store.profile import Profile


class Blind:
    """Of one profile, at this moment: whose predictions may be shown.

    Parameters
    ----------
    wanted
        The setting `blind`. False: everything may be shown. None: all but open questions, and but
        utterances that may become one (those in the buffer) while somebody labels. True: all but
        those, whoever labels.
    """

    def __init__(self, profile: Profile, wanted: bool | None) -> None:
        self.on = wanted is not False
        self._open = profile.queries.open_numbers() if self.on else frozenset()
        self._hides_buffered = self.on and (
            wanted is True or LabellingSign(profile.folder).is_fresh()
        )

    def hides(self, utterance: int, state: str) -> bool:
        """Whether a prediction is hidden. state: that of the utterance, as it is stored."""
        return utterance in self._open or (state == "buffered" and self._hides_buffered)

"""Builds a corpus from what a reader finds: clips and faults."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from streamer.errors import CorpusError
from streamer.evaluation.corpus import Corpus, CorpusClip, Fault
from streamer.evaluation.scales import Rating, Scale


class CorpusBuilder:
    """Collects clips and faults for a `Corpus`. Nothing is dropped silently."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self._clips: dict[str, CorpusClip] = {}
        self._faults: list[Fault] = []

    def __contains__(self, utterance: str) -> bool:
        return utterance in self._clips

    def add(self, clip: CorpusClip) -> None:
        """A second clip of the same name is a fault (some archives hold everything twice)."""
        if clip.utterance in self._clips:
            self.fault(self.place(clip), "a second clip of the same name")
        else:
            self._clips[clip.utterance] = clip

    def fault(self, what: str, problem: str) -> None:
        self._faults.append(Fault(what, problem))

    def faults(self, faults: Iterable[Fault]) -> None:
        self._faults.extend(faults)

    def place(self, clip: CorpusClip) -> str:
        """The location of a clip, for messages."""
        if clip.path is None:
            return clip.utterance
        return self.relative(clip.path)

    def relative(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def affect(self, scale: Scale, rating: Rating, what: str) -> Rating:
        """The rating in [-1, 1]; one outside its scale is clipped, and is a fault."""
        if not scale.holds(rating):
            self.fault(what, f"a rating off the scale {scale.name}, taken as its nearer end")
            rating = scale.clamp(rating)
        return scale.to_unit(rating)

    def knows(self, codes: Mapping[str, str | None], code: str, what: str) -> bool:
        """Whether the code is in the corpus's table; if not, that is a fault."""
        if code in codes:
            return True
        self.fault(what, f"an unknown emotion code {code!r}")
        return False

    def finish(self, layout: str) -> Corpus:
        """The corpus, in the order of adding. Raises CorpusError for one without clips."""
        if not self._clips:
            first = f" ({_told(self._faults[0])})" if self._faults else ""
            raise CorpusError(
                f"{self.folder} contains no clip of {self.name}{first}; "
                f"it should look like: {layout}"
            )
        return Corpus(self.name, self.folder, tuple(self._clips.values()), tuple(self._faults))


def _told(fault: Fault) -> str:
    return f"{fault.what}: {fault.problem}"

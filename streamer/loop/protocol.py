"""The protocol of a research session: phases with a prompt and a budget, read from a TOML file."""

import hashlib
import math
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from streamer.errors import UsageError
from streamer.text import LONGEST_NAME, marker_name, printable

ORIGIN: Final = "protocol"
# The last marker of a protocol, which no phase may be called.
END: Final = "end"
_LONGEST_S: Final = 86_400.0
_LONGEST_TEXT: Final = 500
_HEADER: Final = re.compile(r"\s*\[\[\s*phase\s*\]\]")

Name = Annotated[str, Field(min_length=1, max_length=64)]


class Phase(BaseModel):
    """A part of a session.

    Parameters
    ----------
    name
        Of its marker.
    prompt
        Shown when it begins; "" for none.
    seconds
        Of audio, after which it ends; None for no limit.
    until
        The name of a marker that ends it; None for none.
    questions
        How many questions may be asked about its utterances; None for as many as the settings
        allow.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: Name
    prompt: str = Field("", max_length=_LONGEST_TEXT)
    seconds: float | None = Field(None, gt=0, le=_LONGEST_S)
    until: Name | None = None
    questions: int | None = Field(None, ge=0, le=100_000)

    @field_validator("name", "until")
    @classmethod
    def _marker(cls, name: str | None) -> str | None:
        if name is None:
            return None
        try:
            return marker_name(name)
        except UsageError as error:
            raise ValueError(str(error)) from error


class Protocol(BaseModel):
    """A sequence of phases; after the last one, the run ends.

    Parameters
    ----------
    title
        For people.
    phase
        The phases, one after the other.

    Examples
    --------
    >>> Protocol.parse('[[phase]]\\nname = "talk"\\nseconds = 60\\n').phase[0].name
    'talk'
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    title: str = Field("", max_length=_LONGEST_TEXT)
    phase: tuple[Phase, ...] = Field(min_length=1, max_length=1000)
    sha256: str = Field("", exclude=True)

    @model_validator(mode="after")
    def _ends(self) -> Self:
        for count, phase in enumerate(self.phase, 1):
            if phase.name == END:
                raise ValueError(f"phase {count}: no phase may be called {END!r}: rename it")
            if phase.seconds is None and phase.until is None and count < len(self.phase):
                raise ValueError(
                    f"phase {count} ({phase.name}) never ends: give it seconds, or until"
                )
        return self

    @property
    def name(self) -> str:
        """Its title and the SHA-256 of its file, as far as they fit a marker."""
        digest = self.sha256[:12]
        return f"{self.title[: LONGEST_NAME - len(digest) - 1] or 'protocol'} {digest}".strip()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises UsageError with the line and the key."""
        try:
            return cls.parse(path.read_text("utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--protocol {path}: {error}: give a TOML file") from error

    @classmethod
    def parse(cls, text: str, place: str = "protocol") -> Self:
        """From the text of a file. Raises UsageError."""
        try:
            values = tomllib.loads(text)
            if "sha256" in values:
                raise UsageError(f"{place}, {_line(text, ('sha256',))}: unknown key sha256")
            if isinstance(values.get("phase"), list):
                values["phase"] = tuple(values["phase"])
            found = cls.model_validate(values)
        except tomllib.TOMLDecodeError as error:
            raise UsageError(f"{place}: {error}: correct the TOML file") from error
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(f"{place}, {_line(text, first['loc'])}: {_said(first)}") from error
        digest = hashlib.sha256(text.encode()).hexdigest()
        return found.model_copy(update={"sha256": digest})


class ProtocolRun:
    """A protocol that is being followed. Pure: positions and markers are passed in."""

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.number = 0
        self._since_s = 0.0

    @property
    def is_over(self) -> bool:
        """The last phase has ended."""
        return self.number > len(self.protocol.phase)

    @property
    def phase(self) -> Phase | None:
        """The phase that runs; None before the first one and after the last."""
        phases = self.protocol.phase
        return phases[self.number - 1] if 0 < self.number <= len(phases) else None

    @property
    def most_questions(self) -> float:
        """How many questions may be asked in the phase that runs; infinite for no limit."""
        if self.is_over:
            return 0.0
        phase = self.phase
        return math.inf if phase is None or phase.questions is None else phase.questions

    def change_s(self, heard_s: float, markers: Collection[str] = ()) -> float | None:
        """Where the next phase is to begin, if that is due; else None.

        Parameters
        ----------
        heard_s
            Seconds of audio of the whole run.
        markers
            Names of the markers that were given since the last phase began.
        """
        if self.is_over:
            return None
        phase = self.phase
        if phase is None:
            return 0.0
        until_s = self._since_s + (phase.seconds or math.inf)
        if heard_s >= until_s:
            return until_s
        return heard_s if phase.until in markers else None

    def begin_next(self, at_s: float) -> None:
        """Begin the next phase, at a position in seconds of audio."""
        self.number += 1
        self._since_s = at_s

    def announcement(self) -> str:
        """What the phase that runs asks people to do."""
        phase = self.phase
        if phase is None:
            return "the protocol is done"
        ends = [f"{phase.seconds:g} s"] if phase.seconds is not None else []
        ends += [f"until the marker {phase.until!r}"] if phase.until is not None else []
        limits = f", {' or '.join(ends)}" if ends else ""
        prompt = f": {phase.prompt}" if phase.prompt else ""
        count = len(self.protocol.phase)
        return printable(f"phase {self.number} of {count}, {phase.name}{limits}{prompt}")


def _said(found: Mapping[str, Any]) -> str:
    loc = [str(part) for part in found["loc"]]
    key = loc[-1] if loc else ""
    told = str(found["msg"]).removeprefix("Value error, ")
    if found["type"] == "extra_forbidden":
        known = Phase if len(loc) > 1 else Protocol
        names = ", ".join(name for name in known.model_fields if name != "sha256")
        return f"unknown key {key}: choose from {names}"
    if found["type"] == "missing":
        return f"{key} is missing: add it"
    value = "" if not key or key.isdigit() else f"{key} = {found['input']!r}: "
    return value + told[:1].lower() + told[1:]


def _line(text: str, loc: Sequence[str | int]) -> str:
    """Where a key is, as tomllib does not tell: by the count of its table, and its name."""
    lines = text.splitlines()
    start, end = 0, len(lines)
    headers = [count for count, line in enumerate(lines) if _HEADER.match(line)]
    if len(loc) > 1 and isinstance(loc[1], int) and loc[1] < len(headers):
        start = headers[loc[1]]
        end = next((one for one in headers if one > start), end)
    key = re.compile(rf"\s*[\"']?{re.escape(str(loc[-1]))}[\"']?\s*=") if loc else None
    for count in range(start, end):
        if key is not None and key.match(lines[count]):
            return f"line {count + 1}"
    return f"line {start + 1}"

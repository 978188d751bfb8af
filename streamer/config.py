"""All settings, in one frozen object: defaults < TOML file < environment < flags."""

import math
from pathlib import Path
from typing import Any, Final, Literal, Self

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from streamer.audio.segmentation import SegmentationSettings
from streamer.errors import UsageError
from streamer.text import annotator_name

# About this machine or its owner: left out of exports and reports.
PRIVATE: Final = {
    "home", "models", "profile", "protocol", "osc", "mqtt", "mqtt_user", "mqtt_password",
}  # fmt: skip
_DAY_S: Final = 86_400.0


class Config(BaseSettings):
    """Settings from a TOML file, or from the environment as STREAMER_<NAME>.

    Those of the segmentation are in a table [segmentation], or STREAMER_SEGMENTATION__<NAME>.
    """

    model_config = SettingsConfigDict(
        env_prefix="STREAMER_",
        env_nested_delimiter="__",
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
    )

    profile: str = Field(
        "default", description="a name, or a folder if it contains a path separator"
    )
    home: Path = Field(
        None, validate_default=True, description="folder of the named profiles [the user's data]"
    )
    encoder: str = Field("", description="a name in the models' manifest; empty: the default")
    models: Path = Field(
        None,
        validate_default=True,
        description="folder of your own encoders [the user's data]",
    )
    threads: int = Field(1, ge=1, le=64, description="onnxruntime's intra-op threads")

    device: str | None = Field(None, description="microphone, by name or index")
    channel: int | None = Field(None, ge=1, description="use this channel instead of a mix of all")

    again: bool = Field(
        False, description="process recordings again that this profile has processed before"
    )

    segmentation: SegmentationSettings = Field(
        default_factory=SegmentationSettings, description="how utterances are cut, in samples"
    )

    buffer: int = Field(10, ge=1, le=1000, description="utterances in a buffer")
    first_buffer: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="utterances in a profile's first buffer; each next one is twice as large, up "
        "to buffer [buffer; by `streamer start`: 3]",
    )
    keep: float = Field(0.5, ge=0, le=1, description="fraction of each buffer that is asked")
    explore: float = Field(
        0.1,
        ge=0,
        le=1,
        description="fraction of the questions drawn at random, for unbiased estimates",
    )
    ask_unclear: bool = Field(
        False, description="also ask about utterances spoiled by noise or clipping"
    )
    strategy: str = "spread-in-turn"
    blind: bool | None = Field(
        None,
        description="hide what is predicted of open questions: true, and of all that may become "
        "one; false: show all; unset: as true while somebody labels",
    )
    explain: bool | None = Field(
        None,
        description="measure each utterance beside the loop (librosa), to say how it differs from "
        "the usual; unset: where pages are served",
    )
    ask_at_most: str = Field(
        "", description="most questions: a number and session, hour or day, as 20/day; empty: any"
    )
    quiet: str = Field("", description="no questions between these times of day: 22:00-07:00")
    dimension: str | None = Field(
        None, description="ask only about this dimension instead of valence and arousal"
    )
    learner: str = Field(
        "",
        description="bayesian, river:module.Class, or your own as package.module:Class; "
        "empty: the profile's, bayesian in a new one",
    )
    population: bool = Field(
        True, description="recognize emotions that are not enrolled by the average of many voices"
    )
    source: str | None = Field(
        None, description="start from this labelled source, from now on; none: without a source"
    )
    seed: int = Field(0, ge=0, description="seed of every random choice")
    query_days: float = Field(
        30.0, gt=0, description="an unanswered query expires after so many days of use"
    )

    protocol: Path | None = Field(
        None, description="a research session's phases, prompts and budgets: a TOML file"
    )
    osc: str | None = Field(None, description="send events as OSC messages to HOST:PORT")
    lsl: bool = Field(False, description="publish events as Lab Streaming Layer streams")

    privacy: Literal["clips", "embeddings", "everything"] = Field(
        "clips",
        description="audio on disk: of open questions, none, or of every utterance",
    )
    keep_for_tuning: bool = Field(
        False, description="keep the audio of answered clips until `streamer tune` has used it"
    )
    audio_days: float | None = Field(
        None,
        gt=0,
        description="with privacy = everything: audio is deleted after so many days of use",
    )
    audio_mb: float = Field(
        1000.0, gt=0, description="most megabytes of audio on disk; the oldest is deleted first"
    )

    remote_playback: bool = Field(
        False,
        description="also ignore what pages on other machines play: they are near",
    )

    keep_token: bool = Field(
        False, description="the pages' address stays the same when they are served again"
    )

    watchdog_s: float = Field(
        300.0, ge=0, description="a loop that hangs this long prints its stacks and ends; 0: never"
    )

    annotator: str = Field("me", min_length=1, description="name of the annotator")

    mqtt: str | None = Field(None, description="MQTT broker to send utterances to: HOST[:PORT]")
    mqtt_user: str | None = Field(None, description="user of the broker")
    mqtt_password: SecretStr | None = Field(None, description="password of the broker")

    @field_validator("annotator")
    @classmethod
    def _name(cls, annotator: str) -> str:
        try:
            return annotator_name(annotator)
        except UsageError as error:
            raise ValueError(str(error)) from error

    @field_validator("home", "models", mode="before")
    @classmethod
    def _usual_folder(cls, folder: object, info: ValidationInfo) -> object:
        """A user without a home folder (a container's, a service's) needs `home` and no more."""
        if folder is not None:
            return folder
        try:
            usual = "profiles" if info.field_name == "home" else "models"
            return user_data_path("streamer") / usual
        except RuntimeError as error:
            if info.field_name == "models" and "home" in info.data:
                return info.data["home"] / ".models"  # no profile's name begins with a dot
            raise ValueError("this user has no home folder: give one in STREAMER_HOME") from error

    @field_validator("home", "models")
    @classmethod
    def _expand(cls, folder: Path) -> Path:
        try:
            return folder.expanduser()
        except RuntimeError as error:
            raise ValueError("no user of that name on this machine") from error

    @property
    def cache(self) -> Path:
        """Folder of what can be computed again, such as embeddings of a corpus."""
        return self.home / ".cache"  # no profile's name begins with a dot

    @property
    def query_life_s(self) -> float:
        return self.query_days * _DAY_S

    @property
    def audio_life_s(self) -> float:
        return math.inf if self.audio_days is None else self.audio_days * _DAY_S

    @classmethod
    def load(cls, toml: Path | None = None, **flags: Any) -> Self:
        """Settings from all sources; a flag that is None was not given.

        Raises UsageError with the setting, its value and what is allowed.
        """
        given = {name: value for name, value in flags.items() if value is not None}
        if toml is not None and not toml.is_file():
            raise UsageError(f"no settings file {toml}: give an existing TOML file to --config")

        class FromFile(cls):  # type: ignore[valid-type,misc]
            model_config = SettingsConfigDict(toml_file=toml)

        try:
            return FromFile(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            value = "***" if name == "mqtt_password" else repr(first["input"])
            if first["type"] == "extra_forbidden":
                known = ", ".join(cls.model_fields)
                raise UsageError(
                    f"unknown setting {name} = {value}: choose from {known}"
                ) from error
            told = first["msg"].removeprefix("Value error, ")
            raise UsageError(f"setting {name} = {value}: {told}") from error
        except SettingsError as error:
            raise UsageError(f"environment: {error}: correct that STREAMER_ variable") from error
        except ValueError as error:
            raise UsageError(f"{toml}: {error}: correct the TOML file") from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

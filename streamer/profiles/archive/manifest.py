"""The manifest of an export."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from streamer.store.tables import LARGEST_NUMBER

Count = Annotated[int, Field(ge=0, le=LARGEST_NUMBER)]
Version = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(pattern=r"^\w[\w. -]{0,63}$")]


class Manifest(BaseModel):
    """database: the schema of the tables. encoder, encoder_sha256: None for an empty profile.

    rows: of each table. numbers_used: the highest that each table has ever given.
    """

    model_config = ConfigDict(strict=True)

    format: Literal["streamer-profile"] = "streamer-profile"
    version: Version
    streamer: str
    database: Version
    encoder: Name | None
    encoder_sha256: str | None
    rows: dict[str, Count]
    numbers_used: dict[str, Count]

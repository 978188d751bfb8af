"""The flags that every verb has, and the settings that they lead to."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from streamer.config import Config

ProfileFlag = Annotated[
    str | None,
    typer.Option("--profile", help="Name of a profile, or a folder.", envvar="STREAMER_PROFILE"),
]
ConfigFlag = Annotated[Path | None, typer.Option("--config", help="Settings in a TOML file.")]
Verbose = Annotated[bool, typer.Option("-v", help="On an error, show where it came from.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]


def settings_from(config: Path | None, **flags: Any) -> "Config":
    """All settings; flags that are None or empty were not given. Raises UsageError."""
    from streamer.config import Config
    from streamer.errors import UsageError

    # What an unset variable leaves of --profile "$WHO" must not mean somebody else's profile.
    if flags.get("profile") == "":
        raise UsageError("--profile is empty: give a name or a folder, or leave it out")
    return Config.load(config, **{name: value for name, value in flags.items() if value != ""})

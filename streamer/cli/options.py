"""The flags that every verb has, and the settings made from them."""

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
Verbose = Annotated[bool, typer.Option("-v", help="On an error, show the traceback.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output.")]
DeviceFlag = Annotated[str | None, typer.Option(help="Microphone: name, part of it, or index.")]
ChannelFlag = Annotated[int | None, typer.Option(help="Use only this channel, counted from 1.")]
DimensionFlag = Annotated[
    str | None, typer.Option(help="Ask only about valence, arousal or dominance.")
]
BlindFlag = Annotated[
    bool | None,
    typer.Option(
        "--blind/--no-blind",
        help="Hide what is predicted of open questions, and of what may become one [while "
        "somebody labels].",
        show_default=False,
    ),
]


def settings_from(config: Path | None, **flags: Any) -> "Config":
    """All settings; a flag that is None was not given. Raises UsageError."""
    from streamer.config import Config
    from streamer.errors import UsageError

    # --profile "$WHO" with an unset variable must not open the default profile.
    for name, value in flags.items():
        if isinstance(value, str) and not value.strip():
            raise UsageError(f"--{name} is empty: give a value, or leave it out")
    return Config.load(config, **flags)

"""The verb profiles."""

from typing import Annotated

import typer

from streamer.cli.options import AsJson, ConfigFlag, Verbose, settings_from
from streamer.cli.output import put, tell


def profiles(
    as_json: AsJson = False,
    config: ConfigFlag = None,
    sort: Annotated[
        str, typer.Option(help="name, or last: the one used last comes first.")
    ] = "name",
    verbose: Verbose = False,
) -> None:
    """List the profiles of this user: sessions, utterances, labels and size of each."""
    from dataclasses import asdict

    from streamer.errors import UsageError
    from streamer.profiles.overview import overview
    from streamer.terminal.tables import profile_line

    if sort not in ("name", "last"):
        raise UsageError(f"--sort {sort!r}: give name or last")
    settings = settings_from(config)
    rows = overview(settings.home)
    if sort == "last":
        rows.sort(key=lambda row: -(row.last_used_at or 0.0))
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        put(asdict(row), profile_line(row, width), as_json)
    if not rows:
        tell(f"no profile in {settings.home}: `streamer start` makes the first one")

"""The verb bench."""

from typing import Annotated

import typer

from streamer.cli.options import AsJson, ConfigFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put


def bench(
    encoder: Annotated[str | None, typer.Option(help="A name of `streamer models list`.")] = None,
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Measure the speed of this machine: encoder, learner, whole loop; less than a minute."""
    import time
    from dataclasses import asdict

    from rich.console import Console

    from streamer.ops.bench import measure, table
    from streamer.ops.doctor.machine import processor, versions

    settings = settings_from(config, encoder=encoder)
    with Console(stderr=True).status("measuring") as shown:
        result = measure(
            settings, time.perf_counter, lambda what: shown.update(f"measuring: {what}")
        )
    machine = f"{processor(settings.threads).said}; {versions().said}"
    put({"machine": machine, **asdict(result)}, table(result, machine).splitlines(), as_json)

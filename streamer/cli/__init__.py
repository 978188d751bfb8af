"""The command line: verbs only, by groups. What a verb needs is imported when it runs.

A new verb is a function in the file of its group and an entry in `_VERBS`.
"""

from typing import Annotated

import typer

from streamer import __version__
from streamer.cli.benching import bench
from streamer.cli.doctor import doctor
from streamer.cli.encoders import models
from streamer.cli.enrolling import emotions, enroll, verify
from streamer.cli.evaluating import evaluate
from streamer.cli.fleet import fleet
from streamer.cli.labelling import label, queue
from streamer.cli.listening import demo, devices, run
from streamer.cli.moving import export, import_
from streamer.cli.pool import pool
from streamer.cli.profile import forget, reembed, status
from streamer.cli.profiles import profiles
from streamer.cli.reporting import note, report
from streamer.cli.service import service
from streamer.cli.source import source
from streamer.cli.starting import start
from streamer.cli.table import table
from streamer.cli.tuning import tune
from streamer.cli.whole_help import WholeHelp

app = typer.Typer(
    name="streamer",
    help="Speech emotion that learns on the device: listen, predict, ask, learn. "
    "No audio leaves this machine.",
    epilog="Begin with: streamer start. Then: streamer run; answer with: streamer label.",
    no_args_is_help=True,
    rich_markup_mode=None,
    cls=WholeHelp,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# In the order of the overview.
_VERBS = (
    start, run, demo, devices,
    queue, label,
    enroll, verify, emotions,
    profiles, status, report, note, forget, reembed,
    export, import_,
    table, evaluate, tune,
    bench, doctor,
)  # fmt: skip

for _verb in _VERBS:
    # `import` is a word of Python's, so its function has another name.
    app.command(_verb.__name__.rstrip("_"))(_verb)
app.add_typer(models, name="models", cls=WholeHelp)
app.add_typer(pool, name="pool", cls=WholeHelp)
app.add_typer(service, name="service", cls=WholeHelp)
app.add_typer(source, name="source", cls=WholeHelp)
app.add_typer(fleet, name="fleet", cls=WholeHelp)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"streamer {__version__}")
        raise typer.Exit


@app.callback()
def _all(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass

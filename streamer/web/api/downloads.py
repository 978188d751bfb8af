"""What the profile page hands out as files: labels, the report, and everything."""

import csv
import io
import shutil
import time
from pathlib import Path
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from streamer.annotation.labels import COLUMNS
from streamer.annotation.session import Sitting
from streamer.config import PRIVATE, Config
from streamer.profiles.archive.writing import export_profile
from streamer.report.page import page
from streamer.report.record import read_record
from streamer.store.records import LogEntry
from streamer.web.store_worker import Desk

# A spreadsheet would run a cell that begins so as a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Downloads:
    """Handlers; what the store holds is read on the desk's thread."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def labels(self, request: Request) -> Response:
        """All labels that count, as `streamer label --import` reads them; names that a spreadsheet
        would run are quoted.
        """
        return _file(await self._desk.ask(_labels_csv), "labels.csv", "text/csv")

    async def report(self, request: Request) -> Response:
        """As `streamer report` writes it."""

        def work(sitting: Sitting) -> str:
            return page(read_record(sitting.profile), self._desk.config, time.time())

        return _file(await self._desk.ask(work), "report.html", "text/html")

    async def everything(self, request: Request) -> Response:
        """What `streamer export` writes, zipped; `streamer import` reads the folder in it."""
        path = await self._desk.ask(_zipped, self._desk.config)
        gone = BackgroundTask(shutil.rmtree, path.parent, ignore_errors=True)
        return FileResponse(
            path, media_type="application/zip", filename="profile.zip", background=gone
        )


def _file(text: str, name: str, kind: str) -> Response:
    named = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=kind, headers=named)


def _zipped(sitting: Sitting, config: Config) -> Path:
    """The file, in a folder that is to be deleted when it was sent."""
    settings = config.model_dump(mode="json", exclude=PRIVATE)
    folder = sitting.profile.scratch()
    try:
        export_profile(sitting.profile, folder / "all" / "profile", settings)
        return Path(shutil.make_archive(str(folder / "profile"), "zip", folder / "all"))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _labels_csv(sitting: Sitting) -> str:
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for entry in sitting.profile.labels.effective():
        writer.writerow(_cells(entry))
    return file.getvalue()


def _cells(entry: LogEntry) -> list[Any]:
    label = entry.label
    values = [label.valence, label.arousal, label.dominance]
    names = [label.emotion or "", label.annotator]
    return [label.utterance, *("" if v is None else v for v in values), *map(_inert, names)]


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell

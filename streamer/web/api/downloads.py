"""What the profile page hands out as files: labels, the report, and everything."""

import shutil
import time
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from streamer.annotation.csv import write_labels
from streamer.annotation.session import AnnotationSession
from streamer.config import PRIVATE, Config
from streamer.profiles.archive.writing import export_profile
from streamer.report.diary import WEEK_DAYS, first_moment
from streamer.report.page import page
from streamer.report.record import read_record
from streamer.store.copies import Scratch
from streamer.web.store_worker import StoreWorker


class Downloads:
    """Handlers; what the store holds is read on the worker's thread."""

    def __init__(self, worker: StoreWorker) -> None:
        self._worker = worker

    async def labels(self, request: Request) -> Response:
        """All labels that count, as `streamer label --import` reads them; names that a spreadsheet
        would run are quoted.
        """
        return _file(await self._worker.ask(_labels_csv), "labels.csv", "text/csv")

    async def report(self, request: Request) -> Response:
        """As `streamer report` writes it; with ?week, of the last seven days."""
        week = "week" in request.query_params
        since = first_moment(WEEK_DAYS, time.time()) if week else None

        def work(annotation: AnnotationSession) -> str:
            config = self._worker.config
            record = read_record(annotation.profile, blind=config.blind, since=since)
            return page(record, config, time.time())

        name = "week.html" if week else "report.html"
        return _file(await self._worker.ask(work), name, "text/html")

    async def everything(self, request: Request) -> Response:
        """What `streamer export` writes, zipped; `streamer import` reads the folder in it."""
        scratch, path = await self._worker.ask(_zipped, self._worker.config)
        gone = BackgroundTask(scratch.close)
        return FileResponse(
            path, media_type="application/zip", filename="profile.zip", background=gone
        )


def _file(text: str, name: str, kind: str) -> Response:
    named = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type=kind, headers=named)


def _zipped(annotation: AnnotationSession, config: Config) -> tuple[Scratch, Path]:
    """The file, and what to close when it was sent."""
    settings = config.model_dump(mode="json", exclude=PRIVATE)
    scratch = annotation.profile.copies.scratch()
    try:
        folder = scratch.path / "all"
        export_profile(annotation.profile, folder / "profile", settings)
        return scratch, Path(shutil.make_archive(str(scratch.path / "profile"), "zip", folder))
    except BaseException:
        scratch.close()
        raise


def _labels_csv(annotation: AnnotationSession) -> str:
    return write_labels(entry.label for entry in annotation.profile.labels.effective())

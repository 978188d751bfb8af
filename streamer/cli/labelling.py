"""Verbs for questions and answers: queue, label."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import (
    AsJson,
    BlindFlag,
    ConfigFlag,
    DimensionFlag,
    ProfileFlag,
    Verbose,
    settings_from,
)
from streamer.cli.output import put, tell
from streamer.cli.pages import (
    OWN_CERTIFICATE,
    CertFlag,
    HostFlag,
    KeepFlag,
    KeyFlag,
    NearFlag,
    PortFlag,
    RemoteFlag,
    SelfSignedFlag,
    address_of,
    pages,
    require_no_page_flags,
)
from streamer.errors import UsageError
from streamer.text import many


def queue(
    blind: BlindFlag = None,
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """List the open questions, most informative first; their predictions by --no-blind only."""
    from streamer.loop.compose import known_profile
    from streamer.profiles.status import queue_rows
    from streamer.terminal.tables import query_line

    settings = settings_from(config, profile=profile, blind=blind)
    with known_profile(settings, tell) as opened:
        rows = queue_rows(opened, blind=settings.blind is not False)
    for row in rows:
        put(row, query_line(row), as_json)
    if not rows:
        tell("no open queries")


def label(
    utterance: Annotated[int | None, typer.Argument(help="Number of an utterance.")] = None,
    valence: Annotated[float | None, typer.Option(help="-1 negative .. 1 positive.")] = None,
    arousal: Annotated[float | None, typer.Option(help="-1 calm .. 1 excited.")] = None,
    dominance: Annotated[float | None, typer.Option(help="-1 submissive .. 1 dominant.")] = None,
    emotion: Annotated[
        str | None, typer.Option(help="Name of an emotion; also enrolls the utterance.")
    ] = None,
    dimension: DimensionFlag = None,
    annotator: Annotated[str | None, typer.Option(help="Whose answer this is [me].")] = None,
    import_: Annotated[
        Path | None,
        typer.Option(
            "--import",
            help="Table (CSV with any separator): utterance,valence,arousal[,dominance][,emotion]"
            "[,annotator], or source,onset,offset in place of utterance; or labels by time: "
            "Audacity .txt, ELAN .eaf, Praat .TextGrid, NOVA .annotation, Label Studio .json.",
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", help="Write the labels by time, in one of these formats, on [-1, 1]."
        ),
    ] = None,
    recording: Annotated[
        str | None, typer.Option(help="With --export: of this recording only.")
    ] = None,
    session: Annotated[
        int | None,
        typer.Option(
            help="With --export or --import: only this session, -1 for the last; its event "
            "markers are exported, too."
        ),
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(
            help="LEAST:MOST of the values given, such as 1:5, 9:1 (1 is the most), sam, or "
            "valence=1:9,arousal=9:1 [-1:1]."
        ),
    ] = None,
    undo: Annotated[
        bool,
        typer.Option("--undo", help="Undo the last label, or the last N; of --annotator only."),
    ] = False,
    web: Annotated[
        bool, typer.Option("--web/--no-web", help="Label in the browser, until Ctrl-C.")
    ] = False,
    blind: BlindFlag = None,
    port: PortFlag = None,
    host: HostFlag = None,
    allow_remote: RemoteFlag = False,
    remote_playback: NearFlag = None,
    keep_token: KeepFlag = None,
    self_signed: SelfSignedFlag = False,
    tls_cert: CertFlag = None,
    tls_key: KeyFlag = None,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Label one utterance, a CSV file, in the terminal, or in the browser; or undo labels."""
    from streamer.annotation import labels as labelling
    from streamer.annotation.scales import Scales
    from streamer.loop.compose import known_profile
    from streamer.store.profile import DIMENSION

    answers_one = utterance is not None and not undo  # with --undo the number is a count
    if sum((answers_one, import_ is not None, export is not None, undo, web)) > 1:
        raise UsageError("give only one of an utterance, --import, --export, --undo [N], --web")
    if recording is not None and export is None:
        raise UsageError("--recording says whose labels are written: give it with --export FILE")
    if session is not None and export is None and import_ is None:
        raise UsageError("--session says whose labels: give it with --export or --import FILE")
    values = (valence, arousal, dominance, emotion)
    if not answers_one and any(value is not None for value in values):
        raise UsageError(
            "--valence, --arousal, --dominance and --emotion require an utterance: give its number"
        )
    if scale is not None and not (answers_one or import_ is not None):
        raise UsageError("--scale requires values: give an utterance with them, or --import")
    settings = settings_from(
        config, profile=profile, annotator=annotator, remote_playback=remote_playback,
        blind=blind, dimension=dimension, keep_token=keep_token,
    )  # fmt: skip
    scales = None if scale is None else Scales.parse(scale)
    if web:
        own = settings.home / OWN_CERTIFICATE if self_signed else None
        address = address_of(host, port, allow_remote, tls_cert, tls_key, own)
        from streamer.loop.run import wait_for_signal

        with pages(settings, address):
            wait_for_signal()
        return
    require_no_page_flags(port, host, allow_remote, self_signed, tls_cert, tls_key)
    with known_profile(settings, tell) as opened:
        if undo:
            count = 1 if utterance is None else utterance
            tell(labelling.take_back(opened, count, annotator))
        elif import_ is not None:
            from streamer.annotation.exchange.importing import read_any

            ask = _ask if sys.stdin and sys.stdin.isatty() else None
            read = read_any(opened, import_, settings.annotator, scales, ask, session)
            for note in read.notes:
                tell(f"{import_}: {note}")
            tell(str(labelling.give(opened, read.labels, read.scale)))
        elif export is not None:
            from streamer.annotation.exchange.importing import export_labels

            count, marked = export_labels(opened, export, recording, annotator, session)
            markers = f" and {many(marked, 'marker')}" if marked else ""
            tell(f"{many(count, 'label')}{markers} written to {export}")
        elif utterance is not None:
            on = scales or Scales.usual()
            kept = on.all_to_kept(valence, arousal, dominance)
            alone = settings.dimension or opened.meta(DIMENSION)
            answer = labelling.one(utterance, *kept, emotion, settings.annotator, alone)
            tell(str(labelling.give(opened, [answer], on.kept)))
        else:
            from streamer.loop.retention import may_store_audio
            from streamer.terminal.annotate import label_by_keys

            on_disk = may_store_audio(settings.privacy, opened)
            label_by_keys(opened, settings.annotator, on_disk=on_disk, dimension=settings.dimension)


def _ask(question: str, choices: Sequence[str]) -> str:
    """A question about a file, to who imports it."""
    tell(question)
    answer: str = typer.prompt(" or ".join(choices), err=True)
    return answer.strip()

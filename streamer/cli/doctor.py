"""The verb doctor."""

from pathlib import Path
from typing import Annotated

import typer

from streamer.cli.options import AsJson, ConfigFlag, DeviceFlag, ProfileFlag, Verbose, settings_from
from streamer.cli.output import put, tell


def doctor(
    bundle: Annotated[
        Path | None,
        typer.Option(help="Write a ZIP file to attach to a question: no audio, no labels."),
    ] = None,
    encoder: Annotated[str | None, typer.Option(help="A name of `streamer models list`.")] = None,
    device: DeviceFlag = None,
    as_json: AsJson = False,
    profile: ProfileFlag = None,
    config: ConfigFlag = None,
    verbose: Verbose = False,
) -> None:
    """Check this machine: what is missing, and how to get it."""
    from dataclasses import asdict

    from streamer.ops.doctor import examine

    settings = settings_from(config, profile=profile, encoder=encoder, device=device)
    findings = []
    for finding in examine(settings):
        findings.append(finding)
        lines = [f"{finding.state:4}  {finding.check:14}  {finding.said}"]
        lines += [f"      {'':14}  try: {finding.remedy}"] if finding.remedy else []
        put(asdict(finding), lines, as_json)
    if bundle is not None:
        from streamer.ops.doctor.bundle import write_bundle

        write_bundle(bundle, findings, settings)
        tell(f"wrote {bundle}: no audio, no labels; it names the sound devices")
    failed = [finding.exit_code for finding in findings if finding.state == "fail"]
    if failed:
        raise typer.Exit(failed[0])

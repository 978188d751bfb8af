"""The file of `doctor --bundle`: about the machine and the program, without personal data.

It holds only what is listed here: findings, counts and versions; no audio, no label, no prediction,
no name of an emotion, annotator, recording or profile. The paths of the home folder and the profile
are removed. The names of sound devices stay, because faults are often about them.
"""

import json
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any, Final

from streamer.config import Config
from streamer.encoders.registry import known_encoders
from streamer.errors import StreamerError, UsageError
from streamer.ops.doctor.finding import Finding
from streamer.store.database import is_of_earlier_version
from streamer.store.profile import FILE_NAME, Profile, profile_folder
from streamer.text import path_text

# Settings that are not personal. A new setting is left out until it is listed here.
SETTINGS: Final = (
    "threads", "channel", "segmentation", "buffer", "keep", "explore", "strategy", "dimension",
    "seed", "query_days",
)  # fmt: skip


def write_bundle(path: Path, findings: Sequence[Finding], config: Config) -> None:
    """A ZIP file of JSON that only its owner can read. Raises UsageError."""
    parts: Mapping[str, Any] = {
        "findings": [asdict(finding) for finding in findings],
        "versions": versions(),
        "settings": settings(config),
        "encoders": encoders(config),
        "profile": counts(config),
    }
    try:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "wb") as file, zipfile.ZipFile(file, "w") as bundle:
            for name, part in parts.items():
                written = json.dumps(part, indent=2, ensure_ascii=False)
                bundle.writestr(f"{name}.json", anonymous(written, config))
    except FileExistsError as error:
        raise UsageError(f"--bundle {path} exists already: name a new file") from error
    except OSError as error:
        raise UsageError(f"--bundle {path}: {error.strerror}: name another file") from error


def anonymous(text: str, config: Config) -> str:
    """text without the paths of the home folder and profile and the names of own encoders."""
    for name in _own_encoders(config):
        text = re.sub(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "another", text)
    private = {str(profile_folder(config.profile, config.home)): "PROFILE"}
    with suppress(RuntimeError):  # this user has no home folder
        private[str(Path.home())] = "~"
    for path, said in private.items():
        text = text.replace(json.dumps(path_text(path), ensure_ascii=False)[1:-1], said)
    return text


def versions() -> dict[str, str | None]:
    """The versions of Streamer and its dependencies; None for what is not installed."""
    found: dict[str, str | None] = {}
    for requirement in ("streamer", *(requires("streamer") or ())):
        name = requirement.split(";")[0].strip()
        for mark in "<>=!~[ ":
            name = name.split(mark)[0]
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def settings(config: Config) -> dict[str, Any]:
    return config.model_dump(mode="json", include=set(SETTINGS))


def encoders(config: Config) -> list[dict[str, Any]]:
    try:
        return [{"name": row.name, "sha256": row.sha256} for row in known_encoders(config.models)]
    except StreamerError as error:
        return [{"error": str(error)}]


def _own_encoders(config: Config) -> list[str]:
    """The names of the user's own encoders, which may be personal."""
    try:
        shipped = {row.sha256 for row in known_encoders()}
        return [row.name for row in known_encoders(config.models) if row.sha256 not in shipped]
    except StreamerError:
        return []


def counts(config: Config) -> dict[str, Any]:
    """Counts of what the profile holds."""
    folder = profile_folder(config.profile, config.home)
    try:
        if not (folder / FILE_NAME).is_file():
            return {}
        if is_of_earlier_version(folder / FILE_NAME):
            return {"version": "earlier"}
        profile = Profile(folder)
        try:
            return {
                "utterances": profile.utterances.counts(),
                "labels": profile.labels.count(),
                "open_queries": profile.utterances.open_query_count(),
                "bytes": (folder / FILE_NAME).stat().st_size,
            }
        finally:
            profile.close()
    except (StreamerError, OSError) as error:
        return {"error": type(error).__name__}

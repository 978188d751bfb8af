"""The loop as a systemd user unit: started at login, started again when it fails, shut in."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from platformdirs import user_config_path, user_log_path

from streamer.errors import ServiceError

# A user's units may not have the options that need mount namespaces everywhere; these work in all.
_UNIT: Final = """\
[Unit]
Description=Streamer, profile {name}
After=pipewire.service pipewire-pulse.service pulseaudio.service
StartLimitIntervalSec=0

[Service]
# What was given as a relative path was meant from here.
WorkingDirectory=-{here}
ExecStart={command}
Restart=on-failure
RestartSec=10
# Flags that cannot be meant, and altered models, are not mended by starting again.
RestartPreventExitStatus=2 4
# What waits for a slow encoder is still to be heard.
TimeoutStopSec=300
# Predictions belong into the profile, not into the system's log; errors go to the journal.
StandardOutput=null
{settings}UMask=0077
# A core file would hold what was heard.
LimitCORE=0
NoNewPrivileges=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies={families}
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=default.target
"""
_LOCAL: Final = "AF_UNIX"
_NETWORK: Final = "AF_UNIX AF_INET AF_INET6 AF_NETLINK"
PATIENCE_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class State:
    """As systemd tells it: active, activating, failed, inactive; enabled, disabled or not-found."""

    unit: str
    active: str
    enabled: str
    restarts: int
    log: str


def unit_name(folder: Path) -> str:
    """The unit of a profile's folder: systemd's own escaping, so that each has one.

    >>> unit_name(Path("/home/ann/my voice"))
    'streamer-home-ann-my\\\\x20voice.service'
    """
    escaped = re.sub(
        r"[^A-Za-z0-9:_.]",
        lambda found: "".join(f"\\x{byte:02x}" for byte in found.group().encode()),
        str(folder).strip("/").replace("/", "\0"),
    ).replace("\\x00", "-")
    return f"streamer-{escaped}.service"


def unit_path(folder: Path) -> Path:
    return user_config_path() / "systemd" / "user" / unit_name(folder)


def log_path(folder: Path) -> Path:
    return user_log_path("streamer") / f"{unit_name(folder).removesuffix('.service')}.log"


def unit_text(
    folder: Path,
    words: Sequence[str],
    broker: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """words: further flags of `streamer run`; broker: the settings name one; settings: by the
    names of their environment variables.

    Without pages and broker, no network can be used.
    """
    command = [
        sys.executable, "-m", "streamer", "run", "--profile", f"{folder}{os.sep}",
        "--log", str(log_path(folder)), *(["--no-web"] if "--web" not in words else []), *words,
    ]  # fmt: skip
    networked = broker or any(word == "--web" or word.startswith("--mqtt") for word in words)
    return _UNIT.format(
        name=folder.name.replace("%", "%%"),
        here=_one_line(str(Path.cwd())).replace("%", "%%"),
        command=" ".join(quoted(word) for word in command),
        families=_NETWORK if networked else _LOCAL,
        settings="".join(
            f"Environment={quoted(f'{name}={value}', variables=False)}\n"
            for name, value in sorted(settings.items())
        ),
    )


def quoted(word: str, variables: bool = True) -> str:
    """One argument of ExecStart, whatever stands in it: no variable, specifier or escape.

    variables: whether systemd would put some in there, as it does not in an Environment.

    >>> print(quoted('100 % "$HOME"'))
    "100 %% \\"$$HOME\\""

    Raises ServiceError for a line break, which no unit can hold.
    """
    word = _one_line(word)
    for letter, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%")):
        word = word.replace(letter, written)
    if variables:
        word = word.replace("$", "$$")
    return f'"{word}"'


def _one_line(word: str) -> str:
    if any(ord(letter) < 32 for letter in word):
        raise ServiceError(f"{word!r} holds a control character: a unit cannot; leave it out")
    return word


def install(
    folder: Path,
    words: Sequence[str],
    broker: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Write the unit, start it now and at every login; see `unit_text`. Raises ServiceError."""
    text = unit_text(folder, words, broker, settings)
    _systemctl("show-environment")
    path = unit_path(folder)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise ServiceError(f"{path}: {error.strerror}: make it writable") from error
    _systemctl("daemon-reload")
    _systemctl("enable", path.name)
    _systemctl("restart", path.name)
    return path


def state(folder: Path) -> State:
    """Raises ServiceError where there is no systemd."""
    unit = unit_name(folder)
    wanted = ("ActiveState", "UnitFileState", "NRestarts")
    told = dict(
        line.split("=", 1)
        for line in _systemctl("show", f"--property={','.join(wanted)}", unit).splitlines()
        if "=" in line
    )
    return State(
        unit=unit,
        active=told.get("ActiveState", "unknown"),
        enabled=told.get("UnitFileState", "") or "not-found",
        restarts=int(told.get("NRestarts") or 0),
        log=str(log_path(folder)),
    )


def remove(folder: Path) -> Path:
    """Stop it, and delete the unit. Raises ServiceError, also where there is none."""
    path = unit_path(folder)
    if not path.exists():
        raise ServiceError(f"no service {path.name}: `streamer service install` makes one")
    _systemctl("disable", "--now", path.name)
    path.unlink(missing_ok=True)
    _systemctl("daemon-reload")
    return path


def _systemctl(*words: str) -> str:
    program = shutil.which("systemctl")
    if program is None:
        raise ServiceError(
            "no systemd on this machine: start `streamer run --no-web` by what starts programs here"
        )
    try:
        done = subprocess.run(
            [program, "--user", "--no-pager", *words],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"systemctl --user {words[0]} does not answer: try again") from error
    if done.returncode:
        said = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0]
        raise ServiceError(
            f"systemctl --user {words[0]}: {said}: log in as this user (not by su or sudo), or "
            "sudo loginctl enable-linger $USER"
        )
    return done.stdout

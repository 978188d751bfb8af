"""The loop as a systemd user unit: started at login, restarted on failure, sandboxed."""

import glob
import hashlib
import os
import re
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from platformdirs import user_config_path, user_log_path

from streamer.errors import ServiceError
from streamer.system import make_private_folder, streamer_command, write_private
from streamer.text import printable

# Options that need mount namespaces do not work in every user manager; these do.
_UNIT: Final = """\
[Unit]
Description=Streamer, profile '{name}'
After=pipewire.service pipewire-pulse.service pulseaudio.service
StartLimitIntervalSec=0

[Service]
# Relative paths among the flags refer to this folder.
WorkingDirectory=-{here}/
ExecStart={command}
Restart=on-failure
RestartSec=10
# A restart does not repair wrong flags (2) or altered models (4).
RestartPreventExitStatus=2 4
# Utterances that wait for a slow encoder are still encoded.
TimeoutStopSec=300
# Predictions belong in the profile, not in the system's log; errors go to the journal.
StandardOutput=null
EnvironmentFile=-{settings}
UMask=0077
# A core file would contain recorded speech.
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
_SENDING: Final = ("--mqtt", "--osc", "--lsl")
PATIENCE_S: Final = 60.0
# Controls and surrogates: systemd leaves out lines that are not UTF-8.
_NOT_IN_UNITS: Final = {"Cc", "Cs"}
_ENVIRONMENT_SPECIAL: Final = re.compile(r"[\\\"$`]")
_ESCAPE: Final = r"\\\g<0>"


@dataclass(frozen=True, slots=True)
class State:
    """As systemd reports it: active, inactive, activating, failed; enabled, disabled, not-found."""

    unit: str
    active: str
    enabled: str
    restarts: int
    log: str


def unit_name(folder: Path) -> str:
    """The unit of a profile's folder, in systemd's own escaping.

    >>> unit_name(Path("/home/ann/my voice"))
    'streamer-home-ann-my\\\\x20voice.service'
    """
    escaped = re.sub(
        r"[^A-Za-z0-9:_.]",
        lambda found: "".join(f"\\x{byte:02x}" for byte in os.fsencode(found.group())),
        str(folder).strip("/").replace("/", "\0"),
    ).replace("\\x00", "-")
    return f"streamer-{escaped}.service"


def unit_path(folder: Path) -> Path:
    """Raises ServiceError for a user without a home folder."""
    return _of_user(user_config_path) / "systemd" / "user" / unit_name(folder)


def settings_path(folder: Path) -> Path:
    """The settings of the unit, which only this user can read. Raises ServiceError."""
    unit = unit_path(folder)
    # systemd takes it for a pattern, in which a backslash, as of the unit's name, is no letter.
    name = hashlib.sha256(os.fsencode(unit.name)).hexdigest()[:16]
    return unit.with_name(f"streamer-{name}.env")


def log_path(folder: Path) -> Path:
    """Raises ServiceError for a user without a home folder."""
    log = f"{unit_name(folder).removesuffix('.service')}.log"
    return _of_user(lambda: user_log_path("streamer")) / log


def _of_user(path: Callable[[], Path]) -> Path:
    try:
        return path()
    except RuntimeError as error:
        raise ServiceError(
            "this user has no home folder, and so no systemd user instance: start "
            "`streamer run --no-web` with this system's service manager"
        ) from error


def unit_text(
    folder: Path,
    words: Sequence[str],
    broker: bool = False,
) -> str:
    """words: further flags of `streamer run`; broker: whether the settings name one.

    Without pages and broker, the unit may not use the network.
    """
    command = streamer_command(
        "run", "--profile", f"{folder}{os.sep}",
        "--log", str(log_path(folder)), *(["--no-web"] if "--web" not in words else []), *words,
    )  # fmt: skip
    networked = broker or any(word == "--web" or word.startswith(_SENDING) for word in words)
    return _UNIT.format(
        name=printable(folder.name).replace("%", "%%"),
        # The slash at its end: a backslash there would join the next line.
        here=_one_line(str(Path.cwd())).rstrip("/").replace("%", "%%"),
        command=" ".join(quoted(word) for word in command),
        families=_NETWORK if networked else _LOCAL,
        settings=_pattern(settings_path(folder)).replace("%", "%%"),
    )


def _pattern(path: Path) -> str:
    if "\\" in str(path):
        raise ServiceError(f"{path}: a unit cannot name a file there: set XDG_CONFIG_HOME")
    return glob.escape(_one_line(str(path)))


def settings_text(settings: Mapping[str, str]) -> str:
    """An environment file in systemd's syntax; settings: by the names of their variables.

    >>> print(settings_text({"STREAMER_ANNOTATOR": 'a "$b" \\\\ 50%'}), end="")
    STREAMER_ANNOTATOR="a \\"\\$b\\" \\\\ 50%"

    Raises ServiceError for a control character.
    """
    return "".join(
        f'{name}="{_ENVIRONMENT_SPECIAL.sub(_ESCAPE, _one_line(value))}"\n'
        for name, value in sorted(settings.items())
    )


def quoted(word: str) -> str:
    """One argument of ExecStart, quoted so that nothing in it is a variable, specifier or escape.

    >>> print(quoted('100 % "$HOME"'))
    "100 %% \\"$$HOME\\""

    Raises ServiceError for a control character, which a unit cannot hold.
    """
    word = _one_line(word)
    for letter, written in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        word = word.replace(letter, written)
    return f'"{word}"'


def _one_line(word: str) -> str:
    if any(unicodedata.category(letter) in _NOT_IN_UNITS for letter in word):
        raise ServiceError(
            f"'{printable(word)}' holds a control character, or is not UTF-8: a unit cannot hold "
            "that; rename it"
        )
    return word


def install(
    folder: Path,
    words: Sequence[str],
    broker: bool = False,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Write the unit, start it now and at every login; see `unit_text`. Raises ServiceError.

    settings: by the names of their environment variables, passwords too: they go into a file of
    their own that only this user can read.
    """
    text, given = unit_text(folder, words, broker), settings_text(settings)
    _check_installed()
    _systemctl("show-environment")
    path = unit_path(folder)
    try:
        make_private_folder(path.parent)
        write_private(settings_path(folder), given.encode())
        write_private(path, text.encode())
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
    found = dict(
        line.split("=", 1)
        for line in _systemctl("show", f"--property={','.join(wanted)}", unit).splitlines()
        if "=" in line
    )
    return State(
        unit=unit,
        active=found.get("ActiveState", "unknown"),
        enabled=found.get("UnitFileState", "") or "not-found",
        restarts=int(found.get("NRestarts") or 0),
        log=str(log_path(folder)),
    )


def installed_words(folder: Path) -> list[str]:
    """The command that the unit of a profile starts. Raises ServiceError where there is none."""
    path = unit_path(folder)
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError as error:
        raise ServiceError(
            f"no service {path.name}: `streamer service install` creates one"
        ) from error
    except (OSError, ValueError) as error:
        raise ServiceError(f"{path}: {error}: install it again") from error
    command = next((line for line in lines if line.startswith("ExecStart=")), "ExecStart=")
    words = re.findall(r'"((?:[^"\\]|\\.)*)"', command.partition("=")[2])
    return [re.sub(r"\\(.)|%(%)|\$(\$)", r"\1\2\3", word) for word in words]


def restart(folder: Path) -> None:
    """Start the service again. Raises ServiceError."""
    _systemctl("restart", unit_name(folder))


def remove(folder: Path) -> Path:
    """Stop the service and delete its unit. Raises ServiceError, also where there is none."""
    path = unit_path(folder)
    if not path.exists():
        raise ServiceError(f"no service {path.name}: `streamer service install` creates one")
    _systemctl("disable", "--now", path.name)
    path.unlink(missing_ok=True)
    settings_path(folder).unlink(missing_ok=True)
    _systemctl("daemon-reload")
    return path


def _check_installed() -> None:
    """The unit finds this program without the current folder, or is not written."""
    words = [*streamer_command()[:2], "-c", "import streamer"]
    apart = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if subprocess.run(words, env=apart, capture_output=True, check=False).returncode:
        raise ServiceError(
            f"streamer is not installed for {words[0]}, only found where it was started: "
            "python -m pip install it, then repeat this"
        )


def _systemctl(*words: str) -> str:
    program = shutil.which("systemctl")
    if program is None:
        raise ServiceError(
            "no systemd on this machine: start `streamer run --no-web` by another service manager"
        )
    try:
        done = subprocess.run(
            [program, "--user", "--no-pager", *words],
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"systemctl --user {words[0]} does not answer: try again") from error
    if done.returncode:
        message = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[0]
        raise ServiceError(
            f"systemctl --user {words[0]}: {message}: log in as this user (not by su or sudo), or "
            "sudo loginctl enable-linger $USER"
        )
    return done.stdout

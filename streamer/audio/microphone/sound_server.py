"""Sound servers that run here, and whether ALSA, and so PortAudio, can reach them."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

PLUGIN_FOLDERS: Final = (
    "/usr/lib/*/alsa-lib", "/usr/lib/alsa-lib", "/usr/lib64/alsa-lib", "/usr/local/lib/alsa-lib",
)  # fmt: skip


def missing_plugin(environment: Mapping[str, str] = os.environ) -> str:
    """The sound server that runs without ALSA's plugin for it, and its package; "" for none.

    PipeWire serves PulseAudio's clients too: either plugin reaches it.
    """
    pulse, pipewire = _pulse_runs(environment), _pipewire_runs(environment)
    if not (pulse or pipewire) or _has_plugin("pulse", environment):
        return ""
    if pipewire:
        if _has_plugin("pipewire", environment):
            return ""
        return "PipeWire runs, but ALSA's plugin for it is missing: sudo apt install pipewire-alsa"
    return (
        "PulseAudio runs, but ALSA's plugin for it is missing: sudo apt install libasound2-plugins"
    )


def _pulse_runs(environment: Mapping[str, str]) -> bool:
    server = environment.get("PULSE_SERVER", "")
    if server and not server.startswith(("unix:", "/")):
        return True  # over the network
    sockets = [Path(server.removeprefix("unix:"))] if server else []
    if folder := environment.get("PULSE_RUNTIME_PATH"):
        sockets.append(Path(folder) / "native")
    sockets += [folder / "pulse" / "native" for folder in _runtime_folders(environment)]
    sockets.append(Path("/run/pulse/native"))
    return any(_is_there(socket) for socket in sockets)


def _pipewire_runs(environment: Mapping[str, str]) -> bool:
    folders = list(_runtime_folders(environment))
    if own := environment.get("PIPEWIRE_RUNTIME_DIR"):
        folders.insert(0, Path(own))
    return any(_is_there(folder / "pipewire-0") for folder in folders)


def _runtime_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    if own := environment.get("XDG_RUNTIME_DIR"):
        yield Path(own)
    elif hasattr(os, "getuid"):
        yield Path(f"/run/user/{os.getuid()}")


def _has_plugin(name: str, environment: Mapping[str, str]) -> bool:
    file = f"libasound_module_pcm_{name}.so"
    if own := environment.get("ALSA_PLUGIN_DIR"):
        return _is_there(Path(own) / file)
    root = Path("/")
    return any(any(root.glob(f"{folder[1:]}/{file}")) for folder in PLUGIN_FOLDERS)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # it may not be looked at: it is somebody else's
        return False

"""Prints READY, initializes PortAudio, and prints what came of it as one JSON line.

A program of its own, `python -I -S portaudio_child.py`, of the standard library alone: see `probe`.
PortAudio's and ALSA's messages go to standard error, which sounddevice would discard.
"""

import ctypes
import ctypes.util
import json

READY = "ready"
NAMES = ("libportaudio.so.2", "libportaudio.so")
PR_SET_DUMPABLE = 4


def load() -> ctypes.CDLL | None:
    for name in NAMES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    found = ctypes.util.find_library("portaudio")  # takes long: it starts other programs
    return ctypes.CDLL(found) if found else None


def main() -> None:
    print(READY, flush=True)
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0)  # an abort leaves no core file
    portaudio = load()
    if portaudio is None:
        print(json.dumps({"library": False}))
        return
    portaudio.Pa_GetErrorText.restype = ctypes.c_char_p
    code = portaudio.Pa_Initialize()
    text = portaudio.Pa_GetErrorText(code) or b""
    print(json.dumps({"library": True, "error": code, "text": text.decode(errors="replace")}))


if __name__ == "__main__":
    main()

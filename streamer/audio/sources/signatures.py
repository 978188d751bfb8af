"""What a file or stream is, by its first bytes."""

from typing import Final

LOOK_BYTES: Final = 4_096
WAV: Final = "WAV"
MP3: Final = "MP3"
OGG: Final = "Ogg"
FLAC: Final = "FLAC"
TEXT: Final = "text"

# (where, bytes, what it is); the first that fits.
_AUDIO: Final = (
    (0, b"RF64", WAV),
    (0, b"RIFX", "big-endian WAV"),
    (0, b"riff\x2e\x91\xcf\x11", "Wave64"),
    (0, b"fLaC", FLAC),
    (0, b"OggS", OGG),
    (0, b"ID3", MP3),
    (0, b"FORM", "AIFF"),
    (0, b".snd", "AU"),
    (0, b"caff", "CAF"),
    (0, b"\x1aE\xdf\xa3", "WebM or Matroska"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "Windows Media"),
    (0, b"#!AMR", "AMR"),
    (0, b"FLV", "Flash video"),
    (0, b"\x0bw", "AC-3"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"TTA1", "True Audio"),
    (0, b"\x00\x00\x01\xba", "MPEG video"),
    (0, b"ADIF", "AAC"),
    (4, b"ftypM4A", "MPEG-4 audio (M4A)"),
    (4, b"ftypqt", "QuickTime"),
    (4, b"ftyp3g", "3GP"),
    (4, b"ftyp", "MPEG-4 (MP4, M4A)"),
)
_OTHER: Final = (
    (0, b"%PDF", "a PDF document"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ", "an XZ archive"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"SQLite format 3", "an SQLite database"),
)
# These can be decoded as they come; the others need to be there whole.
STREAMED: Final = frozenset(
    (MP3, OGG, FLAC, "AAC", "WebM or Matroska", "AC-3", "AMR", "MPEG transport stream", "AU")
)


def audio_format(start: bytes) -> str | None:
    """The name of the audio or video format that begins so; None for none that is known.

    >>> audio_format(b"RIFF\\x24\\x00\\x00\\x00WAVEfmt ")
    'WAV'
    """
    if start.startswith(b"RIFF"):
        return {b"WAVE": WAV, b"AVI ": "AVI video"}.get(start[8:12])
    for where, signature, name in _AUDIO:
        if start[where:].startswith(signature):
            return name
    if len(start) > 188 and start[0] == start[188] == 0x47:
        return "MPEG transport stream"
    return _frames(start)


def other_format(start: bytes) -> str | None:
    """What it is where it is no audio, with its article; None where that is not known."""
    for where, signature, name in _OTHER:
        if start[where:].startswith(signature):
            return name
    words = start[:LOOK_BYTES]
    if len(words) >= 64 and all(32 <= c < 127 or c in (9, 10, 13) for c in words):
        return TEXT
    return None


def _frames(start: bytes) -> str | None:
    """MPEG audio and AAC have no signature: two frames, the second where the first says."""
    from streamer.audio.sources.mpeg import frame_at

    if len(start) < 4 or start[0] != 0xFF:
        return None
    if start[1] & 0xF6 == 0xF0:  # ADTS: 12 ones, layer 0
        size = (start[3] & 3) << 11 | start[4] << 3 | start[5] >> 5 if len(start) > 5 else 0
        ahead = start[size : size + 2]
        return "AAC" if size > 7 and (not ahead or ahead[:1] == b"\xff") else None
    frame = frame_at(start, 0)
    if frame is None:
        return None
    following = frame_at(start, frame.size)
    return MP3 if following is not None or len(start) <= frame.size else None

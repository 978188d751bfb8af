"""Tokens that outlive a run: files in the profile's folder that only its owner can read."""

import secrets
from pathlib import Path
from typing import Final

from streamer.errors import ProfileError
from streamer.system import make_private_folder, write_private

_FEWEST: Final = 32


def kept_token(path: Path) -> str:
    """The token in a file, made at the first call. Raises ProfileError where it cannot be kept."""
    try:
        if not path.exists() or not path.stat().st_size:  # empty: its maker was cut off
            return new_token(path)
        token = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise _useless(path, error) from error
    if len(token) < _FEWEST:
        raise ProfileError(f"{path} holds no token, only {len(token)} characters: delete it")
    return token


def new_token(path: Path) -> str:
    """Put a new token into a file; the old one opens nothing any more. Raises ProfileError."""
    token = secrets.token_urlsafe(32)
    try:
        make_private_folder(path.parent)
        write_private(path, token.encode("ascii"))
    except OSError as error:
        raise _useless(path, error) from error
    return token


def _useless(path: Path, error: Exception) -> ProfileError:
    return ProfileError(f"{path}: {error}: repair or delete it, or give --no-web")

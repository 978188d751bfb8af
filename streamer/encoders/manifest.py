"""Writing a row into a models folder's manifest."""

import json
import tomllib
from pathlib import Path
from typing import Any

from streamer.system import write_private


def write_row(path: Path, row: dict[str, Any]) -> None:
    """Write a row into the manifest; it replaces one of the same name.

    The file is replaced atomically, and on the disk when this returns. Raises OSError, and
    ValueError for a file that is not a manifest.
    """
    text = path.read_text("utf-8") if path.is_file() else ""
    others = [r for r in tomllib.loads(text).get("encoder", []) if r["name"] != row["name"]]
    write_private(path, "\n".join(_table(r) for r in (row, *others)).encode())


def _table(row: dict[str, Any]) -> str:
    return "\n".join(["[[encoder]]", *(f"{key} = {_value(v)}" for key, v in row.items()), ""])


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list):
        return "[\n" + "".join(f"  {_value(item)},\n" for item in value) + "]" if value else "[]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(v)}" for key, v in value.items()) + " }"
    # TOML's basic strings have JSON's escapes, and need this one too.
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")

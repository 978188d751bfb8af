"""Labelled sources of a profile: vectors, labels and the model fitted to them. No audio."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from streamer.errors import NotFound, UsageError
from streamer.learners.names import decode_names, encode_names
from streamer.learners.source import LabelledSource, SourceModel
from streamer.store.database import Database, pack, unpack

_ROWS: Final = "source/"
_MODEL: Final = "source-model/"
_ACTIVE: Final = "source"


@dataclass(frozen=True, slots=True)
class SourceRow:
    """What `source list` shows of one.

    encoder: the name of the one that its vectors are of; active: whether `run` uses it.
    """

    name: str
    encoder: str
    clips: int
    emotions: tuple[str, ...]
    rated: bool
    active: bool


class Sources:
    """Stored as states of the profile, so that `forget --all` deletes them as well."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, source: LabelledSource, encoder: str, sha256: str) -> SourceRow:
        """Keep a source, and its model without alignment. Raises UsageError for a name in use."""
        if name in self.names():
            raise UsageError(f"there is a source {name!r} already: remove it, or give --name")
        model = SourceModel(source, source.features[:0])
        rows: dict[str, Any] = {
            "features": source.features.astype(np.float32),
            "affect": source.affect,
            "emotions": encode_names([emotion or "" for emotion in source.emotions]),
            "encoder": encode_names([encoder, sha256]),
        }
        kept = {**model.to_arrays(), "encoder": rows["encoder"],
                "clips": np.array([len(source.features)], np.float64)}  # fmt: skip
        with self._database.transaction():
            self._save(_ROWS + name, rows)
            self._save(_MODEL + name, kept)
        return self.row(name)

    def names(self) -> list[str]:
        rows = self._database.rows(
            "SELECT name FROM states WHERE name LIKE ? ORDER BY name", f"{_MODEL}%"
        )
        return [row["name"].removeprefix(_MODEL) for row in rows]

    def row(self, name: str) -> SourceRow:
        """Raises NotFound."""
        kept, model = self._model(name)
        encoder, _ = decode_names(kept["encoder"])
        clips, active = int(kept["clips"][0]), self.active_name() == name
        return SourceRow(name, encoder, clips, model.classes, model.rated, active)

    def labelled(self, name: str) -> LabelledSource:
        """The vectors and labels, for another alignment. Raises NotFound."""
        rows = self._load(_ROWS + name, name)
        emotions = [word or None for word in decode_names(rows["emotions"])]
        return LabelledSource(rows["features"].astype(np.float64), rows["affect"], emotions)

    def remove(self, name: str) -> None:
        """Delete it; the model must be relearned if it was in use. Raises NotFound."""
        self.row(name)
        with self._database.transaction():
            if self.active_name() == name:
                self.use(None)
            for prefix in (_ROWS, _MODEL):
                self._database.write("DELETE FROM states WHERE name = ?", prefix + name)

    def use(self, name: str | None) -> None:
        """Let `run` start from this source, or from none. Raises NotFound.

        The learner's snapshot is deleted, as it started from another source; the labels stay.
        """
        if name == self.active_name():
            return
        with self._database.transaction():
            if name is None:
                self._database.write("DELETE FROM meta WHERE key = ?", _ACTIVE)
            else:
                self.row(name)
                self._database.write(
                    "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", _ACTIVE, name
                )
            self._database.write("DELETE FROM states WHERE name = 'learner'")

    def active_name(self) -> str | None:
        row = self._database.row("SELECT value FROM meta WHERE key = ?", _ACTIVE)
        return row["value"] if row else None

    def active(self, sha256: str | None) -> SourceModel | None:
        """The model in use; None without one, or where it belongs to another encoder."""
        name = self.active_name()
        if name is None:
            return None
        kept, model = self._model(name)
        return model if decode_names(kept["encoder"])[1] == sha256 else None

    def _model(self, name: str) -> tuple[dict[str, Any], SourceModel]:
        kept = self._load(_MODEL + name, name)
        return kept, SourceModel.from_arrays(kept)

    def _save(self, state: str, arrays: dict[str, Any]) -> None:
        self._database.write(
            "INSERT OR REPLACE INTO states (name, arrays, through) VALUES (?, ?, 0)",
            state,
            pack(arrays),
        )

    def _load(self, state: str, name: str) -> dict[str, Any]:
        row = self._database.row("SELECT arrays FROM states WHERE name = ?", state)
        if row is None:
            known = ", ".join(self.names()) or "none"
            raise NotFound(
                f"there is no source {name!r}; there is: {known} (`streamer source add`)"
            )
        return unpack(row["arrays"])

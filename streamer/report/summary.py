"""A record in words and figures: the text of a report."""

import math
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from streamer import __version__
from streamer.config import PRIVATE, Config
from streamer.profiles.unbiased_status import fair_line
from streamer.report.record import Record
from streamer.store.sessions import SessionRow
from streamer.text import many

MOST_SOUNDINGS: Final = 12
_PACKAGES: Final = ("numpy", "onnxruntime", "river", "soxr")


def title(record: Record) -> str:
    if record.since is not None:
        return f"Diary of profile {record.profile}, since {day(record.since)}"
    if record.session is None:
        return f"Profile {record.profile}"
    return f"Session {record.session} of profile {record.profile}"


def subtitle(record: Record) -> str:
    """Dates, source and encoder."""
    if not record.sessions:
        return "No session yet"
    first, last = record.sessions[0], record.sessions[-1]
    days = list(dict.fromkeys(day(row.started_at) for row in (first, last)))
    count = len(record.sessions)
    of = source_name(first) if count == 1 else f"{count} sessions"
    return f"{' to '.join(days)} · {of} · encoder {record.encoder}"


def answer(record: Record) -> str:
    """The result in at most three sentences."""
    fates = record.fates()
    answered, unasked = fates["answered"], fates["answered unasked"]
    asked = answered + fates["open"] + fates["closed"]
    besides = f"; {unasked:,} more were labelled unasked" if unasked else ""
    sentences = [
        f"Streamer asked about {asked:,} of {many(len(record.heard), 'utterance')}; "
        f"{answered:,} were answered{besides}."
    ]
    tested = {n: t for n, t in record.traces.items() if math.isfinite(t.agreement[-1])}
    if tested:
        values = [f"{name} {figure(trace.agreement[-1])}" for name, trace in tested.items()]
        sentences.append(
            f"The predictions agree with the labels that followed at a CCC of {_and(values)} "
            "(1 is perfect, 0 is chance)."
        )
        shares = [f"{trace.coverage[-1]:.0%}" for trace in tested.values()]
        sentences.append(f"{_and(shares)} of the labels fell into their interval (target: 80%).")
    return " ".join(sentences)


def tiles(record: Record) -> list[dict[str, str]]:
    fates = record.fates()
    audio_s = sum(audio_of(row, record) for row in record.sessions)
    rows = [
        ("Audio", length(audio_s), many(len(record.heard), "utterance")),
        ("Labels", f"{len(record.labels):,}", many(fates["open"], "question") + " open"),
        ("Labels saved", f"{fates['let go']:,}", "released without a question"),
    ]
    for name, trace in record.traces.items():
        held = f"{trace.coverage[-1]:.0%} of intervals hold"
        rows.append((f"{name.capitalize()} CCC", figure(trace.agreement[-1]), held))
    differences = [d for rater in record.raters for d in rater.difference.values()]
    if differences:
        repeats = sum(len(rater.repeats) for rater in record.raters)
        off = f"±{sum(differences) / len(differences):.2f}"
        rows.append(("Consistency", off, f"on {many(repeats, 'repeat')}"))
    return [{"name": name, "value": value, "note": note} for name, value, note in rows]


def fairly(record: Record) -> list[str]:
    """The unbiased estimates from randomly drawn questions, one line a dimension."""
    return [
        f"{name.capitalize()}, {fair_line(figures['fair'])}."
        for name, figures in record.status["dimensions"].items()
        if figures["labels"]
    ]


def sessions(record: Record) -> list[dict[str, Any]]:
    """Newest first."""
    rows = []
    for row in reversed(record.sessions):
        account = row.accounting
        rows.append(
            {
                "id": row.id,
                "started": moment(row.started_at),
                "source": source_name(row),
                "utterances": row.utterances,
                "length": _length_of(row, record),
                "account": account
                and [
                    account["captured_samples"], account["speech_samples"],
                    account["silence_samples"], sum(account["dropped_samples"].values()),
                ],
            }
        )  # fmt: skip
    return rows


def soundings(record: Record) -> list[dict[str, Any]]:
    """The last utterances that stood out from the usual, the newest first."""
    rows = []
    for row in reversed(record.heard):
        said = record.soundings.get(row.id)
        if said is not None and said.numbers:
            rows.append(
                {
                    "id": row.id,
                    "at": moment(row.heard_at),
                    "valence": figure(row.prediction.valence.mean),
                    "arousal": figure(row.prediction.arousal.mean),
                    "text": said.text,
                    "numbers": "; ".join(said.numbers),
                }
            )
        if len(rows) == MOST_SOUNDINGS:
            break
    return rows


def audio_of(row: SessionRow, record: Record) -> float:
    """Seconds of audio of a session; of one without accounts, up to its last utterance.

    Such a session is still running, or its process was killed. 0 where it was a recording, which
    is not heard at its own pace.
    """
    if row.accounting:
        return float(row.accounting["audio_s"])
    if row.kind == "file":
        return 0.0
    heard = [one.heard_at for one in record.heard if one.session == row.id]
    return max(heard[-1] - row.started_at, 0.0) if heard else 0.0


def _length_of(row: SessionRow, record: Record) -> str:
    audio_s = audio_of(row, record)
    if row.accounting:
        return length(audio_s)
    return f"{length(audio_s)} so far" if audio_s else "–"


def settings(config: Config) -> list[dict[str, Any]]:
    """Every setting, without folders and secrets."""
    rows = []
    for name, field in Config.model_fields.items():
        value = getattr(config, name)
        usual = field.get_default(call_default_factory=True)
        if name == "segmentation":
            rows += [
                {
                    "name": f"segmentation.{part}",
                    "value": getattr(value, part),
                    "changed": getattr(value, part) != getattr(usual, part),
                }
                for part in value.__dataclass_fields__
            ]
        elif name not in PRIVATE:
            rows.append({"name": name, "value": value, "changed": value != usual})
    for row in rows:
        row["value"] = "–" if row["value"] in (None, "") else row["value"]
    return rows


def versions(record: Record) -> dict[str, str]:
    return {
        "Streamer": __version__,
        "Encoder": record.encoder or "none yet",
        "Encoder's sha256": record.encoder_sha256 or "–",
        "Python": platform.python_version(),
        **{name: version(name) for name in _PACKAGES},
        "System": f"{platform.system()} {platform.machine()}",
    }


def source_name(row: SessionRow) -> str:
    """The file's name without its folder, which may be private."""
    return Path(row.source).name if row.kind == "file" else row.source


def day(at_s: float) -> str:
    return time.strftime("%-d %B %Y", time.localtime(at_s))


def moment(at_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at_s))


def figure(value: float) -> str:
    """Two digits; a dash where it is not known yet.

    >>> figure(-0.014), figure(math.nan)
    ('−0.01', '–')
    """
    return f"{value:.2f}".replace("-", "−") if math.isfinite(value) else "–"


def length(seconds: float) -> str:
    """
    >>> length(75.4), length(3661.0)
    ('1:15', '1:01:01')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _and(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)

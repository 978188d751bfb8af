"""The rows of `queue`, `status`, `emotions` and other verbs, as text."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from streamer.audio.quality import why_unclear
from streamer.profiles.unbiased_status import fair_line
from streamer.terminal.lines import clock, interval
from streamer.text import many
from streamer.types import DIMENSIONS, Estimate

if TYPE_CHECKING:
    from streamer.annotation.enrolment import Verified
    from streamer.encoders.probe_outputs import Measurement
    from streamer.encoders.registry import EncoderRow
    from streamer.encoders.vector_map import VectorMap
    from streamer.profiles.overview import ProfileRow

PREQUENTIAL: Final = (
    "prequential: each label was predicted before it was learned. CCC: agreement, 1 is perfect, 0",
    "is chance. coverage: the share of labels inside their 80 % interval.",
)


def query_line(row: dict[str, Any]) -> str:
    """An open question; without its prediction where that is hidden."""
    clip = "" if row["has_clip"] else "  (no audio kept)"
    place = f"{row['source']} {clock(row['onset_s'])}-{clock(row['offset_s'])}"
    guess = ""
    if "valence" in row:
        valence, arousal = (interval(Estimate(**row[name])) for name in DIMENSIONS[:2])
        guess = f"  valence {valence}  arousal {arousal}"
    return f"#{row['utterance']:<5} {place}{guess}{clip}"


def verified_line(found: "Verified") -> str:
    verdict = found.verdict
    near = sorted(verdict.distances.items(), key=lambda pair: pair[1])
    distances = ", ".join(f"{name} {distance:.2f}" for name, distance in near)
    answer = (verdict.emotion or "unknown") if near else "nothing is enrolled"
    answer += "" if verdict.own else " by usual voices"
    unclear = why_unclear(found.quality)
    return (
        f"{found.source} {clock(found.onset_s)}-{clock(found.offset_s)}  {answer}"
        f"{f' ({distances})' if near else ''}  valence {interval(found.prediction.valence)}  "
        f"arousal {interval(found.prediction.arousal)}"
        f"{f'  uncertain: {unclear}' if unclear else ''}"
    )


def emotion_line(row: dict[str, Any]) -> str:
    eer = "not known yet" if row["eer"] is None else f"{row['eer']:.0%}"
    accepts = row["open_set_false_accepts"]
    unenrolled = "" if accepts is None else f"; not enrolled, {accepts:.0%} get another's name"
    return (
        f"{row['emotion']:20} {many(row['count'], 'utterance')}, "
        f"unknown beyond {row['threshold']:.2f}, "
        f"equal error rate {eer}{unenrolled}"
    )


def status_lines(row: dict[str, Any]) -> list[str]:
    counts = row["utterances"]
    lines = [
        f"profile {row['profile']}, encoder {row['encoder'] or 'none yet'}, "
        f"learner {row['learner']}, "
        f"{row['disk_bytes'] / 1e6:.1f} MB on disk",
        f"listening: {row['listening'] or 'no'}",
        f"utterances: {sum(counts.values()):,}, {counts['asked']:,} asked, "
        f"{counts['released']:,} released",
        f"labels: {row['labels']['given']:,} given, {row['labels']['learned']:,} learned; "
        f"{many(row['open_queries'], 'open question')}; "
        f"{many(row['emotions'], 'emotion')} enrolled",
    ]
    if row["mapped"]:
        lines.append(
            f"mapped: {many(row['mapped'], 'utterance')} without audio, carried from another "
            "encoder by a linear map"
        )
    if row["not_asked"]:
        lines.append(f"not asked because of the budget or quiet hours: {row['not_asked']}")
    if row["waiting_to_be_asked"]:
        lines.append(f"waiting until the budget allows them: {row['waiting_to_be_asked']}")
    if len(row["annotators"]) > 1:
        lines += [rater_line(name, figures) for name, figures in row["annotators"].items()]
    lines += [f"drift: {drift['text']}" for drift in row["drift"]] or ["drift: none"]
    if row["source"] is not None:
        lines.append(source_line(row["source"]))
    for name, figures in row["dimensions"].items():
        if figures["labels"]:
            ccc = "not known yet" if figures["ccc"] is None else f"{figures['ccc']:.2f}"
            held = "" if figures["coverage"] is None else f", coverage {figures['coverage']:.0%}"
            given = many(figures["labels"], "label")
            lines.append(f"{name}: {given}, prequential CCC {ccc}{held}")
            lines.append(f"  {fair_line(figures['fair'])}")
    if any(figures["labels"] for figures in row["dimensions"].values()):
        lines += PREQUENTIAL
    return lines


def profile_line(row: "ProfileRow", width: int = 0) -> str:
    """One of `streamer profiles`. width: of the name's column."""
    if row.problem is not None:
        return f"{row.name:{width}}  cannot be read: {row.problem}"
    day = "never" if row.last_used_at is None else _day(row.last_used_at)
    listening = f"; in use by {row.listening}" if row.listening else ""
    return (
        f"{row.name:{width}}  {many(row.sessions, 'session')}, "
        f"{many(row.utterances, 'utterance')}, {many(row.labels, 'label')}, "
        f"{row.disk_bytes / 1e6:.1f} MB, last used {day}{listening}"
    )


def _day(at_s: float) -> str:
    return time.strftime("%Y-%m-%d", time.localtime(at_s))


def source_line(row: dict[str, Any]) -> str:
    used = "in use" if row["trusted"] else "not used for emotions: no better than the majority"
    return (
        f"source {row['name']}: {used}; named {row['right']} of {row['named']} answers before they "
        f"were given, the most frequent emotion {row['majority']}"
    )


def rater_line(name: str, figures: dict[str, Any]) -> str:
    """One of several annotators: the weight of their labels, and the reason."""
    agreement, apart = figures["agreement"], figures["disagreement"]
    told = [many(figures["labels"], "label"), f"each counts {figures['weight']:.2f}"]
    told += [] if agreement is None else [f"agreement with the rest {agreement:.2f}"]
    told += [] if apart is None else [f"{apart:.2f} from others' answers"]
    return f"  {name}: {', '.join(told)}"


def model_lines(row: "EncoderRow", *, verified: bool) -> list[str]:
    mark = "*" if row.default else " "
    limits = "" if row.commercial_use else ", no commercial use"
    state = ", verified" if verified else ""
    size = f"{row.size_bytes / 1e6:.1f} MB" if row.file else "built in"
    first = (
        f"{mark} {row.name}  {size}, embedding {row.embedding_size}, "
        f"emotion {row.emotion_size}, licence {row.licence}{limits}{state}"
    )
    return [first, *([f"    {row.description}"] if row.description else [])]


def map_line(found: "VectorMap", names: Mapping[str, str]) -> str:
    """names: of encoders, by sha256."""
    source, target = (names.get(one, one[:12]) for one in (found.source, found.target))
    return (
        f"  map {source} ({found.source[:12]}) to {target}: explained variance "
        f"{found.explained:.2f}, cosine of the emotion vectors {found.cosine:.2f}"
    )


def added_line(row: "EncoderRow", found: "Measurement") -> str:
    padding = "does not change" if found.padding_invariant else "changes"
    return (
        f"added {row.name} to {row.folder}: 3 s of speech in {found.latency_ms:.1f} ms on one "
        f"thread (real-time factor {found.realtime_factor:.4f}), at least {found.min_samples} "
        f"samples; trailing silence {padding} its outputs; use it with --encoder {row.name}"
    )

"""The row of `streamer pool status` as text."""

from typing import Any

from streamer.text import many


def pool_lines(row: dict[str, Any]) -> list[str]:
    """Counts, then a line for each point of each learning curve."""
    lines = [
        f"pool {row['pool']}, encoder {row['encoder']}, {row['precision']}, "
        f"{row['disk_bytes'] / 1e6:.1f} MB on disk",
        f"{many(row['recordings'], 'recording')}, {many(row['utterances'], 'utterance')}, "
        f"{row['speech_s'] / 3600:.2f} h of speech",
        f"asked {row['asked']:,}: {row['answered']:,} answered, {row['open']:,} open",
    ]
    if row["incomplete"]:
        lines.append(f"{many(row['incomplete'], 'recording')} not read to the end")
    for name, figures in row["dimensions"].items():
        lines.append(f"{name}: {many(figures['labels'], 'label')}, predicted before learned")
        for point in figures["curve"]:
            ccc = "not known yet" if point["ccc"] is None else f"{point['ccc']:.2f}"
            rmse = "" if point["rmse"] is None else f", RMSE {point['rmse']:.2f}"
            lines.append(f"  first {point['labels']:>5,}: CCC {ccc}{rmse}")
    return lines

"""A folder of recordings to a table of predictions.

    python examples/folder_to_predictions.py FOLDER OUT.csv

One row an utterance, with the interval of each dimension, which is to hold eight labels of ten.
Nothing is asked and nothing stays: without a profile the loop works in a temporary one.
"""

import csv
import sys

import streamer
from streamer.events import Heard

folder, out = sys.argv[1:3]
dimensions = ("valence", "arousal", "dominance")
with open(out, "w", newline="", encoding="utf-8") as file:  # noqa: PTH123
    table = csv.writer(file)
    edges = [f"{name}_{edge}" for name in dimensions for edge in ("mean", "low", "high")]
    table.writerow(["source", "onset_s", "offset_s", *edges, "emotion"])
    for event in streamer.Loop(folder, keep=0.0):
        if isinstance(event, Heard):
            estimates = [getattr(event.prediction, name) for name in dimensions]
            values = [round(v, 3) for e in estimates for v in (e.mean, e.low, e.high)]
            times = round(event.onset_s, 3), round(event.offset_s, 3)
            table.writerow([event.source, *times, *values, event.verdict.emotion or ""])

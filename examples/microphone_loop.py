"""The whole loop in ten lines: listen, predict, ask, learn. Ctrl-C stops; the profile stays.

python examples/microphone_loop.py [RECORDING]
"""

import sys

import streamer
from streamer.events import Heard, Selected

source = sys.argv[1] if sys.argv[1:] else "microphone"
with streamer.Loop(source, profile="example") as loop:
    for event in loop:
        if isinstance(event, Heard):
            means = event.prediction.valence.mean, event.prediction.arousal.mean
            print(f"#{event.id} at {event.onset_s:.1f} s: valence %+.2f, arousal %+.2f" % means)
        elif isinstance(event, Selected):
            for number in event.asked:
                valence, arousal = map(float, input(f"#{number}, valence arousal: ").split())
                loop.label(number, valence=valence, arousal=arousal)

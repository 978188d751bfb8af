"""Labels by time go to the utterances that they overlap with; what does not match is told."""

import pytest

from streamer.annotation.exchange.matching import Heard, match
from streamer.annotation.exchange.timed import TimedLabel
from streamer.annotation.scales import Scales
from streamer.errors import UsageError

HEARD = [
    Heard(1, "talks/Monday.wav", 0.0, 2.0),
    Heard(2, "talks/Monday.wav", 3.0, 5.0),
    Heard(3, "tuesday.flac", 0.0, 2.0),
]
USUAL = Scales.usual()


def timed(onset_s, offset_s, emotion=None, source="monday", annotator=None, **values):
    return TimedLabel(source, onset_s, offset_s, values, emotion, annotator)


def matched(*labels, heard=HEARD, scales=USUAL):
    found = match(labels, heard, "me", scales)
    return [(o.utterance, o.emotion, o.valence, o.arousal, o.annotator) for o in found.labels], (
        found.notes
    )


def test_half_of_the_shorter_is_enough_and_less_is_told():
    labels, notes = matched(timed(0.9, 3.1, "joy"), timed(4.6, 6.0, "fear"))
    assert labels == [(1, "joy", None, None, "me")]
    assert notes == ["1 label match no utterance: monday (4.60 to 6.00 s)"]


def test_one_label_over_several_utterances_counts_for_each():
    labels, notes = matched(timed(0.0, 60.0, "calm"))
    assert [one[:2] for one in labels] == [(1, "calm"), (2, "calm")]
    assert notes == []


def test_of_several_the_values_are_averaged_by_time_and_the_longest_emotion_wins():
    labels, _ = matched(
        timed(0.0, 0.5, "joy", valence=1.0, arousal=0.0),
        timed(0.5, 2.0, "anger", valence=-1.0, arousal=1.0),
        timed(0.0, 1.0, "fear", annotator="ann"),
    )
    assert labels == [(1, "fear", None, None, "ann"), (1, "anger", -0.5, 0.75, "me")]


def test_recordings_are_told_apart_by_name_and_the_only_one_needs_none():
    assert matched(timed(0.0, 2.0, "joy", source="TUESDAY.mp3"))[0][0][0] == 3
    with pytest.raises(UsageError, match="no label matches"):
        matched(timed(0.0, 2.0, "joy", source=""))
    assert matched(timed(0.0, 2.0, "joy", source=""), heard=HEARD[:2])[0][0][0] == 1
    with pytest.raises(UsageError, match="no label matches"):
        matched(timed(0.0, 2.0, "joy", source="wednesday"), heard=HEARD[:2])


def test_valence_alone_is_left_out_and_told():
    labels, notes = matched(timed(0.0, 2.0, valence=0.5), timed(3.0, 5.0, "joy"))
    assert [one[0] for one in labels] == [2]
    assert notes == ["left out 1 utterance with valence or arousal alone: #1"]


def test_values_are_on_the_scale_of_the_file():
    labels, _ = matched(timed(0.0, 2.0, valence=5.0, arousal=1.0), scales=Scales.parse("1:5"))
    assert labels[0][2:4] == (5.0, 1.0)
    with pytest.raises(UsageError):
        matched(timed(0.0, 2.0, valence=5.0, arousal=1.0))

"""The first steps, driven by events."""

import pytest

from streamer.annotation.first_steps import SENTENCES, FirstSteps, judge
from streamer.events import Noticed, Selected, Withheld
from streamer.types import Quality

GOOD = Quality(-24.0, 31.0, False)
NOISY = Quality(-24.0, 2.0, False, trust=0.4)


def heard(number: int, seconds: float = 1.5, quality: Quality = GOOD) -> Withheld:
    return Withheld(number, "mic", 10.0 * number, 10.0 * number + seconds, quality, 9.0)


def at_the_sentences() -> FirstSteps:
    steps = FirstSteps()
    steps.emit(heard(1))
    assert steps.state.step == "speak"
    return steps


def test_the_microphone_is_good_once_speech_came_through_clearly() -> None:
    steps = FirstSteps()
    steps.emit(Noticed("mic: nothing but digital silence: it may be muted", "silent_input"))
    assert (steps.state.step, steps.state.sound) == ("microphone", "poor")
    assert "muted" in steps.state.sound_text
    steps.emit(heard(1, quality=NOISY))
    assert (steps.state.step, steps.state.sound) == ("microphone", "poor")
    assert "2 dB above the noise" in steps.state.sound_text
    steps.emit(heard(2))
    assert (steps.state.step, steps.state.sound) == ("speak", "good")
    steps.emit(Noticed("the licence", "general"))
    assert steps.state.sound == "good"


@pytest.mark.parametrize(
    ("quality", "remedy"),
    [(Quality(-1.0, 40.0, True), "down"), (NOISY, "closer"), (GOOD, "Good")],
)
def test_what_is_wrong_with_a_recording_is_said_with_what_helps(
    quality: Quality, remedy: str
) -> None:
    assert remedy in judge(quality)[1]


def test_each_utterance_is_the_sentence_that_was_shown() -> None:
    steps = at_the_sentences()
    steps.emit(heard(2))
    steps.emit(heard(3, seconds=0.4))  # a cough
    steps.emit(heard(4))
    assert steps.state.sentence == SENTENCES[2]
    assert steps.state.heard == ((1, None), (2, 0), (3, None), (4, 1))
    steps.read_again()
    assert steps.state.sentence == SENTENCES[1]
    steps.emit(heard(5))
    assert steps.state.heard[3:] == ((4, None), (5, 1))
    for number in range(6, 12):
        assert steps.state.step == "speak"
        steps.emit(heard(number))
    assert steps.state.step == "answer"
    assert steps.state.sentence is None
    assert [s for _, s in steps.state.heard if s is not None] == list(range(8))
    steps.emit(heard(12))  # somebody goes on talking
    assert steps.state.heard[-1] == (12, None)


def test_who_just_talks_is_asked_as_soon_as_there_is_a_question() -> None:
    steps = at_the_sentences()
    steps.emit(Selected(1, "random", "at random", [1], [2]))
    assert steps.state.step == "speak"  # the sentences go on
    steps.read_sentences(False)
    assert steps.state.sentence is None
    steps.emit(Selected(2, "random", "nothing is clear", [], [3]))
    assert steps.state.step == "speak"
    steps.emit(Selected(3, "random", "at random", [4], [5]))
    assert steps.state.step == "answer"


def test_every_step_can_be_skipped_once_and_visited_again() -> None:
    steps = FirstSteps()
    for was, now in (("microphone", "speak"), ("speak", "answer"), ("answer", "learned")):
        steps.go_on(was)
        steps.go_on(was)  # a second click on the same button
        assert steps.state.step == now
    steps.go_on("learned")
    assert steps.state.step == "learned"
    steps.go_to("microphone")
    assert steps.state.step == "microphone"
    steps.read_again()  # there is none yet
    assert steps.state.read == 0


def test_there_are_eight_sentences_two_in_each_of_four_moods() -> None:
    assert len({one.text for one in SENTENCES}) == 8
    moods = [one.mood for one in SENTENCES]
    assert sorted(moods) == sorted(2 * ["calm", "happy", "sad", "angry"])

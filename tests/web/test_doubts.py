"""What the pages ask again: an answer far from what was predicted, examples of another emotion."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from streamer.config import Config
from streamer.loop.profile_model import ProfileModel
from streamer.store.profile import Profile
from tests.support import bound_profile, made_voices, store_utterance
from tests.web.api.test_answers import answer, got, posted
from tests.web.browser import answered, item_number, open_page, shown_next, undone
from tests.web.conftest import tone

UTTERANCES = 12


@pytest.fixture
def asked(config: Config):
    """Questions whose answers are expected near 0.6; odd ones sound like joy, even ones like anger.

    Both emotions are known from a population.
    """
    rng = np.random.default_rng(0)
    axes = np.eye(4)[:2]
    prior = replace(
        made_voices(rng, emotions=2),
        class_affect=np.full((2, 3), 0.6),
        noise=np.full(3, 0.05),
        prototypes=axes,
        prototype_names=np.array(["anger", "joy"]),
        prototype_thresholds=np.full(2, 0.7),
        emotion_mean=np.zeros(4),
    )
    opened = bound_profile(Path(config.profile), prior)
    profile_model = ProfileModel(opened)
    for number in range(1, UTTERANCES + 1):
        embedding = rng.normal(size=6).astype(np.float32)
        vector = (axes[number % 2] + 0.05 * rng.normal(size=4)).astype(np.float32)
        store_utterance(opened, embedding, vector)
        profile_model.adapt(SimpleNamespace(embedding=embedding, emotion=vector))
    questions = [(n, -float(n), tone(n)) for n in range(1, UTTERANCES + 1)]
    opened.utterances.select("made", "for a test", questions, [], 200.0)
    yield opened
    opened.close()


FAR = {"valence": -1.0, "arousal": -1.0}


def test_a_surprising_answer_is_asked_about_and_a_sure_one_kept(client, asked):
    assert answer(client, 1, **FAR, sure=False) == {"surprising": True}
    assert asked.labels.count() == 0
    assert answer(client, 1, **FAR, sure=True)["answer"]["valence"] == -1.0
    # A second answer is not learned, and to question it would tell what is predicted.
    # Answered already: neither asked about nor stored a second time.
    assert "elsewhere" in answer(client, 1, 409, **FAR, sure=False)["error"]


def test_an_expected_answer_and_one_of_another_program_are_not_asked_about(client, asked):
    answer(client, 1, valence=0.6, arousal=0.6, sure=False)
    answer(client, 2, **FAR)
    assert asked.labels.count() == 2


def test_contradicting_examples_are_asked_about_and_sure_ones_enrolled(client, asked):
    even = [2, 4, 6, 8, 10]
    told = posted(client, "/api/enrollments", emotion="joy", utterances=even, sure=False)
    assert told == {"doubt": "these 5 clips sound more like anger than like joy"}
    assert asked.emotions.names() == []
    agree = posted(client, "/api/enrollments", emotion="anger", utterances=even, sure=False)
    assert "5 more would help" in agree["advice"]
    assert "enroll neutral next" in agree["advice"]
    posted(client, "/api/enrollments", emotion="joy", utterances=even, sure=True)
    assert {e["emotion"]: e["count"] for e in got(client, "/api/emotions")["emotions"]} == {
        "anger": 5,
        "joy": 5,
    }


def test_the_label_page_asks_once_and_keeps_it_by_one_key(browser, served, asked: Profile):
    page, faults = open_page(browser, served.url)
    first = item_number(page)
    surprise = page.locator("#surprise")

    def question() -> None:
        for _ in range(4):
            page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        surprise.wait_for()

    question()
    assert page.inner_text("#save").startswith("Keep it")
    assert asked.labels.count() == 0
    page.keyboard.press("ArrowDown")  # corrected or not: it is asked about once
    page.keyboard.press("Enter")
    shown_next(page, first)
    assert surprise.is_hidden()
    assert [e.label.valence for e in asked.labels.effective()] == [-1.0]
    second = item_number(page)
    question()
    page.keyboard.press("s")  # it blocks nothing
    shown_next(page, second)
    assert surprise.is_hidden()
    undone(page, lambda: page.keyboard.press("z"))
    undone(page, lambda: page.keyboard.press("z"))
    assert item_number(page) == first
    answered(page, lambda: page.keyboard.press("Enter"))
    assert asked.labels.count() == 1
    assert not faults


def test_the_emotions_page_asks_before_it_enrolls_what_sounds_otherwise(browser, served, asked):
    page, faults = open_page(browser, served.url.replace("/?", "/emotions?"))
    page.fill("#name", "joy")
    for number in (2, 4, 6, 8, 10):
        page.locator(f'#recent input[value="{number}"]').check()
    page.locator("#enroll").click()
    page.wait_for_selector("#doubt:text('sound more like anger than like joy: sure?')")
    assert asked.emotions.names() == []
    page.fill("#name", "anger")  # another name, another question
    assert page.locator("#doubt").is_hidden()
    page.fill("#name", "joy")
    page.locator("#enroll").click()
    page.locator("#doubt").wait_for()
    page.locator("#enroll:text('all the same')").click()
    page.wait_for_selector("#enrolled td:text-is('joy')")
    assert page.locator("#doubt").is_hidden()
    assert len(asked.emotions.enrolled()["joy"]) == 5
    assert not faults

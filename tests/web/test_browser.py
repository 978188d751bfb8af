"""The pages in a real browser: by mouse, by finger, at every size, and for everybody."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.api.test_answers import answer
from tests.web.browser import answered, item_number, open_page, shown_next, undone

# What is there once a page has fetched what it shows.
DRAWN = {
    "/": "#item-name",
    "/live": "#rows tr",
    "/emotions": "#enrolled td",
    "/profile": "#labels td",
}


def test_a_label_is_corrected_deleted_and_forgotten_by_mouse(browser, served, client, asked):
    answer(client, 1, emotion="joy")
    answer(client, 2)
    page, faults = open_page(browser, served.url.replace("/?", "/profile?"))

    def row(utterance: int) -> Any:
        return page.locator(
            "#labels tr", has=page.locator(f"td:first-child:text-is('{utterance}')")
        )

    row(1).locator(".correct").click()
    page.fill("#correction-form [name=valence]", "-0.75")
    page.fill("#correction-form [name=emotion]", "Woe")
    page.click("#correction-form .primary")
    page.wait_for_selector("#labels td:text-is('woe')")
    label = asked.labels.answer_of(1, "me").label
    assert (label.valence, label.arousal, label.emotion) == (-0.75, -0.25, "woe")
    row(2).locator(".delete").click()
    page.click("#sure button[value=cancel]")
    assert asked.labels.count() == 2
    row(2).locator(".delete").click()
    page.click("#sure .danger")
    row(2).wait_for(state="detached")
    assert asked.labels.answer_of(2, "me") is None
    page.fill(".forget[data-what=utterance] input", "1")
    page.click(".forget[data-what=utterance] button")
    page.click("#sure .danger")
    page.wait_for_selector("#labels td:text('No labels yet')")
    assert asked.labels.count() == 0
    assert 1 not in asked.utterances.numbers()
    assert not faults


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.long)])
def test_nothing_keeps_anybody_out(browser, served, client, scheme):
    """axe-core on every page, at the size of a desk and of a phone."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe (pip)")
    answer(client, 1, emotion="joy")
    page, faults = open_page(browser, served.url, color_scheme=scheme, reduced_motion="reduce")
    for path in every_page(page, served, (1280, 390)):
        if path == "/":
            page.keyboard.press("1")
        found = axe.Axe().run(page).response["violations"]
        serious = [fault for fault in found if fault["impact"] in ("serious", "critical")]
        told = [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in serious]
        assert not told, path
    assert not faults


def test_no_page_is_wider_than_its_window(browser, served, client):
    answer(client, 1, emotion="joy")
    page, _ = open_page(browser, served.url)
    for path in every_page(page, served, (1280, 390, 320)):
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(wide) <= 0, path


def every_page(page: Any, served: Any, widths: tuple[int, ...]) -> Iterator[str]:
    """Each page's path in turn, at each width, once what it shows has been drawn."""
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        for path, drawn in DRAWN.items():
            page.goto(served.url.split("/?")[0] + path)
            page.wait_for_selector(drawn)
            yield path


def test_a_finger_is_enough(browser, served, asked):
    page, faults = open_page(
        browser, served.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    item_number(page)
    page.locator("#play").tap()
    box = page.locator("#plane").bounding_box()
    page.touchscreen.tap(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25)
    page.locator("#emotions [data-emotion=anger]").tap()
    answered(page, page.locator("#save").tap)
    label = asked.labels.effective()[0].label
    assert (label.valence, label.arousal) == pytest.approx((0.5, 0.5), abs=0.02)
    assert label.emotion == "anger"
    undone(page, page.locator("#undo").tap)
    assert asked.labels.count() == 0
    assert page.locator("#emotions [data-emotion=anger]").get_attribute("aria-pressed") == "true"
    for button, kind in (("#skip", "skip"), ("#cannot-tell", "cannot tell")):
        before = item_number(page)
        page.locator(button).tap()
        shown_next(page, before)
        assert asked.annotation_events.count("me", kind) == 1
    page.locator("#help").tap()
    page.locator("#keys .primary").tap()
    page.locator("#add-emotion").tap()
    page.fill("#new-name", "Fed up")
    page.locator("#new-emotion button").tap()
    answered(page, page.locator("#save").tap)
    assert asked.labels.effective()[0].label.emotion == "fed up"
    assert not faults


def test_dominance_is_answered_with_a_place_on_the_plane(browser, served, client, asked):
    page, faults = open_page(browser, served.url)
    item_number(page)
    page.locator("#want-dominance").check()
    assert page.locator("#dominance").is_disabled()
    page.locator("#plane").click(position={"x": 60, "y": 60})
    page.locator("#dominance").fill("0.5")
    answered(page, lambda: page.locator("#save").click())
    assert page.locator("#dominance").is_disabled()
    (entry,) = asked.labels.effective()
    assert entry.label.dominance == 0.5
    assert entry.label.valence < 0 < entry.label.arousal
    assert not faults


def test_an_emotion_with_html_in_its_name_is_text_in_every_page(browser, served, client, asked):
    nasty = "<img src=x onerror=alert(1)>"
    answer(client, 1, emotion=nasty, annotator="<b>you</b>")
    for path in ("/", "/live", "/emotions", "/profile"):
        page, faults = open_page(browser, served.url.replace("/?", f"{path}?"))
        if path != "/live":
            page.wait_for_selector(f"text={nasty}", state="attached")
        assert page.locator("main img, main b:text('you')").count() == 0
        assert not faults
        page.context.close()

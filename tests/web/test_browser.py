"""The pages in a real browser: by mouse, by finger, at every size, and for everybody."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.api.test_answers import answer
from tests.web.browser import answered, item_number, open_page, shown_next, undone, wait_until

# What is there once a page has fetched what it shows.
DRAWN = {
    "/": "#item-name",
    "/start": "#step-microphone.on",
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
            page.goto(page.url.rpartition("/")[0] + path)
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
    assert not page.locator("#help").is_visible()  # there are no keys
    assert not page.locator("kbd >> visible=true").count()
    assert "space" not in page.locator("body").inner_text()
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


def test_a_half_given_answer_outlives_a_refresh_and_two_tabs_are_no_repeat(
    browser, served, client, asked
):
    page, faults = open_page(browser, served.url)
    item_number(page)
    assert page.locator("#valence").get_attribute("aria-valuetext") == "not set"
    assert page.locator("#valence.unset, #arousal.unset").count() == 2
    page.locator("#valence").fill("0.5")
    assert page.locator("#arousal.unset").count() == 1
    assert page.locator("#save").is_disabled()
    assert page.inner_text("#summary") == "Set arousal too."
    box = page.locator("#arousal").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    assert page.locator(".unset >> visible=true").count() == 0  # the middle is an answer, too
    page.keyboard.press("4")
    for _ in range(2):
        page.reload()
        item_number(page)
        assert page.inner_text("#summary") == "valence +0.50, arousal +0.00, anger"
        pressed = page.locator("#emotions [aria-pressed=true]")
        assert pressed.inner_text().split() == ["4", "anger"]
    # A more informative question comes meanwhile: the half-given one still comes first.
    asked.database.write("UPDATE queries SET score = 5 WHERE utterance = 9")
    page.reload()
    assert item_number(page) == "Utterance 1"
    # The same question in another tab, answered there first.
    other = page.context.new_page()
    other.goto(page.url)
    wait_until(other, "document.getElementById('item-name').textContent === 'Utterance 9'")
    answer(client, 1, seat="a third one")
    with page.expect_response("**/api/labels") as refused:
        page.keyboard.press("Enter")
    assert refused.value.status == 409
    shown_next(page, "Utterance 1")
    assert "elsewhere" in page.locator(".said .toast").inner_text()
    assert asked.annotation_events.repeats() == []
    assert [fault for fault in faults if "409" not in fault] == []
    seats = [tab.evaluate("sessionStorage.getItem('streamer-seat')") for tab in (page, other)]
    assert seats[0] != seats[1]
    page.context.close()


def test_valence_alone_is_answered_where_only_it_is_asked(browser, served, asked):
    asked.set_meta("dimension", "valence")
    page, faults = open_page(browser, served.url)
    item_number(page)
    for hidden in ("#plane", "#arousal", "#dominance", "#want-dominance"):
        assert not page.locator(hidden).is_visible()
    assert page.locator("#save").is_disabled()
    page.keyboard.press("ArrowUp")
    assert page.locator("#save").is_disabled()
    page.keyboard.press("ArrowRight")
    answered(page, lambda: page.keyboard.press("Enter"))
    label = asked.labels.answer_of(1, "me").label
    assert (label.valence, label.arousal) == (0.25, None)
    assert not faults
    page.context.close()


@pytest.mark.parametrize(
    "screen",
    [
        {"viewport": {"width": 1280, "height": 800}},
        {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
        {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2},  # 1280 at 200 %
    ],
    ids=["1280", "390", "200 %"],
)
def test_what_is_said_covers_nothing_and_nothing_jumps(browser, served, screen):
    page, faults = open_page(browser, served.url, **screen)
    item_number(page)
    parts = ("#plane", "#play", "#emotions", "#skip", "#save")

    def places() -> dict[str, Any]:
        top = page.evaluate("scrollY")
        boxes = {part: page.locator(part).bounding_box() for part in parts}
        is_fixed = page.evaluate("getComputedStyle(document.querySelector('.actions')).position")
        moves = {part: 0 if is_fixed == "sticky" and part in parts[3:] else top for part in parts}
        return {part: (box["x"], box["y"] + moves[part]) for part, box in boxes.items()}

    before = places()
    page.locator("#plane").click(position={"x": 60, "y": 60})
    answered(page, lambda: page.locator("#save").click())
    page.wait_for_selector(".said .toast.shown")
    assert "Predicted: valence" in page.inner_text(".said .toast")
    said = page.locator(".said").bounding_box()
    height = screen["viewport"]["height"]
    if height > 560:
        assert said["y"] >= 0
        assert said["y"] + said["height"] <= height  # in view, wherever one has scrolled
    assert places() == before
    for part in ("#skip", "#cannot-tell", "#save", "#undo"):
        box = page.locator(part).bounding_box()
        apart = (
            box["y"] >= said["y"] + said["height"] - 1
            or said["y"] >= box["y"] + box["height"] - 1
            or box["x"] >= said["x"] + said["width"] - 1
            or said["x"] >= box["x"] + box["width"] - 1
        )
        assert apart, part
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wide) <= 0
    assert not faults
    page.context.close()


def test_an_emotion_with_html_in_its_name_is_text_in_every_page(browser, served, client, asked):
    nasty = "<img src=x onerror=alert(1)>"
    answer(client, 1, emotion=nasty, annotator="<b>you</b>")
    for path in ("/", "/start", "/live", "/emotions", "/profile"):
        page, faults = open_page(browser, served.url.replace("/?", f"{path}?"))
        if path not in {"/live", "/start"}:
            page.wait_for_selector(f"text={nasty}", state="attached")
        assert page.locator("main img, main b:text('you')").count() == 0
        assert not faults
        page.context.close()


def test_a_term_is_explained_by_mouse_and_by_key(browser, served, client):
    page, faults = open_page(browser, served.url.replace("/?", "/live?"))
    page.wait_for_selector("#rows tr")
    for term, part in (("ccc", "1 is perfect"), ("prequential", "before that label was learned")):
        button = page.locator(f"[popovertarget=term-{term}]")
        meaning = page.locator(f"#term-{term}")
        assert not meaning.is_visible()
        button.focus()
        page.keyboard.press("Enter")
        assert part in meaning.inner_text()
        page.keyboard.press("Escape")
        assert not meaning.is_visible()
        button.click()
        assert meaning.is_visible()
        page.mouse.click(5, 5)
        assert not meaning.is_visible()
    assert not faults
    page.context.close()


def test_the_live_view_tells_when_it_was_not_how_long_ago_the_first_was(browser, served, asked):
    """After a pause: times of day, a date for another day, and no line across the pause."""
    now = 1_790_000_000.0
    for number, ago_s in zip(range(31, 36), (90_000.0, 300.0, 290.0, 90.0, 80.0), strict=True):
        asked.database.write(
            "UPDATE utterances SET heard_at = ? WHERE id = ?", now - 10_800.0 - ago_s, number
        )
    page = browser.new_context(timezone_id="UTC", locale="en-GB").new_page()
    page.clock.set_fixed_time(now)
    page.goto(served.url.replace("/?", "/live?"))
    page.wait_for_selector("#valence-chart text")
    texts = page.locator("#valence-chart text").all_text_contents()
    assert any(text.endswith(", 3 h ago") for text in texts)
    assert page.locator("#valence-chart polyline").count() == 2
    rows = page.locator("#rows tr").all_inner_texts()
    assert any("Sep" in row or "Sept" in row for row in rows)
    page.context.close()


def test_why_is_told_beside_the_answer_and_can_be_listened_to(browser, served, client, asked):
    for number in (4, 5, 6, 7, 8):
        asked.acoustics.add(number, {"pitch_mean_st": 20.0 + number % 2})
    answer(client, 2, emotion="joy")
    page, faults = open_page(browser, served.url)
    item_number(page)
    page.locator("#plane").click(position={"x": 60, "y": 60})
    answered(page, lambda: page.locator("#save").click())
    page.wait_for_selector("#why-text:text('sounded higher')")
    page.click("#why-button")
    assert "pitch" in page.inner_text("#why-numbers")
    with page.expect_response("**/clips/2") as heard:
        page.click("#near button")
    assert heard.value.ok
    page.keyboard.press("Escape")
    assert not page.locator("#why").is_visible()
    assert not faults
    page.context.close()

"""What a browser shows without the key, and while Streamer is away; and that it recovers."""

from pathlib import Path

import pytest

from streamer.web.bind import Address
from streamer.web.server import serving
from tests.web.browser import open_page, wait_until
from tests.web.conftest import client_of

LOST = "() => !document.getElementById('lost').hidden"


def violations(page) -> list[str]:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe (pip)")
    found = axe.Axe().run(page).response["violations"]
    return [one["id"] for one in found if one["impact"] in ("serious", "critical")]


@pytest.mark.long
def test_a_page_that_lost_its_connection_says_so_and_goes_on_after_a_restart(
    browser, config, asked
):
    kept = config.model_copy(update={"keep_token": True})
    with serving(kept, Address("127.0.0.1", 0)) as pages:
        port = client_of(pages).port
        page, _ = open_page(browser, pages.url, viewport={"width": 390, "height": 844})
        page.wait_for_selector("#item-name")
        assert not page.evaluate(LOST)
    wait_until(page, LOST)
    assert "goes on by itself" in page.inner_text("#lost")
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    with serving(kept, Address("127.0.0.1", port)):
        wait_until(page, f"() => !({LOST})()")
    (Path(config.profile) / "pages.token").unlink()
    with serving(kept, Address("127.0.0.1", port)):
        wait_until(page, "() => document.getElementById('lost').innerText.includes('new key')")


def test_who_has_no_key_is_told_what_to_do_and_goes_on_once_there_is_one(browser, served):
    """Nothing reloads the page while somebody reads it; a second tab gets the key."""
    address = served.url.partition("?")[0]
    page, _ = open_page(browser, address, viewport={"width": 390, "height": 844})
    assert "ssh -L 8765" in page.inner_text("main")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    style = "() => getComputedStyle(document.querySelector('main')).borderRadius"
    assert page.evaluate(style) == "14px"  # the policy lets its own style sheet in
    assert violations(page) == []
    other = page.context.new_page()
    other.goto(served.url)
    page.goto(other.url.removesuffix("/") + "/live")
    assert "Streamer" in page.title()
    assert page.locator("#presence").count() == 1

"""A real browser: Debian's chromium, driven by playwright."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def chromium(**options: Any) -> Iterator[Any]:
    """A headless browser; skips where there is none. options: of playwright's `launch`."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip)")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs chromium (apt install chromium)")
    # Chromium's sandbox cannot be set up by root, which is who tests run as in a container.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with _playwright(sync_api) as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=root, **options)
        yield browser
        browser.close()


_started: list[Any] = []


@contextmanager
def _playwright(sync_api: Any) -> Iterator[Any]:
    """The one that runs, if any: a process holds one at a time, but many browsers."""
    if _started:
        yield _started[0]
        return
    with sync_api.sync_playwright() as playwright:
        _started.append(playwright)
        try:
            yield playwright
        finally:
            _started.clear()


def open_page(browser: Any, url: str, **options: Any) -> tuple[Any, list[str]]:
    """A page of its own at `url`, and what goes wrong in it, as it goes wrong."""
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(30_000)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if said.type in ("error", "warning") else None,
    )
    page.on("dialog", lambda dialog: faults.append(f"dialog: {dialog.message}"))
    page.goto(url)
    return page, faults


def wait_until(page: Any, expression: str, argument: Any = None) -> None:
    """Wait until an expression is true on the page.

    Playwright's own ``wait_for_function`` asks a second time from within the page, where the
    pages' content security policy rightly forbids that text becomes code.
    """
    end = time.monotonic() + 30
    while not page.evaluate(expression, argument):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(20)


def item_number(page: Any) -> str:
    page.wait_for_selector("#work:not([hidden])")
    return str(page.inner_text("#item-name"))


def answered(page: Any, action: Any) -> None:
    """Do what saves the item, twice where the answer is a surprise, and wait for the next one."""
    before = item_number(page)
    with page.expect_response("**/api/labels") as saved:
        action()
    assert saved.value.ok
    if saved.value.json().get("surprising"):
        page.locator("#surprise").wait_for()
        action()
    shown_next(page, before)


def shown_next(page: Any, before: str) -> None:
    wait_until(
        page,
        "before => !document.getElementById('work').hidden"
        " && document.getElementById('item-name').textContent !== before",
        before,
    )


def undone(page: Any, action: Any) -> None:
    before = item_number(page)
    with page.expect_response("**/api/undo") as took_back:
        action()
    assert took_back.value.ok
    shown_next(page, before)

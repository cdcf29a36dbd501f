"""A real browser for tests: the system's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = os.environ.get("MINGZHANG_TEST_CHROMIUM") or shutil.which("chromium")
WAIT_MS = 30_000

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None,
    reason="no chromium: install one, or name one as MINGZHANG_TEST_CHROMIUM",
)


@contextmanager
def chromium() -> Iterator[Any]:
    """Run Chromium without a window. Playwright is imported here, as it may not be installed."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            yield browser
        finally:
            browser.close()


def state_of(page: Any) -> str:
    """Wait until a page has checked itself; return the state that it shows."""
    # A function to wait for would need eval, which the pages' policy forbids.
    html = page.wait_for_selector("html[data-state]", state="attached", timeout=WAIT_MS)
    return str(html.get_attribute("data-state"))


def watch_faults(page: Any) -> list[str]:
    """Return a list that fills with what the page's console calls an error."""
    faults: list[str] = []
    page.on("console", lambda each: faults.append(each.text) if each.type == "error" else None)
    page.on("pageerror", lambda each: faults.append(str(each)))
    return faults

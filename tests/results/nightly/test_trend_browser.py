"""The page of nights in headless Chromium: no error, no request, accessible, and tables that sort and filter."""

from __future__ import annotations

import pytest

from results.report.nights_alone import write_nights
from tests.results.test_report_browser import AXE, CONTRAST, browser, look, requests, serious

__all__ = ["browser"]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(watched, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "nights.html"
    write_nights(watched, path)
    return path


def opened(browser, page, width, *, dark=False):
    look(browser, width, 900, dark=dark)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(page.as_uri())
    browser.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)], ids=["light", "dark", "phone"])
def test_axe_finds_nothing_serious_and_all_text_stands_out(browser, page, width, dark):
    opened(browser, page, width, dark=dark)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert browser.execute_script(CONTRAST) == []
    assert browser.get_log("browser") == []
    assert {url for url in requests(browser) if not url.startswith("data:")} == {page.as_uri()}
    if dark:
        return  # what dark colours change is contrast, which was just looked at
    browser.set_script_timeout(100)
    browser.execute_script(AXE)
    assert serious(browser) == []


def test_nights_are_sorted_and_filtered(browser, page):
    opened(browser, page, 1280)
    table = "document.querySelector('details .table')"
    rows = f"[...{table}.querySelectorAll('tbody tr')].filter((row) => !row.hidden)"
    every = browser.execute_script(f"return {rows}.length")
    browser.find_element("css selector", "details .filter input").send_keys("regression pairs")
    kept = browser.execute_script(f"return {rows}.map((row) => row.textContent)")
    assert 0 < len(kept) < every
    assert all("regression" in text for text in kept)
    browser.execute_script(f"{table}.querySelector('thead button').click()")
    nights = browser.execute_script(f"return {rows}.map((row) => row.cells[0].dataset.key)")
    assert nights == sorted(nights)

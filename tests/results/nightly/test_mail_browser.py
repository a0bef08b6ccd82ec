"""The page of the mail in headless Chromium, at the width of a desktop and of a phone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from results.nightly import mail
from tests.results.nightly.nights import OTHERS, REGRESSED, night
from tests.results.test_report_browser import CHROMEDRIVER, CHROMIUM, FLAGS

pytestmark = pytest.mark.browser

LONG = replace(REGRESSED, metric=replace(REGRESSED.metric, label="x" * 300), disks=("y" * 300,))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    if not (Path(CHROMIUM).exists() and Path(CHROMEDRIVER).exists()):
        pytest.skip("Chromium and its driver are not installed")
    options = Options()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    yield driver
    driver.quit()


def show(browser, tmp_path, one, width):
    page = tmp_path / "night.html"
    page.write_text(mail.html(one))
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    )
    browser.get(page.as_uri())
    return browser.execute_script("return document.documentElement.scrollWidth")


@pytest.mark.parametrize("width", [390, 1000])
def test_the_page_is_no_wider_than_the_window(browser, tmp_path, width):
    assert show(browser, tmp_path, night(LONG, *OTHERS), width) <= width
    assert browser.get_log("browser") == []


def test_a_name_has_room_enough_on_a_phone(browser, tmp_path):
    show(browser, tmp_path, night(), 390)
    names = browser.execute_script(
        """return [...document.querySelectorAll('td[width="45%"]')].map(cell => cell.getBoundingClientRect().width)"""
    )
    assert len(names) == len(night().verdicts)
    assert min(names) > 120

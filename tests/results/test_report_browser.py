"""The report in headless Chromium: no console error, no request, tables and drawings that work by keyboard."""

from __future__ import annotations

import base64
import json
import shutil
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from results.recommendation.recommend import Wishes
from results.report import write
from results.report.embed import pack, unpack
from tests.results import synthetic
from tests.results.synthetic import Plan, raid_truth
from tests.results.test_recommend import PREDICTED

pytestmark = pytest.mark.browser

ARTEFACTS = Path(__file__).parents[2] / "artefacts"
CHROMIUM, CHROMEDRIVER = "/usr/bin/chromium", "/usr/bin/chromedriver"
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    plan = Plan(raid_truth(), replicates=2, substrate="uml", iops_limit=100, scans=("scan", "dd-read"), seconds=20)
    bad = {(3, 1): "failed", (9, 0): "invalid"}
    synthetic.write(
        folder / "store",
        plan,
        status=lambda point, block: bad.get((point, block), "ok"),
        predicted=lambda point: PREDICTED[str(point["level"])],
    )
    write(folder / "store", folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    if not (Path(CHROMIUM).exists() and Path(CHROMEDRIVER).exists()):
        pytest.skip("Chromium and its driver are not installed")
    profile = tmp_path_factory.mktemp("profile")
    options = Options()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1280,900"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(CHROMEDRIVER))
    yield driver
    driver.quit()
    shutil.rmtree(profile, ignore_errors=True)


@pytest.fixture
def page(browser: Any, report: Path) -> Any:
    """The report freshly opened in a desktop's window, in light colours."""
    look(browser, 1280, 900, dark=False)
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(report.as_uri())
    return browser


def look(browser: Any, width: int, height: int, *, dark: bool) -> None:
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def until(condition: Callable[[], object]) -> object:
    """Wait for what the page does by itself; fails after ten seconds."""
    for _ in range(200):
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("the page did not do it")


def keep(browser: Any, name: str) -> None:
    ARTEFACTS.mkdir(exist_ok=True)
    picture = browser.execute_cdp_cmd("Page.captureScreenshot", {})["data"]
    (ARTEFACTS / name).write_bytes(base64.b64decode(picture))


def requests(browser: Any) -> list[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [each["params"]["request"]["url"] for each in messages if each["method"] == "Network.requestWillBeSent"]


def test_it_opens_without_a_console_error_or_a_request(page: Any, report: Path) -> None:
    page.execute_script("scrollTo(0, document.body.scrollHeight)")
    until(lambda: page.find_elements("css selector", ".panel svg"))
    assert page.get_log("browser") == []
    assert {url for url in requests(page) if not url.startswith("data:")} == {report.as_uri()}
    page.execute_script("scrollTo(0, 0)")
    keep(page, "report.png")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390], ids=["desktop", "phone"])
def test_nothing_is_wider_than_the_window(page: Any, width: int, dark: bool) -> None:
    look(page, width, 860, dark=dark)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    keep(page, f"report-{'dark' if dark else 'light'}-{width}.png")


def test_the_answer_and_its_commands_are_on_the_first_screen(page: Any) -> None:
    for selector in (".notice", "h1", ".on", ".verdict .label", ".verdict .figure", ".verdict .sure", ".verdict pre"):
        box = page.find_elements("css selector", selector)[0].rect
        assert box["y"] + min(box["height"], 60) < 900, selector


def test_a_long_table_scrolls_by_keyboard_under_its_header(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    look(page, 1280, 600, dark=False)
    regions = [each for each in page.find_elements("css selector", ".table .scroll") if each.is_displayed()]
    region = max(regions, key=lambda each: each.get_property("scrollHeight"))
    shown, whole = (region.get_property(name) for name in ("clientHeight", "scrollHeight"))
    assert shown <= 0.8 * 600 < whole, "not so long that it must scroll"
    page.execute_script(
        "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'}); arguments[0].focus()", region
    )
    region.send_keys(Keys.END)
    until(lambda: region.get_property("scrollTop") > 0)
    head = region.find_element("css selector", "thead th")
    at = "const r = arguments[0].getBoundingClientRect(); return document.elementFromPoint(r.x + 8, r.y + r.height / 2)"
    assert page.execute_script(f"{at}.closest('th')", head) == head
    assert page.execute_script("return document.documentElement.scrollHeight") < 60 * 600


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(page: Any, dark: bool) -> None:
    """WCAG 2.2, 1.4.3: contrast of 4.5 at least, of everything that has text of its own."""
    look(page, 1280, 900, dark=dark)
    page.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    assert page.execute_script(CONTRAST) == []


CONTRAST = """
const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => {
  const line = (v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * line(r) + 0.7152 * line(g) + 0.0722 * line(b);
};
const ground = (node) => {
  for (let each = node; each; each = each.parentElement) {
    const colour = parse(getComputedStyle(each).backgroundColor);
    if (colour.length && (colour.length < 4 || colour[3] > 0)) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
for (const node of document.querySelectorAll('body *')) {
  const own = [...node.childNodes].some((each) => each.nodeType === 3 && each.textContent.trim());
  const silent = ['SCRIPT', 'NOSCRIPT', 'OPTION', 'title', 'desc'].includes(node.tagName);
  if (!own || silent || !node.getClientRects().length) continue;
  const style = getComputedStyle(node);
  const svg = node.tagName === 'text';
  if (svg && style.fill.match(/^rgb\\((0, 0, 0|255, 255, 255)\\)$/)) continue;  // figures inside coloured cells
  const [a, b] = [light(parse(svg ? style.fill : style.color)), light(ground(node))].sort((x, y) => y - x);
  const contrast = (a + 0.05) / (b + 0.05);
  if (contrast < 4.5) poor.push([node.tagName, node.textContent.slice(0, 30), contrast]);
}
return poor;
"""


AXE = (resources.files("selenium_axe_python") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RUN_AXE = """
const done = arguments[arguments.length - 1];
const brief = (each) => [each.impact, each.id, each.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))];
axe.run(document, { resultTypes: ["violations"] }).then(
  (found) => done(found.violations.map(brief)),
  (error) => done([["critical", String(error), []]]));
"""


@pytest.fixture(scope="module")
def small_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with a part of every kind, small enough for axe to look at every element of it."""
    folder = tmp_path_factory.mktemp("small")
    plan = Plan(raid_truth()[4:10], substrate="uml", iops_limit=100, seconds=4, disk_speeds={"SERIAL-2": 0.5})
    bad = {(3, 1): "failed", (4, 0): "invalid"}
    synthetic.write(folder / "store", plan, status=lambda point, block: bad.get((point, block), "ok"))
    write(folder / "store", folder / "report.html", wishes=Wishes(require=("survives >= 1",)))
    return folder / "report.html"


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (390, False)], ids=["light", "dark", "phone"])
def test_axe_finds_nothing_serious(browser: Any, small_report: Path, width: int, dark: bool) -> None:
    """axe-core with all its rules, everything unfolded and a trial's table of seconds shown; then in its details."""
    look(browser, width, 900, dark=dark)
    browser.get(small_report.as_uri())
    browser.set_script_timeout(100)
    browser.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
    browser.execute_script("document.querySelector('.panel .buttons button:last-child').click()")
    browser.execute_script(AXE)
    assert serious(browser) == []
    browser.execute_script("document.querySelector('#a0 td a[data-trial]').click()")
    assert serious(browser) == []


def serious(browser: Any) -> list[list[object]]:
    return [each for each in browser.execute_async_script(RUN_AXE) if each[0] in {"serious", "critical"}]


def test_a_link_to_a_trial_opens_what_it_ran_by_keyboard(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    link = page.find_elements("css selector", "#a0 td a[data-trial]")[0]
    trial = link.get_attribute("data-trial")
    link.send_keys(Keys.ENTER)
    dialog = page.find_element("id", "trial")
    assert dialog.is_displayed()
    assert trial in dialog.text
    assert "fio --output-format=json+ job.fio" in dialog.text
    assert "mdadm --create /dev/md0" in dialog.text
    assert len(dialog.find_elements("css selector", ".panel svg")) == 3
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert not dialog.is_displayed()
    assert page.switch_to.active_element == link


def test_a_failed_trial_says_why_in_its_details(page: Any) -> None:
    page.execute_script("document.querySelector('#problems a[data-trial]').click()")
    words = page.find_element("id", "trial").text
    assert "fio ended with status 1" in words or "the array was degraded" in words


def test_seconds_are_a_table_too_and_a_distribution_is_drawn_for_any_point(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    panel = page.find_elements("css selector", ".panel")[0]
    button = panel.find_elements("css selector", "button")[1]
    button.send_keys(Keys.SPACE)
    rows = panel.find_elements("css selector", ".seconds tbody tr")
    assert len(rows) == 20
    assert all(float(cell) > 0 for cell in rows[7].text.split()[1:])
    button.send_keys(Keys.SPACE)
    assert panel.find_elements("css selector", ".seconds") == []
    folded = page.find_element("css selector", "#a0 details.histogram")
    folded.find_element("css selector", "summary").send_keys(Keys.ENTER)
    svg = until(lambda: folded.find_elements("css selector", "svg"))
    before = svg[0].get_attribute("aria-label")  # type: ignore[index]
    assert " I/Os from " in before
    Select(folded.find_element("css selector", "select")).select_by_index(3)
    after = folded.find_element("css selector", "svg")
    assert after.get_attribute("aria-label") != before
    assert len(after.find_elements("css selector", "rect")) > 3


def test_the_script_reads_seconds_as_they_were_packed(page: Any) -> None:
    """The twin of results/report/embed.py in the page's script."""
    values = [0.0, 1.5, None, 400.0, 399.99, 1e-9]
    top, packed = pack(values)
    page.execute_script(
        (resources.files("results.report") / "common.js").read_text() + "; window.unpackForTest = unpack"
    )
    found = page.execute_script("return unpackForTest({ top: arguments[0], values: arguments[1] })", top, packed)
    assert found == pytest.approx(unpack(top, packed), abs=0) or found == unpack(top, packed)
    assert found[2] is None


def test_tables_sort_and_filter_by_keyboard(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    table = page.find_elements("css selector", "#a0 table.sortable")[0]
    names = [
        each.text.strip("\N{NO-BREAK SPACE}\u2195") for each in table.find_elements("css selector", "thead button")
    ]
    column = names.index("off by")
    button = table.find_elements("css selector", "thead button")[column]
    button.send_keys(Keys.ENTER)
    keys = column_keys(page, table, column)
    assert keys == sorted(keys)
    assert table.find_elements("css selector", "thead th")[column].get_attribute("aria-sort") == "ascending"
    button.send_keys(Keys.SPACE)
    assert column_keys(page, table, column) == sorted(keys, reverse=True)
    field = page.find_elements("css selector", "#a0 input[data-filter]")[0]
    field.send_keys("RAID5 xfs")
    assert page.find_element("css selector", "#a0 [data-count]").text == "2 of 20 rows"
    shown = [row.text for row in table.find_elements("css selector", "tbody tr") if row.is_displayed()]
    assert len(shown) == 2
    assert all(row.startswith("raid5") and "xfs" in row for row in shown)


def column_keys(page: Any, table: Any, column: int) -> list[float]:
    rows = "return [...arguments[0].tBodies[0].rows].map((row) => Number(row.cells[arguments[1]].dataset.key))"
    return [float(key) for key in page.execute_script(rows, table, column)]


def test_seconds_are_drawn_for_the_workload_and_the_points_asked_for(page: Any) -> None:
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    choice = Select(page.find_element("id", "series-workload"))
    assert [option.text for option in choice.options] == ["random-write", "scan", "dd-read"]
    choice.select_by_visible_text("scan")
    page.find_element("id", "series-filter").send_keys("raid6 ext4")
    assert page.find_element("id", "series-count").text == "2 of 20 points, bandwidth"
    panels = until(lambda: page.find_elements("css selector", ".panel svg"))
    assert isinstance(panels, list)
    assert len(panels) == 2
    words = panels[0].get_attribute("aria-label")
    assert words.startswith("raid6 x4")
    assert "bandwidth over 20 seconds, 2 trials, from" in words
    assert "MiB/s" in words
    assert len(panels[0].find_elements("css selector", "path")) == 2
    larger = page.find_elements("css selector", ".panel button")[0]
    larger.send_keys(Keys.ENTER)
    assert larger.get_attribute("aria-pressed") == "true"


def test_everything_is_unfolded_and_drawn_on_paper(page: Any) -> None:
    printed = page.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"]
    assert len(base64.b64decode(printed)) > 50_000
    panels = "return [document.querySelectorAll('.panel').length, document.querySelectorAll('.panel svg').length]"
    every, drawn = page.execute_script(panels)
    assert every == drawn == 20

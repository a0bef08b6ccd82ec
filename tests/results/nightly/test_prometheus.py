"""A real Prometheus over a real node exporter: what they take of a night's text, and what each panel and alert gets."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from importlib import resources

import pytest
import yaml

from results.nightly import answer
from results.nightly.answer import Baseline
from results.nightly.openmetrics import openmetrics
from tests.results.nightly import nights
from tests.results.nightly.nights import night

PROGRAMS = ("prometheus", "promtool", "prometheus-node-exporter")
MISSING = [name for name in PROGRAMS if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)}: not installed (CONTRIBUTING.md)")

DASHBOARD = json.loads(resources.files("results.nightly").joinpath("grafana-dashboard.json").read_text())
RULES = resources.files("results.nightly").joinpath("prometheus-rules.yml").read_text()
EVERY = night(
    *night().verdicts[:-1],
    replace(nights.OTHERS[4], baseline_value=4.0),
    complete=False,
    started_at_ns=nights.STARTED_NS - 72 * 3600 * 10**9,
)
"""A night in which every series occurs and every alert has its reason; it began three days before the others do."""


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@contextmanager
def running(*argv, log):
    with log.open("wb") as said:
        process = subprocess.Popen([str(word) for word in argv], stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(timeout=20)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answered:
        return answered.read().decode()


def until(found, what, within_s=60.0):
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with suppress(OSError):
            value = found()
            if value:
                return value
        time.sleep(0.2)
    pytest.fail(f"{what} did not come to pass within {within_s:g} s")


class Scraped:
    """A Prometheus that scrapes a node exporter, which reads the texts in ``folder``."""

    def __init__(self, folder, exporter, prometheus):
        self.folder, self.exporter, self.prometheus = folder, exporter, prometheus

    def query(self, expression):
        asked = urllib.parse.urlencode({"query": expression.replace("$sweep", ".*")})
        found = json.loads(get(f"{self.prometheus}/api/v1/query?{asked}"))
        assert found["status"] == "success"
        return found["data"]["result"]


@pytest.fixture(scope="module")
def scraped(tmp_path_factory):
    base = tmp_path_factory.mktemp("prometheus")
    folder, rules = base / "textfiles", base / "rules.yml"
    folder.mkdir()
    rules.write_text(RULES)
    (folder / "four-disks.prom").write_text(openmetrics(EVERY))
    exporter, server = free_port(), free_port()
    scrape = {"job_name": "node", "static_configs": [{"targets": [f"127.0.0.1:{exporter}"]}]}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(rules)],
        "scrape_configs": [scrape],
    }
    (base / "prometheus.yml").write_text(yaml.safe_dump(config))
    with ExitStack() as stack:
        words = [PROGRAMS[2], "--collector.disable-defaults", "--collector.textfile"]
        words += [f"--collector.textfile.directory={folder}", f"--web.listen-address=127.0.0.1:{exporter}"]
        stack.enter_context(running(*words, log=base / "exporter.log"))
        words = [PROGRAMS[0], f"--config.file={base / 'prometheus.yml'}", f"--storage.tsdb.path={base / 'data'}"]
        words += [f"--web.listen-address=127.0.0.1:{server}"]
        stack.enter_context(running(*words, log=base / "prometheus.log"))
        made = Scraped(folder, f"http://127.0.0.1:{exporter}", f"http://127.0.0.1:{server}")
        until(lambda: made.query("stripelab_nightly_complete"), "the first scrape")
        yield made


def test_promtool_finds_nothing_to_say_of_the_text_or_the_rules(tmp_path):
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=openmetrics(EVERY), capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")
    (tmp_path / "rules.yml").write_text(RULES)
    checked = subprocess.run(
        ["promtool", "check", "rules", tmp_path / "rules.yml"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, "SUCCESS" in checked.stdout) == (0, True), checked.stderr


def test_the_node_exporter_takes_the_whole_text(scraped):
    text = get(f"{scraped.exporter}/metrics")
    assert "\nnode_textfile_scrape_error 0\n" in text
    ours = [line for line in text.splitlines() if line.startswith("stripelab_")]
    written = [line for line in openmetrics(EVERY).splitlines() if not line.startswith("#")]
    assert len(ours) == len(written)


@pytest.mark.parametrize(
    ("title", "target"), [(panel["title"], target) for panel in DASHBOARD["panels"] for target in panel["targets"]]
)
def test_every_panel_gets_series_with_the_labels_of_its_legend(scraped, title, target):
    found = scraped.query(target["expr"])
    assert found, title
    for name in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
        assert all(name in each["metric"] for each in found), title
    assert all(each["value"][1] not in {"NaN", "+Inf", "-Inf"} for each in found), title


def expression(title):
    (panel,) = [panel for panel in DASHBOARD["panels"] if panel["title"] == title]
    return panel["targets"][0]["expr"]


def test_the_timeline_shows_the_verdict_of_each_metric(scraped):
    (timeline,) = [panel for panel in DASHBOARD["panels"] if panel["type"] == "state-timeline"]
    (mapping,) = timeline["fieldConfig"]["defaults"]["mappings"]
    states = {number: state["text"] for number, state in mapping["options"].items()}
    found = scraped.query(expression(timeline["title"]))
    shown = {(each["metric"]["workload"], each["metric"]["figure"]): states[each["value"][1]] for each in found}
    assert shown == {(each.metric.workload, each.metric.figure): each.word for each in EVERY.verdicts}


def test_the_numbers_at_the_top_are_those_of_the_night(scraped):
    said = {title: [each["value"][1] for each in scraped.query(expression(title))] for title in ("Regressions",)}
    said["Broken guarantees"] = [each["value"][1] for each in scraped.query(expression("Broken guarantees"))]
    said["Night complete"] = [each["value"][1] for each in scraped.query(expression("Night complete"))]
    assert said == {"Regressions": ["1"], "Broken guarantees": ["1"], "Night complete": ["0"]}
    worst = scraped.query(expression("Not ok in the newest night"))
    assert len(worst) == sum(each.word != answer.OK for each in EVERY.verdicts)


def test_every_alert_fires_on_a_night_that_has_its_reason(scraped):
    for rule in yaml.safe_load(RULES)["groups"][0]["rules"]:
        assert scraped.query(rule["expr"]), rule["alert"]

    def fire():
        found = json.loads(get(f"{scraped.prometheus}/api/v1/rules"))["data"]["groups"][0]["rules"]
        return all((rule["health"], rule["state"]) in {("ok", "firing"), ("ok", "pending")} for rule in found)

    until(fire, "an alert of every rule")


def test_a_baseline_that_is_new_is_marked_with_its_name(scraped):
    (marked,) = DASHBOARD["annotations"]["list"]
    rebased = replace(
        EVERY, baseline=Baseline(name="winter", set_at_ns=nights.STARTED_NS, reason="new firmware", nights=60)
    )
    (scraped.folder / "four-disks.prom").write_text(openmetrics(rebased))
    names = until(
        lambda: {each["metric"]["baseline"] for each in scraped.query(marked["expr"])} & {"winter"}, "the mark"
    )
    assert names == {"winter"}
    for name in re.findall(r"\{\{(\w+)\}\}", marked["titleFormat"]):
        assert all(name in each["metric"] for each in scraped.query(marked["expr"]))

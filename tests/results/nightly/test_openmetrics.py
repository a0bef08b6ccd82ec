"""Text for Prometheus, read by the parsers of its own Python client; dashboard and rules by a parser of PromQL."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from importlib import resources

import promql_parser
import pytest
import yaml
from hypothesis import given, settings
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from results.nightly import answer
from results.nightly.openmetrics import FAMILIES, openmetrics
from results.text import plain
from tests.results.nightly import nights
from tests.results.nightly.nights import night

EVERY = night()
READ = {
    name: resources.files("results.nightly").joinpath(name).read_text()
    for name in ("grafana-dashboard.json", "prometheus-rules.yml")
}


def samples(source, parse=parse_openmetrics):
    return [sample for family in parse(source) for sample in family.samples]


def value(source, name, **labels):
    (found,) = [
        each.value
        for each in samples(source)
        if each.name == f"stripelab_nightly_{name}" and labels.items() <= each.labels.items()
    ]
    return found


def test_figures_are_in_base_units_and_changes_are_ratios():
    source = openmetrics(EVERY)
    assert value(source, "iops", workload="random-write") == 318
    assert value(source, "baseline_iops", workload="random-write") == 398
    assert value(source, "latency_seconds", figure="lat_p99_ns") == pytest.approx(0.0431)
    assert value(source, "bandwidth_bytes_per_second", direction="read") == 79.6 * 2**20
    assert value(source, "change_ratio", workload="random-write", figure="iops") == pytest.approx(-0.201)
    assert value(source, "guarantee_held", workload="random-write") == 0
    assert value(source, "guarantee_expected_ratio", workload="random-write") == 0.05
    assert value(source, "started_timestamp_seconds", sweep="four-disks") == nights.STARTED_NS / 1e9


def test_every_series_says_on_what_it_was_measured():
    found = samples(openmetrics(night(substrates=("loop", "uml"))))
    assert {each.labels["substrate"] for each in found} == {"loop+uml"}


def test_each_metric_has_one_verdict():
    found = [each for each in samples(openmetrics(EVERY)) if each.name == "stripelab_nightly_verdict"]
    assert sum(each.value for each in found) == len(EVERY.verdicts)
    assert {each.labels["verdict"] for each in found} == set(answer.WORDS)
    assert value(openmetrics(EVERY), "metrics", verdict=answer.REGRESSION) == 1


def test_what_is_not_known_is_left_out_and_not_zero():
    source = openmetrics(night(nights.OTHERS[3]))
    assert "stripelab_nightly_bandwidth" not in source
    assert "stripelab_nightly_change_ratio" not in source


def test_every_family_can_occur():
    odd = replace(nights.OTHERS[4], baseline_value=4.0)
    scan = nights.OTHERS[1]
    source = openmetrics(night(*EVERY.verdicts[:-1], odd, scan))
    assert {family.name for family in parse_openmetrics(source)} == {family.full for family in FAMILIES}


@settings(deadline=None, max_examples=40)
@given(nights.nights)
def test_any_night_is_read_by_both_parsers_alike_and_its_labels_come_back(one):
    source = openmetrics(one)
    new, old = samples(source), samples(source, parse_text)
    assert [(s.name, s.labels) for s in new] == [(s.name, s.labels) for s in old]
    assert all(
        a.value == b.value or (math.isnan(a.value) and math.isnan(b.value)) for a, b in zip(new, old, strict=True)
    )
    assert all(each.timestamp is None for each in new), "the textfile collector refuses time stamps"
    named = {each.labels["point"] for each in new if each.name == "stripelab_nightly_verdict"}
    assert named == {plain(verdict.metric.label) for verdict in one.verdicts}
    keys = [(each.name, *sorted(each.labels.items())) for each in new]
    assert len(keys) == len(set(keys)), "a series that comes twice makes the collector refuse the whole file"


def known():
    """Labels of every family, as the text of a night has them."""
    source = openmetrics(night(*EVERY.verdicts[:-1], replace(nights.OTHERS[4], baseline_value=4.0)))
    found = {}
    for each in samples(source):
        found.setdefault(each.name, set()).update(each.labels)
    return found


def selectors(expression):
    """Every vector selector of an expression: its metric's name and the labels that it asks for."""
    asked = re.sub(r"\$sweep\b", "x", expression)
    text = promql_parser.parse(asked).prettify()
    for name, inner in re.findall(r"(stripelab_\w+)(?:\{([^{}]*)\})?", text):
        yield name, set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", inner))


def expressions():
    dashboard = json.loads(READ["grafana-dashboard.json"])
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield f"panel {panel['title']}", target["expr"]
    for each in dashboard["annotations"]["list"]:
        yield f"annotation {each['name']}", each["expr"]
    for rule in yaml.safe_load(READ["prometheus-rules.yml"])["groups"][0]["rules"]:
        yield f"alert {rule['alert']}", rule["expr"]


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_a_query_is_promql_and_asks_only_for_what_the_text_has(where, expression):
    asked = list(selectors(expression))
    assert asked, where
    for name, labels in asked:
        assert name in known(), where
        assert labels <= known()[name], where


def test_verdicts_that_queries_name_are_verdicts():
    for _, expression in expressions():
        named = re.findall(r'verdict(?:!=|=)"([^"]*)"', expression)
        assert set(named) <= set(answer.WORDS)


def test_legends_and_alerts_name_labels_that_the_text_has():
    dashboard = json.loads(READ["grafana-dashboard.json"])
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            labels = set().union(*(known()[name] for name, _ in selectors(target["expr"])))
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels, panel["title"]
    for rule in yaml.safe_load(READ["prometheus-rules.yml"])["groups"][0]["rules"]:
        labels = set().union(*(known()[name] for name, _ in selectors(rule["expr"])))
        said = " ".join(rule["annotations"].values())
        assert set(re.findall(r"\$labels\.(\w+)", said)) <= labels, rule["alert"]


def test_panels_do_not_overlap_and_have_ids_of_their_own():
    panels = json.loads(READ["grafana-dashboard.json"])["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for place in (panel["gridPos"] for panel in panels):
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_the_states_of_the_timeline_are_the_verdicts():
    (timeline,) = [p for p in json.loads(READ["grafana-dashboard.json"])["panels"] if p["type"] == "state-timeline"]
    ((mapping),) = timeline["fieldConfig"]["defaults"]["mappings"]
    shown = {state["text"] for state in mapping["options"].values()}
    assert shown == set(answer.WORDS)

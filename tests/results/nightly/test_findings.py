"""Annotations: what GitHub's runner and GitLab's merge request get to see."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from hypothesis import given, settings

from results.nightly import answer
from results.nightly.findings import SHOWN, findings, github, gitlab
from results.text import plain
from tests.results.nightly import nights
from tests.results.nightly.nights import night

COMMAND = re.compile(r"::(error|warning|notice) title=([^:,\r\n]*)::([^\r\n]*)")


def read_by_the_runner(line):
    """Level, title and message, as actions/runner takes a command apart (ActionCommand.cs)."""
    level, title, message = COMMAND.fullmatch(line).groups()
    for code, character in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        title = title.replace(code, character)
        message = message if code in {"%2C", "%3A"} else message.replace(code, character)
    return level, title, message


def test_a_regression_is_an_error_with_its_figures_and_what_changed():
    level, title, message = read_by_the_runner(github(night())[0])
    assert (level, title) == ("error", "regression: random-write, IOPS, raid5, 4 disks, 64 KiB, xfs")
    lines = message.splitlines()
    assert lines[0].startswith("tonight 318, baseline 398, change")
    assert lines[-1] == "changed since the baseline: kernel: 6.1.0-38 \N{RIGHTWARDS ARROW} 6.1.0-40"


def test_a_quiet_night_is_silent():
    quiet = replace(nights.OTHERS[1], watched=())
    assert github(night(quiet)) == ()
    assert json.loads(gitlab(night(quiet))) == []


def test_a_broken_guarantee_is_a_warning_though_the_metric_is_ok():
    broken = replace(nights.OTHERS[1].watched[0], held=False)
    lines = github(night(replace(nights.OTHERS[1], watched=(broken,))))
    ((level, title, message),) = map(read_by_the_runner, lines)
    assert (level, title.split(":")[0]) == ("warning", "guarantee broken")
    assert "a break is expected in 5.0 % of nights" in message


def test_what_github_would_not_show_is_summed_up_in_the_last():
    many = [replace(nights.REGRESSED, metric=nights.metric(f"workload-{n}"), watched=()) for n in range(SHOWN + 5)]
    lines = [read_by_the_runner(line) for line in github(night(*many))]
    assert len(lines) == SHOWN
    assert lines[-1][1] == "and 6 more"
    assert "workload-14" in lines[-1][2]


@settings(deadline=None, max_examples=40)
@given(nights.nights)
def test_any_finding_is_one_line_for_the_runner_and_comes_back(one):
    found = findings(one)
    lines = [read_by_the_runner(line) for line in github(one)]
    assert sorted(lines) == sorted((each.level, each.title, each.message) for each in found)


def test_a_finding_has_the_same_fingerprint_every_night_and_another_for_another_metric():
    tonight = json.loads(gitlab(night()))
    later = json.loads(gitlab(night(night="2026-11-25", duration_s=1.0)))
    assert [issue["fingerprint"] for issue in tonight] == [issue["fingerprint"] for issue in later]
    assert len({issue["fingerprint"] for issue in tonight}) == len(tonight)


@settings(deadline=None, max_examples=40)
@given(nights.nights)
def test_any_report_is_what_gitlab_takes(one):
    """The keys and severities of docs.gitlab.com, "Code Quality report format"; a fingerprint counts once."""
    issues = json.loads(gitlab(one))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert not issue["location"]["path"].startswith("./")
        assert issue["location"]["lines"]["begin"] == 1
        assert "\n" not in issue["description"]
    regressed = [verdict for verdict in one.ordered() if verdict.word == answer.REGRESSION]
    critical = [issue["description"] for issue in issues if issue["severity"] == "critical"]
    assert len(critical) == len(regressed)
    assert all(plain(each.metric.name) in said for each, said in zip(regressed, critical, strict=True))

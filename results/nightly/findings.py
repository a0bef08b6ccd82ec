"""A night as findings beside a change: GitHub's workflow commands and GitLab's code quality report.

GitHub reads commands from what a step prints (docs.github.com, "Workflow commands for GitHub Actions"), and shows
ten errors and ten warnings of a step at most; what is more is summed up in the tenth.  GitLab reads an artifact
(docs.gitlab.com, "Code Quality report format") and tells findings apart by their fingerprint, which here is the same
every night, so that a finding is new once and fixed once.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from results.nightly import words
from results.nightly.answer import (
    DRIFT,
    IMPROVEMENT,
    KNOWN,
    NO_VERDICT,
    OK,
    RECOVERED,
    REGRESSION,
    TONIGHT,
    UNCONFIRMED,
    Metric,
    Nightly,
)
from results.runs.changes import changed_text
from results.text import json_text, plain

SHOWN = 10
"""Annotations of one level that GitHub shows of a step."""

LEVELS = {
    REGRESSION: "error",
    TONIGHT: "warning",
    DRIFT: "warning",
    UNCONFIRMED: "warning",
    NO_VERDICT: "warning",
    KNOWN: "notice",
    RECOVERED: "notice",
    IMPROVEMENT: "notice",
}
SEVERITIES = {
    REGRESSION: "critical",
    TONIGHT: "major",
    DRIFT: "major",
    UNCONFIRMED: "minor",
    NO_VERDICT: "minor",
    KNOWN: "info",
    RECOVERED: "info",
    IMPROVEMENT: "info",
}


@dataclass(frozen=True)
class Finding:
    """Something that a reader of a change should see; ``check`` is the verdict or what else it is."""

    check: str
    level: str
    severity: str
    title: str
    message: str
    identity: str


def findings(night: Nightly) -> tuple[Finding, ...]:
    """Every verdict but ok, every stated bound that was broken, and a night that did not end as planned."""
    found = []
    if not night.complete:
        why = "; ".join(map(plain, night.problems)) or "not all trials ran"
        found.append(Finding("incomplete", "error", "major", "the night is incomplete", why, "night"))
    changed = _changed(night)
    for verdict in night.ordered():
        if verdict.word != OK:
            beside = changed if verdict.word in {REGRESSION, TONIGHT, DRIFT} else ()
            told = (f"{words.figures(verdict)}{words.mark(night)}", *words.details(verdict), *beside)
            title = f"{verdict.word}: {plain(verdict.metric.name)}"
            check = words.SHORT.get(verdict.word, verdict.word)
            level, severity = LEVELS[verdict.word], SEVERITIES[verdict.word]
            found.append(Finding(check, level, severity, title, "\n".join(told), _identity(verdict.metric)))
    for verdict, bound in words.broken(night):
        title = f"guarantee broken: {plain(verdict.metric.name)}"
        told_of = f"{words.watched_text(verdict.metric.figure, bound)}{words.mark(night)}"
        identity = f"{_identity(verdict.metric)}\0{bound.text}"
        found.append(Finding("guarantee broken", "warning", "major", title, told_of, identity))
    return tuple(found)


def _changed(night: Nightly) -> tuple[str, ...]:
    if not night.changes:
        return ()
    return (f"changed since the baseline: {'; '.join(changed_text(each) for each in night.changes)}",)


def _identity(metric: Metric) -> str:
    """What makes a metric itself, night after night."""
    return "\0".join((metric.workload, metric.direction or "", metric.figure, metric.point_id))


def github(night: Nightly) -> tuple[str, ...]:
    """Lines to print in a step of GitHub Actions, the gravest first."""
    found = findings(night)
    lines = []
    for level in ("error", "warning", "notice"):
        own = [finding for finding in found if finding.level == level]
        shown = own if len(own) <= SHOWN else own[: SHOWN - 1]
        lines += [_command(level, finding.title, finding.message) for finding in shown]
        if len(own) > len(shown):
            rest = own[len(shown) :]
            lines.append(_command(level, f"and {len(rest)} more", "\n".join(each.title for each in rest)))
    return tuple(lines)


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={_property(title)}::{_data(message)}"


def _data(text: str) -> str:
    """Text after the colons, as actions/toolkit escapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """The value of a property, which ends at a comma or a colon."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def gitlab(night: Nightly) -> str:
    """A code quality report, JSON: a list of findings, empty where all is well."""
    path = plain(night.sweep_file or f"{night.sweep}.toml").removeprefix("./")
    return json_text(_issues(night, path, findings(night)), indent=2) + "\n"


def _issues(night: Nightly, path: str, found: Sequence[Finding]) -> list[dict[str, Any]]:
    seen: Counter[str] = Counter()
    issues = []
    for finding in found:
        key = f"{night.sweep}\0{finding.check}\0{finding.identity}"
        seen[key] += 1  # a fingerprint that occurs twice is shown once
        issues.append(
            {
                "description": f"{finding.title}. {finding.message}".replace("\n", ". "),
                "check_name": f"stripelab-nightly/{finding.check.replace(' ', '-')}",
                "fingerprint": _digest(f"{key}\0{seen[key]}"),
                "severity": finding.severity,
                "location": {"path": path, "lines": {"begin": 1}},
            }
        )
    return issues


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", errors="backslashreplace")).hexdigest()

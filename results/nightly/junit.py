"""A night as JUnit XML, the form that every CI server reads.

There is no standard, only what Ant wrote and servers agreed to read; this keeps to the schema of Jenkins'
xUnit plugin (``junit-10.xsd``).  Each metric is a test case: a regression fails; a regression that is acknowledged, a
drift, a disk that is slow tonight only and a missing verdict are skipped; everything else passes with its figures in
``system-out``.  A night that did
not run to its end is an error of its own, so that a green suite always means that all was measured.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from results.nightly import words
from results.nightly.answer import DRIFT, KNOWN, NO_VERDICT, REGRESSION, TONIGHT, Nightly, Verdict
from results.runs.changes import changed_text
from results.text import plain

WHOLE = "the night ran to its end"
_SKIPPED = frozenset({DRIFT, KNOWN, NO_VERDICT, TONIGHT})


def junit(night: Nightly) -> str:
    """The document, with its declaration; UTF-8 when it is encoded."""
    skipped = sum(verdict.word in _SKIPPED for verdict in night.verdicts)
    totals = {
        "name": f"stripelab nightly {plain(night.sweep)}{words.mark(night)}",
        "tests": str(len(night.verdicts) + 1),
        "failures": str(len(night.regressions)),
        "errors": "0" if night.complete else "1",
    }
    if words.known(night.duration_s):
        totals["time"] = f"{max(0.0, night.duration_s):.3f}"
    root = ET.Element("testsuites", totals)
    suite = ET.SubElement(root, "testsuite", totals)
    suite.set("skipped", str(skipped))
    suite.set("timestamp", night.started.strftime("%Y-%m-%dT%H:%M:%S"))
    suite.set("hostname", plain(night.hostname))
    _properties(suite, night)
    _whole(suite, night)
    for verdict in night.ordered():
        _case(suite, night, verdict)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _properties(suite: ET.Element, night: Nightly) -> None:
    """What the night was and what changed; servers show it beside the suite."""
    listed = ET.SubElement(suite, "properties")
    for name, value in words.facts(night):
        ET.SubElement(listed, "property", name=name, value=value)
    if night.notice:
        ET.SubElement(listed, "property", name="notice", value=plain(night.notice))
    for change in night.changes:
        ET.SubElement(listed, "property", name="changed since the baseline", value=changed_text(change))


def _whole(suite: ET.Element, night: Nightly) -> None:
    """Whether everything was measured that was to be."""
    case = ET.SubElement(suite, "testcase", name=WHOLE, classname=f"stripelab.{plain(night.sweep)}")
    if not night.complete:
        why = [plain(problem) for problem in night.problems] or ["the night ended before all of its trials ran"]
        error = ET.SubElement(case, "error", type="incomplete", message=why[0])
        error.text = "\n".join(why)


def _case(suite: ET.Element, night: Nightly, verdict: Verdict) -> None:
    metric = verdict.metric
    case = ET.SubElement(
        suite,
        "testcase",
        name=plain(metric.name),
        classname=f"stripelab.{plain(night.sweep)}.{plain(metric.workload)}",
    )
    told = "\n".join((f"{words.figures(verdict)}{words.mark(night)}", *words.details(verdict)))
    message = f"{verdict.word}: {words.change_text(verdict)}"
    if verdict.word == REGRESSION:
        ET.SubElement(case, "failure", type="regression", message=message).text = told
    elif verdict.word in _SKIPPED:
        known = words.acknowledged_text(verdict.acknowledged) if verdict.acknowledged is not None else ""
        reason = known or plain(verdict.reason) or verdict.word
        ET.SubElement(case, "skipped", type=words.SHORT.get(verdict.word, verdict.word), message=reason).text = told
    else:
        ET.SubElement(case, "system-out").text = f"{verdict.word}\n{told}"

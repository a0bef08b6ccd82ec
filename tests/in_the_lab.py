"""Tests that run inside the virtual lab, each reported on the host as a test of its own.

Put a test into ``tests/inside/``: it then runs as root of the guest, on the lab's disks
(/dev/ubda to /dev/ubdf, 1 GiB each) and its md driver, where it may destroy what it likes.  Nothing
else is needed: ``pytest tests``, ``-k``, ``-m`` and node ids work as ever.  All chosen tests of the
folder run in one boot of the guest, before the other tests; their reports are then told in their turn.
The guest has no network and no udev, and writes only to its own memory.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bench.errors import LabError, StripelabError
from bench.lab.guest import Lab
from bench.lab.inside import inside
from permutations.workload import LabSpec

FOLDER = Path(__file__).parent / "inside"
SPEC = LabSpec(disks=6, disk_bytes=1 << 30, memory_bytes=1 << 30)
MODULES = ("loop", "dm-mod", "dm-flakey", "dm-dust", "dm-delay", "scsi_debug", "sd_mod")
SILENCE_S = 900.0
"""Longest time without a report of a test that has no limit of its own: then the guest hangs.

The number of tests and a busy host set no limit to the whole.
"""
TIMEOUT_S = 86400.0
PASSED_ON = ("NIGHTLY_NIGHTS",)
"""Environment variables of the host that the tests read in the guest: a guest inherits none."""

REPORTS = "STRIPELAB_TEST_REPORTS"
NO_LAB = "STRIPELAB_NO_LAB"


def belongs_inside(item: pytest.Item) -> bool:
    """Whether a test is one of the guest's, and this is the host."""
    return not inside() and item.path.is_relative_to(FOLDER)


class InTheLab:
    """The plugin of the host: boots the guest once, and tells each report where its test has its turn."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self._why_not = "the guest told no end of this test"

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        chosen = [item for item in session.items if belongs_inside(item)]
        if chosen and not session.config.option.collectonly and NO_LAB not in os.environ:
            self._boot(chosen)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        if not belongs_inside(item):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = self._reports.get(item.nodeid, [])
        if not any(report.when == "teardown" for report in reports):
            reports.append(self._missing(item))
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _boot(self, chosen: Sequence[pytest.Item]) -> None:
        """Run the tests in the guest; whatever goes wrong there fails those that have no report."""
        nodeids = [item.nodeid for item in chosen]
        marks = (item.get_closest_marker("timeout") for item in chosen)
        limits = [SILENCE_S, *(mark.args[0] for mark in marks if mark is not None)]
        told = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        root = self._config.rootpath
        level = self._config.getoption("log_level")
        words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--quiet", *nodeids]
        words += [f"--log-level={level}"] if level else []
        with tempfile.TemporaryDirectory(prefix="stripelab-tests-") as folder:
            # The guest sees the folder that pytest would use, and it may be another user's of the host.
            words.append(f"--basetemp={folder}-in-the-guest")
            reports = Path(folder) / "reports.jsonl"
            try:
                with Lab(SPEC, shared=[Path(folder)], modules=MODULES) as lab:
                    own = {**told, REPORTS: str(reports)}
                    silence = Silence(reports, max(limits))
                    ended = lab.run(words, timeout_s=TIMEOUT_S, cwd=root, env=own, on_tick=silence.check)
                self._why_not = f"{self._why_not}:\n{ended.console}"
            except StripelabError as failure:
                self._why_not = "\n".join(failure.lines())
            for line in reports.read_text(encoding="utf-8").splitlines() if reports.exists() else ():
                self._keep(json.loads(line))

    def _keep(self, data: dict[str, Any]) -> None:
        report = self._config.hook.pytest_report_from_serializable(config=self._config, data=data)
        if isinstance(report.longrepr, list):
            report.longrepr = tuple(report.longrepr)  # of a skipped test; JSON knows no tuples
        self._reports.setdefault(report.nodeid, []).append(report)

    def _missing(self, item: pytest.Item) -> pytest.TestReport:
        outcome, why = "failed", self._why_not
        if NO_LAB in os.environ:
            outcome, why = "skipped", (str(item.path), 0, f"{NO_LAB} is set")
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, why, "call")  # type: ignore[arg-type]


class Silence:
    """Ends a guest that reports no test for ``limit_s``."""

    def __init__(self, reports: Path, limit_s: float) -> None:
        self._reports = reports
        self._limit_s = limit_s
        self._size_bytes = 0
        self._grew_at_s = time.monotonic()

    def check(self) -> None:
        """Raise LabError where the file of reports has not grown for too long."""
        size_bytes = self._reports.stat().st_size if self._reports.exists() else 0
        if size_bytes != self._size_bytes:
            self._size_bytes, self._grew_at_s = size_bytes, time.monotonic()
        elif time.monotonic() - self._grew_at_s > self._limit_s:
            raise LabError(f"the guest reported no test for {self._limit_s:g} s and was ended")


class Reporter:
    """The plugin of the guest: writes each report to a file that the host reads."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        with Path(os.environ[REPORTS]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(data) + "\n")
            file.flush()
            os.fsync(file.fileno())  # the next test may crash the guest


def plugin(config: pytest.Config) -> InTheLab | Reporter:
    """The plugin for this side."""
    return Reporter(config) if inside() and REPORTS in os.environ else InTheLab(config)

"""Which tests run where: folders that are only collected when named, and what an ordinary user cannot run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ON_REQUEST = {
    HERE / "inside": "runs inside the virtual lab; tests/lab starts it there",
    HERE / "perf": "figures, not tests: make perf",
}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a folder of ON_REQUEST unless it, or something in it, was named."""
    if collection_path not in ON_REQUEST:
        return None
    named = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    return None if any(path.is_relative_to(collection_path) for path in named) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs root where the tests run as an ordinary user."""
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("loop"):
            item.add_marker(pytest.mark.skip(reason="needs root and loop devices"))

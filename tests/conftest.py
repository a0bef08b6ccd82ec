"""Which tests run where: in the virtual lab, when named, as root, or nowhere for want of a lab."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests import in_the_lab

HERE = Path(__file__).parent
# How long an example takes is a matter of the host.
settings.register_profile("any-host", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-host")
ON_REQUEST = {
    HERE / "perf": "figures, not tests: make perf",
    HERE / "inside" / "test_native_agreement.py": "compares speeds, which other work on the host disturbs: make perf",
    HERE / "inside" / "test_nightly_service_endings.py": "waits for a service to outlast its limit: make chaos",
}


def pytest_configure(config: pytest.Config) -> None:
    """Send the tests of tests/inside into the lab: see tests/in_the_lab.py."""
    config.pluginmanager.register(in_the_lab.plugin(config), "stripelab-in-the-lab")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a folder of ON_REQUEST unless it, or something in it, was named."""
    if collection_path not in ON_REQUEST:
        return None
    named = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    return None if any(path.is_relative_to(collection_path) for path in named) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what boots the lab, and skip what cannot run here because the user said so or is not root."""
    for item in items:
        if in_the_lab.belongs_inside(item):
            item.add_marker(pytest.mark.lab)
        elif item.get_closest_marker("lab") and in_the_lab.NO_LAB in os.environ:
            item.add_marker(pytest.mark.skip(reason=f"{in_the_lab.NO_LAB} is set"))
        if item.get_closest_marker("loop") and os.geteuid() != 0:
            item.add_marker(pytest.mark.skip(reason="needs root and loop devices"))

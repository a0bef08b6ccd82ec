"""A store of nights with their outcomes, made once: its verdicts take seconds."""

from __future__ import annotations

import pytest

from tests.results.nightly import watched_store


@pytest.fixture(scope="session")
def watched(tmp_path_factory):
    """The store; it is read only."""
    path = tmp_path_factory.mktemp("nights") / "S"
    watched_store.make(path)
    return path

"""What it means: the store, the estimates, the recommendation and the report."""

from __future__ import annotations

from results.errors import ResultsError
from results.store.query import StoreFrames, load

__all__ = ["ResultsError", "StoreFrames", "load"]

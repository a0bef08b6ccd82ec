"""The version of stripelab, as installed."""

from __future__ import annotations

from functools import cache


@cache
def stripelab_version() -> str:
    """Version of the distribution; "unknown" in a tree that was never installed."""
    from importlib import metadata

    try:
        return metadata.version("stripelab")
    except metadata.PackageNotFoundError:
        return "unknown"

"""Identities made from content: a digest over canonical JSON.

Canonical means sorted keys, no spaces, ASCII only, and no keys whose value is None.  Because None
is left out, a later version can add a factor or a field without changing the ids of existing
results.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical_json(value: Any) -> str:
    """``value`` as canonical JSON; raises ValueError on NaN and infinity."""
    return json.dumps(without_none(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def digest(value: Any, length: int) -> str:
    """The first ``length`` hex digits of the SHA-256 of ``value`` as canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode("ascii")).hexdigest()[:length]


def without_none(value: Any) -> Any:
    """``value`` without the keys whose value is None, at any depth."""
    if isinstance(value, Mapping):
        return {key: without_none(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [without_none(inner) for inner in value]
    return value

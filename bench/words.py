"""Figures as people say them."""

from __future__ import annotations

import math


def duration(seconds: float) -> str:
    """A duration in the two units that matter; an en dash for what is not finite."""
    if not math.isfinite(seconds):
        return "\N{EN DASH}"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"

"""Plots of a store as files: ``stripelab plot STORE --kind heatmap --x chunk_kib --y level``.

A kind is a function from measured values to a matplotlib figure, in the style of :mod:`results.plotting.style`.
"""

from __future__ import annotations

from results.plotting.draw import KINDS, Question, draw
from results.plotting.style import Drawing, encode

__all__ = ["KINDS", "Drawing", "Question", "draw", "encode"]

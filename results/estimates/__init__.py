"""Estimates: one figure a run, from those a figure a point with its interval, and what the factors do."""

"""Designs, which choose points from the feasible space of a sweep."""

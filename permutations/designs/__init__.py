"""Designs: each turns the feasible space of a sweep into points."""

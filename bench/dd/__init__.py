"""Driving dd."""

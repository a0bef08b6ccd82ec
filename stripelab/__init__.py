"""The storage domain: RAID levels, metrics, constraints, preferences, units and labels.

``permutations``, ``bench`` and ``results`` import this package; it imports none of them and touches no file, device or
process.
"""

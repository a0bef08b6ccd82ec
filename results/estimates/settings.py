"""Settings of design points, as trials record them.

A null in a factor column of ``trials`` means either that the factor does not apply (a mirror has no
chunk) or that it was left to the tool.  The two are told apart here: the first stays None, the
second becomes :data:`DEFAULT`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from results.store.schema import TrialRow
from stripelab.settings import DEFAULT, FACTOR_NAMES, Setting, applies

SETTING_COLUMNS = (*FACTOR_NAMES, "labels", "imported_from")
"""Columns of ``trials`` that :func:`settings_of` looks at."""


def settings_of(trial: TrialRow) -> dict[str, Setting]:
    """Every factor of a trial: its value, :data:`DEFAULT`, or None where it does not apply.

    The labels of an import are factors too, after the others.  What an import does not say is None: nobody
    knows whether it was left to the tool.
    """
    return {name: _setting(trial, name) for name in FACTOR_NAMES} | dict(map(_label, trial.labels))


def settings_by_point(trials: Iterable[TrialRow]) -> dict[str, Mapping[str, Setting]]:
    """Settings of each point, all with the same factors: a label that a point lacks is None there."""
    found: dict[str, dict[str, Setting]] = {}
    for trial in trials:
        if trial.point_id not in found:
            found[trial.point_id] = settings_of(trial)
    labels = dict.fromkeys((name for each in found.values() for name in each), None)
    return {point: {**labels, **each} for point, each in found.items()}


def _label(text: str) -> tuple[str, Setting]:
    """A label's name and value; plain whole numbers are numbers, so that they are put in their order."""
    name, _, value = text.partition("=")
    whole = value.isascii() and value.isdigit() and value == str(int(value[:18]))
    return name, int(value) if whole else value


def _setting(trial: TrialRow, name: str) -> Setting:
    value: Setting = getattr(trial, name)
    if value is not None or trial.imported_from is not None:
        return value
    return DEFAULT if applies(name, {"level": trial.level, "filesystem": trial.filesystem}) else None


def varied(points: Iterable[Mapping[str, Setting]]) -> tuple[str, ...]:
    """Factors with more than one value among those points where they apply, in the order of the stack."""
    seen: dict[str, set[Setting]] = {name: set() for name in FACTOR_NAMES}
    for settings in points:
        for name, value in settings.items():
            if value is not None:
                seen.setdefault(name, set()).add(value)
    return tuple(name for name, values in seen.items() if len(values) > 1)

"""What was not tested: the bounds of what a recommendation says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from results.estimates.settings import varied
from results.store.imported import is_imported
from results.store.schema import EnvironmentRow, ObservationRow, TrialRow
from stripelab.settings import DEFAULT, FACTOR_NAMES, Setting, value_text
from stripelab.units import capacity, duration


def not_tested(
    trials: Sequence[TrialRow],
    observations: Iterable[ObservationRow],
    settings: Mapping[str, Mapping[str, Setting]],
    environments: Iterable[EnvironmentRow],
) -> tuple[str, ...]:
    """One line each, from what the store holds."""
    ok = [trial for trial in trials if trial.status == "ok"]
    found = [*_factors(settings.values()), *_combinations(settings.values()), *_time(observations), *_state(ok)]
    found += _hardware(ok, environments)
    return tuple(found)


def _factors(settings: Iterable[Mapping[str, Setting]]) -> Iterable[str]:
    """Factors of which one value was tried."""
    points = list(settings)
    changing = set(varied(points))
    fixed = []
    for name in dict.fromkeys((*FACTOR_NAMES, *(name for each in points for name in each))):
        values = {each.get(name) for each in points} - {None}
        if name not in changing and values:
            (value,) = values
            fixed.append(f"{name} ({'left at its default' if value == DEFAULT else value_text(name, value)})")
    if fixed:
        yield f"Factors with one value: {', '.join(fixed)}. Nothing is known of other values."
    for name in ("disks", "chunk_kib", "read_ahead_kib", "nr_requests", "stripe_cache_pages"):
        numbers = sorted(value for each in points if isinstance(value := each[name], int))
        if name in changing and numbers:
            listed = ", ".join(str(value) for value in dict.fromkeys(numbers))
            yield f"{name} beyond {numbers[0]} to {numbers[-1]}, or between the values tried ({listed})."


def _combinations(settings: Iterable[Mapping[str, Setting]]) -> Iterable[str]:
    """How many combinations of the values there are that no point has."""
    points = list(settings)
    names = varied(points)
    values: dict[str, set[Setting]] = {name: {each[name] for each in points} - {None} for name in names}
    every = 1
    for name in names:
        every *= len(values[name])
    if len(names) > 1 and every > len(points):
        yield (
            f"Combinations: {len(points)} points were measured of {every:,} ways to combine the values of "
            f"{', '.join(names)} (some of which md does not allow, or are the same)."
        )


def _time(observations: Iterable[ObservationRow]) -> Iterable[str]:
    """Runs longer than those measured."""
    longest = max((row.runtime_ns for row in observations), default=0) / 1e9
    if longest:
        yield (
            f"Runs longer than {duration(longest)}: what a cache, garbage collection or heat does later was not seen."
        )


def _state(trials: Sequence[TrialRow]) -> Iterable[str]:
    """States of the array and of the filesystem."""
    if is_imported(trials):
        yield "How disks, arrays and filesystems were before each run: imported files do not say."
        return
    if any((trial.disk_failures_survived or 0) > 0 for trial in trials):
        yield "Arrays that are degraded, rebuilding or being checked: every figure is of a whole and idle array."
    if any(trial.filesystem not in {None, "raw"} for trial in trials):
        size = max((trial.usable_bytes or 0 for trial in trials), default=0)
        of = f" (of {capacity(size)} at most)" if size else ""
        yield f"Filesystems that are old or nearly full{of}: each was made anew for its trials."
    if {trial.initial_sync for trial in trials} == {"assume-clean"}:
        yield "Arrays after their first resync: it was skipped (assume-clean)."


def _hardware(trials: Sequence[TrialRow], environments: Iterable[EnvironmentRow]) -> Iterable[str]:
    """Other machines and disks."""
    used = {trial.environment_id for trial in trials}
    models = sorted({model for row in environments if row.environment_id in used for model in row.disk_models})
    if models:
        disks = len({name for trial in trials for name in trial.disk_ids})
        yield f"Other disks than these {disks} of {', '.join(models)}."

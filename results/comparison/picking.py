"""A sweep of a store by name: ``STORE``, its newest, or ``STORE@SWEEP``, by name or the beginning of its id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from results.errors import ResultsError
from results.estimates import race
from results.estimates.settings import settings_of, varied
from results.paths import exists
from results.recommendation import notes
from results.store.marker import MARKER
from results.store.query import load
from results.store.schema import EnvironmentRow, ObservationRow, TrialRow
from stripelab.settings import label


@dataclass(frozen=True, eq=False)
class Picked:
    """The trials of one sweep that are ok, with what belongs to them."""

    name: str
    store: Path
    trials: tuple[TrialRow, ...]
    observations: tuple[ObservationRow, ...]
    environments: tuple[EnvironmentRow, ...]
    labels: Mapping[str, str]
    notice: str | None
    protocol_id: str


def pick(word: str) -> Picked:
    """Open a store and pick the sweep that ``word`` names.

    Raises:
        ResultsError: there is no such store or sweep, more than one sweep is meant, or no trial of it is ok.
    """
    path, _, wanted = (word, "", "") if exists(Path(word) / MARKER) else word.rpartition("@")
    if not path:
        path, wanted = word, ""
    frames = load(path, tables=("observations",))
    every = [trial for trial in frames.trial_rows() if trial.status == "ok"]
    if not every:
        raise ResultsError(f"{path} holds no trial that is ok", remedy=f"`stripelab status {path}` says why.")
    protocol = _protocol(path, every, wanted)
    mine = race.judged(tuple(trial for trial in every if trial.protocol_id == protocol))
    order = {trial.trial_id: place for place, trial in enumerate(mine)}
    rows = [row for row in frames.observation_rows(histograms=True) if row.trial_id in order]
    settings = {trial.point_id: settings_of(trial) for trial in mine}
    named = varied(settings.values())
    used = {trial.environment_id for trial in mine}
    return Picked(
        name=word,
        store=Path(path),
        trials=tuple(mine),
        observations=tuple(sorted(rows, key=lambda row: order[row.trial_id])),
        environments=tuple(row for row in frames.environment_rows() if row.environment_id in used),
        labels={point: label(each, named) for point, each in settings.items()},
        notice=notes.notice(mine),
        protocol_id=protocol,
    )


def _protocol(path: str, trials: list[TrialRow], wanted: str) -> str:
    """The id of the sweep that is meant: the newest where none is named."""
    newest = max(trials, key=lambda trial: (trial.started_at_ns, trial.trial_id)).protocol_id
    if not wanted:
        return newest
    names = {(trial.sweep, trial.protocol_id) for trial in trials}
    found = {protocol for sweep, protocol in names if sweep == wanted or protocol.startswith(wanted)}
    if len(found) != 1:
        listed = ", ".join(f"{sweep} ({protocol[:12]})" for sweep, protocol in sorted(names))
        how_many = "no sweep" if not found else f"{len(found)} sweeps"
        raise ResultsError(f"{how_many} of {path} is called {wanted!r}", remedy=f"It has: {listed}.")
    return found.pop()

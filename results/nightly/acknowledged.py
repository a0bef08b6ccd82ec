"""Regressions that somebody knows about: kept in the store beside the outcomes, one file, replaced whole.

An acknowledgement covers exactly one confirmed change of one metric: one that got worse, or that recovered and came
back, is a new change and alerts again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from results.errors import ResultsError
from results.nightly.answer import LAST_NS, Acknowledgement, Metric
from results.nightly.history import Key
from results.store.files import MEDIUM_BYTES, Folder

if TYPE_CHECKING:
    from results.nightly.standing import Standing

FILE = "acknowledged.json"
FORMAT = 1
_REMEDY = "Put the file back from a copy, or move it away and acknowledge again."


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """An acknowledgement with what it covers: the change of this metric that was confirmed on the night ``confirmed``.

    ``name`` is the metric's name as outputs print it.
    """

    name: str
    point_id: str
    workload: str
    direction: str
    figure: str
    baseline: str
    confirmed: str
    acknowledgement: Acknowledgement

    @property
    def key(self) -> Key:
        """Which metric it is about."""
        return Key(self.point_id, self.workload, self.direction, self.figure)

    def covers(self, metric: Metric, baseline: str, stands: Standing) -> bool:
        """Whether it is about the change that stands."""
        change = stands.confirmed
        return change is not None and (self.key, self.baseline, self.confirmed) == (
            key_of(metric),
            baseline,
            change.night,
        )


def key_of(metric: Metric) -> Key:
    """What identifies a metric in a store, whatever its label is."""
    return Key(metric.point_id, metric.workload, metric.direction or "", metric.figure)


def acknowledge(metric: Metric, baseline: str, confirmed: str, acknowledgement: Acknowledgement) -> Acknowledged:
    """The acknowledgement of the change of a metric that was confirmed on a night."""
    key = key_of(metric)
    return Acknowledged(
        name=metric.name,
        point_id=key.point_id,
        workload=key.workload,
        direction=key.direction,
        figure=key.figure,
        baseline=baseline,
        confirmed=confirmed,
        acknowledgement=acknowledgement,
    )


def read_acknowledged(store: Path) -> tuple[Acknowledged, ...]:
    """Every acknowledgement of a store, the oldest first; none where there is no file.

    Raises:
        ResultsError: the file cannot be read, or is not as it was written.
    """
    import msgspec  # late: `stripelab --help` does not need it

    path = store / FILE
    try:
        content = Folder(store).read_there(FILE, MEDIUM_BYTES)
        if content is None:
            return ()
        plain = msgspec.json.decode(content)
        if not isinstance(plain, dict) or plain.get("format") != FORMAT:
            raise ResultsError(f"{path} is not a list of acknowledgements", remedy=_REMEDY)
        found = msgspec.convert(plain.get("acknowledged"), tuple[Acknowledged, ...])
        for each in found:
            date.fromisoformat(each.acknowledgement.until)
            if not 0 <= each.acknowledgement.set_at_ns <= LAST_NS:
                raise ResultsError(f"{path}: {each.acknowledgement.set_at_ns} ns is not a time", remedy=_REMEDY)
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path} is not a list of acknowledgements: {error}", remedy=_REMEDY) from None
    return found


def keep_acknowledged(store: Path, acknowledged: Sequence[Acknowledged]) -> None:
    """Replace the list; afterwards the whole list is there, or the old one.

    Raises:
        ResultsError: the file cannot be written.
    """
    folder = Folder(store)
    plain = {"format": FORMAT, "acknowledged": [asdict(each) for each in acknowledged]}
    try:
        folder.clear_temporaries(name=FILE)
        folder.replace(FILE, json.dumps(plain, indent=1).encode())
    except OSError as error:
        raise ResultsError(f"{store / FILE} cannot be written: {error.strerror}") from None

"""The layers that stay between the trials of a split-plot order: the array, and the filesystem on it.

A trial finds its array and its filesystem standing where the trial before was of the same plot, and
builds them otherwise; what is above them every trial sets up for itself.  Layers are taken down from
the top, and only as far as the next trial needs.  Every layer is journalled as ever, so that a later
run takes back whatever a run that died left standing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bench.journal import Journal
from bench.lease import Lease
from bench.stack import filesystem
from bench.stack.build import base, formatted
from bench.stack.spec import Site, StackSpec, Volume
from permutations.point import PlannedTrial

NO_FOLDER = Path("/nonexistent")
"""The lower layers write no file of their own."""


@dataclass
class _Layer:
    """A layer that stands: for which plot (None: for one trial alone), and which trial built it."""

    plot: int | None
    built_by: str
    site: Site
    opened: ExitStack = field(default_factory=ExitStack)

    def serves(self, plot: int | None) -> bool:
        """Whether a trial of ``plot`` may use the layer."""
        return plot is not None and plot == self.plot


class Standing:
    """What stands now, lowest first; a context manager that leaves nothing standing."""

    def __init__(self, lease: Lease, journal: Journal) -> None:
        self._lease = lease
        self._journal = journal
        self._layers: list[_Layer] = []
        self._volume: Volume | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def sites(self) -> tuple[Site, ...]:
        """Where the layers were built, lowest first: their commands and warnings."""
        return tuple(layer.site for layer in self._layers)

    @property
    def built_by(self) -> tuple[str | None, str | None]:
        """The trials that built the array and the filesystem which stand."""
        found: list[str | None] = [layer.built_by for layer in self._layers]
        return (*found, None, None)[0], (*found, None, None)[1]

    def take(self, planned: PlannedTrial, spec: StackSpec) -> Volume:
        """The volume that a trial runs on, its filesystem made; builds what does not stand yet."""
        self.release(planned)
        if self._volume is None:
            self._volume = self._build(planned.whole_plot, planned, lambda site: base(site, spec))
        if len(self._layers) == 1 and spec.filesystem != "raw":
            volume = self._volume
            self._build(planned.sub_plot, planned, lambda site: formatted(site, spec, volume))
        return self._volume

    def release(self, following: PlannedTrial) -> None:
        """Take down what the ``following`` trial cannot use."""
        if not self._layers or not self._layers[0].serves(following.whole_plot):
            self.close()
        elif len(self._layers) > 1 and not self._layers[1].serves(following.sub_plot):
            self._drop()
            if self._volume is not None and self._volume.array is not None:
                filesystem.wipe(self._layers[0].site, self._volume)

    def close(self) -> None:
        """Take down everything, from the top."""
        while self._layers:
            self._drop()

    def _drop(self) -> None:
        layer = self._layers.pop()
        if not self._layers:
            self._volume = None
        layer.opened.close()

    def _build(
        self, plot: int | None, planned: PlannedTrial, layer_of: Callable[[Site], AbstractContextManager[Volume]]
    ) -> Volume:
        """Build a layer; it is kept before it stands, so that its commands are on record if it fails."""
        site = Site(self._lease, self._journal, NO_FOLDER, planned.trial_id[:8])
        layer = _Layer(plot, planned.trial_id, site)
        self._layers.append(layer)
        return layer.opened.enter_context(layer_of(site))

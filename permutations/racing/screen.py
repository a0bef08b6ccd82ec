"""Statistics of a race: means with their noise, the test against the leader, and the tests of requirements.

Everything is on the log scale and for many races side by side: (races, points).  One race is a batch of one; a
simulation is a batch of thousands and uses the same code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

FAR = 1e3
"""More than the difference of any two figures on the log scale."""
NOISE_SHARE = 0.1
"""Part of a level for the noise: its many degrees of freedom make a small part cheap."""
FIRST_ERROR = 0.05
"""Assumed standard error of a slack after one block, from which no noise can be estimated."""


def look_level(error_rate: float, blocks: int) -> float:
    """Level of the look after ``blocks`` blocks (2 or more); the levels of all looks add up to ``error_rate``."""
    return error_rate / (blocks * (blocks - 1))


class Means:
    """Means of points over the blocks so far, and their sums of squares."""

    def __init__(self, races: int, points: int) -> None:
        import numpy as np

        self.blocks = 0
        self.means: Floats = np.zeros((races, points))
        self.squares: Floats = np.zeros(races)
        """Sum of squares of the noise, with ``df`` degrees of freedom."""
        self.df: Floats = np.zeros(races)
        self.block_squares: Floats = np.zeros(races)
        """Sum of squares of the block means, with one degree of freedom less than there are blocks."""

    def take(self, values: Floats, taken: Flags, chosen: Flags) -> None:
        """Add a block; points that are not ``taken`` are ignored.

        The noise grows by the deviations of the block from the means before it, without the block effect
        (Helmert contrasts, independent of the means).  If points were ``chosen`` by the means before it (races),
        these scatter less than by chance, by an amount that depends on the true figures; then only the scatter
        within the block is assumed, which makes the noise too large rather than too small.
        """
        import numpy as np

        self.blocks += 1
        count = np.maximum(taken.sum(axis=1), 1)
        step = np.where(taken, values - self.means, 0.0)
        if self.blocks > 1:
            shift = step.sum(axis=1) / count
            off = np.where(taken, step - shift[:, None], 0.0)
            share = np.where(chosen, 1.0, (self.blocks - 1) / self.blocks)
            self.squares += (off**2).sum(axis=1) * share
            self.df += count - 1
            self.block_squares += shift**2 * share
        self.means += step / self.blocks


class Screen(Means):
    """Screening: the ``live`` points, and the test that finds those behind the leader; more is better."""

    def __init__(self, live: Flags, error_rate: float, keep: int) -> None:
        """``keep`` is the minimum of points that the test against the leader leaves."""
        import numpy as np

        super().__init__(*live.shape)
        self.live = live
        self.error_rate = error_rate
        self.keep = keep
        self.rivals = live.shape[1] - 1
        self.chosen: Flags = np.zeros(len(live), dtype=bool)
        """(races,) Whether points dropped out without a test, so that the live ones were chosen by their means."""
        self.handicap: Floats = np.zeros(live.shape)
        """Subtracted from the means to order the points: those that seem to miss a requirement come last."""

    def add(self, values: Floats, running: Flags) -> None:
        """Add a block of the ``running`` races; values of points that are not live are ignored."""
        self.take(values, self.live & running[:, None], self.chosen)

    def eliminate(self, running: Flags, eligible: Flags | None = None) -> tuple[Flags, Floats]:
        """Remove the points that are shown to be behind the leader; returns them and the critical lead.

        Only ``eligible`` points can lead: those that are shown to meet the requirements.
        """
        import numpy as np
        from scipy import special

        level = look_level(self.error_rate, self.blocks)
        df = np.maximum(self.df, 1)
        critical = -special.stdtrit(df, level / max(self.rivals, 1))
        reach = critical * np.sqrt(self.squares / df * 2 / self.blocks)
        reach = np.where(self.df > 0, reach, np.inf)
        leading = self.live if eligible is None else self.live & eligible
        lead = np.where(leading, self.means, -np.inf).max(axis=1)
        behind = lead[:, None] - self.means > reach[:, None]
        out: Flags = self.live & behind & running[:, None] & (self._ranks() >= self.keep)
        self.live = self.live & ~out
        return out, reach

    def remove(self, out: Flags) -> None:
        """Remove points for another reason than their means."""
        self.live = self.live & ~out

    def cut(self, count: npt.NDArray[np.intp], running: Flags) -> Flags:
        """Keep the ``count`` first live points of each of the ``running`` races; returns those that drop out."""
        out: Flags = self.live & running[:, None] & (self._ranks() >= count[:, None])
        self.live = self.live & ~out
        self.chosen = self.chosen | out.any(axis=1)
        return out

    def leaders(self, count: int) -> npt.NDArray[np.intp]:
        """Positions of the ``count`` first live points, best first; (races, count)."""
        return self._order()[:, :count]

    def _order(self) -> npt.NDArray[np.intp]:
        """Positions by mean minus handicap, best first; points that are not live come last."""
        import numpy as np

        order: npt.NDArray[np.intp] = np.where(self.live, self.handicap - self.means, np.inf).argsort(
            axis=1, kind="stable"
        )
        return order

    def _ranks(self) -> npt.NDArray[np.intp]:
        ranks: npt.NDArray[np.intp] = self._order().argsort(axis=1, kind="stable")
        return ranks


class Limit(Means):
    """The evidence on one measured requirement; values are slacks, and a point meets it if its true slack is above 0.

    The errors of a mean are its own noise and the shifts of its blocks, which share the level by :data:`NOISE_SHARE`:
    Student's t with the pooled noise bounds the noise of every point (Bonferroni); Student's t on the means of whole
    blocks bounds the shifts, once for all points.  Over both sides and all looks, with a probability of
    ``1 - error_rate`` no error of a mean exceeds ``reach``, whichever points remain.
    """

    def __init__(self, races: int, points: int, error_rate: float) -> None:
        import numpy as np

        super().__init__(races, points)
        self.error_rate = error_rate
        self.known: Flags = np.ones((races, points), dtype=bool)
        """Points whose slack was measured in every one of their trials."""

    def add(self, slacks: Floats, taken: Flags, chosen: Flags) -> None:
        """Add a block; NaN stands for a slack that was not measured."""
        import numpy as np

        self.known = self.known & ~(taken & np.isnan(slacks))
        self.take(np.nan_to_num(slacks), taken & self.known, chosen)

    @property
    def reach(self) -> Floats:
        """Bound of the error of any mean, (races,)."""
        import numpy as np
        from scipy import special

        if self.blocks < 2:
            return np.full(len(self.df), np.inf)
        level = look_level(self.error_rate, self.blocks) / 2
        df = np.maximum(self.df, 1)
        noise = -special.stdtrit(df, level * NOISE_SHARE / self.means.shape[1]) * np.sqrt(
            self.squares / df / self.blocks
        )
        rest = self.blocks - 1
        shift = -special.stdtrit(rest, level * (1 - NOISE_SHARE)) * np.sqrt(self.block_squares / rest / self.blocks)
        alone = self.df == 0  # the noise of a single point cannot be separated from the shift, which then includes it
        reach: Floats = np.where(alone, shift, noise + shift)
        return reach

    @property
    def standard_error(self) -> Floats:
        """Standard error of a mean, including the shifts of blocks, (races,)."""
        import numpy as np

        if self.blocks < 2:
            return np.full(len(self.df), FIRST_ERROR)
        noise = self.squares / np.maximum(self.df, 1) + self.block_squares / (self.blocks - 1)
        error: Floats = np.sqrt(noise / self.blocks)
        return error


class Limits:
    """All measured requirements of races."""

    def __init__(self, shape: tuple[int, int], count: int, error_rate: float) -> None:
        self.limits = [Limit(*shape, error_rate / count) for _ in range(count)]
        self._shape = shape

    def add(self, slacks: Floats, taken: Flags, chosen: Flags) -> None:
        """Add a block: (requirements, races, points)."""
        for limit, values in zip(self.limits, slacks, strict=True):
            limit.add(values, taken, chosen)

    def failing(self) -> Flags:
        """Points that are shown to miss a requirement."""
        import numpy as np

        failing = np.zeros(self._shape, dtype=bool)
        for limit in self.limits:
            failing |= limit.known & (limit.means < -limit.reach[:, None])
        return failing

    def meeting(self) -> Flags:
        """Points that are shown to meet all of them."""
        import numpy as np

        meeting = np.ones(self._shape, dtype=bool)
        for limit in self.limits:
            meeting &= limit.known & (limit.means > limit.reach[:, None])
        return meeting

    def handicap(self) -> Floats:
        """Puts points last that seem to miss requirements by more than a standard error, by the violation.

        Feasible before infeasible, then by violation: Deb, Computer Methods in Applied Mechanics and Engineering 186,
        2000.  The fastest point that meets a requirement is often close to its limit, so without the standard error
        it would be cut by its noise in half of the races.
        """
        import numpy as np

        short = np.zeros(self._shape)
        for limit in self.limits:
            short += np.where(limit.known, np.maximum(-limit.means - limit.standard_error[:, None], 0.0), FAR)
        return np.where(short > 0, FAR * (1 + short), 0.0)

"""Make the plan of a sweep: points, combinations left out, and trials in run order."""

from __future__ import annotations

from permutations.capacity import places_for_files
from permutations.designs.registry import choose
from permutations.designs.report import DesignError, DesignReport
from permutations.errors import SweepError
from permutations.feasible.conflict import why_empty
from permutations.feasible.space import LeftOut
from permutations.order import blocked, split_plot
from permutations.plan import Plan
from permutations.point import DesignPoint
from permutations.race import first_block
from permutations.reading import toml_lines
from permutations.requirement import contenders, known_constraints
from permutations.sweep import Sweep
from stripelab.settings import RAW

__all__ = ["LeftOut", "Plan", "make_plan"]

NOT_CHOSEN = "not-chosen"
"""Name of the entry that counts the feasible combinations that the design leaves out."""
REQUIREMENT = "requirement"
"""Name of the entry that counts the points that a race does not start: they cannot meet a requirement."""


def make_plan(sweep: Sweep, disk_bytes: int | None = None) -> Plan:
    """The plan of a sweep; raises :class:`SweepError` if there is nothing to run, or far too much.

    ``disk_bytes`` is the size of a disk, if known: it excludes points from a race that requires capacity.
    """
    empty = why_empty(sweep.space)
    if empty is not None:
        raise SweepError(sweep.path, None, "[factors]", empty)
    space = sweep.space
    try:
        chosen = choose(space, sweep.spec, sweep.seed)
    except DesignError as error:
        line = toml_lines.locate(sweep.text).get(("sweep", error.key))
        raise SweepError(sweep.path, line, f"[sweep] {error.key}", str(error)) from None
    points = tuple(DesignPoint(values, space.varied) for values in chosen.combinations)
    report = DesignReport(sweep.design, space.feasible, chosen.guarantees, chosen.figures)
    _check_places(sweep, points)
    left_out = _left_out(sweep, len(points))
    if sweep.racing is not None:
        starters = contenders(points, sweep.objectives, disk_bytes)
        left_out += _excluded(sweep, len(points) - len(starters))
        return Plan(sweep, starters, left_out, first_block(sweep, sweep.racing, starters), report)
    arrange = split_plot if sweep.order == "split-plot" else blocked
    trials = arrange(points, seed=sweep.seed, replicates=sweep.replicates, protocol_id=sweep.protocol_id)
    return Plan(sweep, points, left_out, trials, report)


def _left_out(sweep: Sweep, points: int) -> tuple[LeftOut, ...]:
    """Combinations that the rules leave out, then those that the design leaves out."""
    others = sweep.space.feasible - points
    reason = f"feasible, but not among the points that the {sweep.design} design chooses"
    return (*sweep.space.left_out(), *([LeftOut(NOT_CHOSEN, reason, others)] if others else []))


def _excluded(sweep: Sweep, points: int) -> tuple[LeftOut, ...]:
    """The entry for points that a race does not start; none if ``points`` is 0."""
    words = " and ".join(constraint.text for constraint in known_constraints(sweep.objectives))
    return (LeftOut(REQUIREMENT, f"cannot meet the requirement {words}: a race does not start them", points),) * (
        points > 0
    )


def _check_places(sweep: Sweep, points: tuple[DesignPoint, ...]) -> None:
    """Reject a data set that has fewer files than a point has places for them."""
    for point in points:
        places = places_for_files(point.level, point.disks, point.text("layout"))
        if point.filesystem != RAW and sweep.dataset.files < places:
            message = f"files = {sweep.dataset.files}, but {point.label()} has {places} places: each needs a file"
            raise SweepError(sweep.path, None, "[dataset]", message)

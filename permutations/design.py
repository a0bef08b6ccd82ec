"""From a sweep to a plan: the points, what was left out, and the trials in run order."""

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
from permutations.requirement import contenders, known
from permutations.sweep import Sweep
from stripelab.settings import RAW

__all__ = ["LeftOut", "Plan", "make_plan"]

NOT_CHOSEN = "not-chosen"
"""Name under which feasible combinations are counted that the design leaves out."""
REQUIREMENT = "requirement"
"""And those that a race does not start, since they cannot meet a requirement."""


def make_plan(sweep: Sweep, disk_bytes: int | None = None) -> Plan:
    """Lay a sweep out; raises :class:`SweepError` where there is nothing to run, or far too much.

    ``disk_bytes`` is the size of a disk, where it is known: it rules points out of a race that asks for capacity.
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
        able = contenders(points, sweep.objectives, disk_bytes)
        left_out += _unable(sweep, len(points) - len(able))
        return Plan(sweep, able, left_out, first_block(sweep, sweep.racing, able), report)
    in_order = split_plot if sweep.order == "split-plot" else blocked
    trials = in_order(points, seed=sweep.seed, replicates=sweep.replicates, protocol_id=sweep.protocol_id)
    return Plan(sweep, points, left_out, trials, report)


def _left_out(sweep: Sweep, points: int) -> tuple[LeftOut, ...]:
    """What the rules leave out, and then what the design does."""
    others = sweep.space.feasible - points
    reason = f"feasible, but not among the points that the {sweep.design} design chooses"
    return (*sweep.space.left_out(), *([LeftOut(NOT_CHOSEN, reason, others)] if others else []))


def _unable(sweep: Sweep, points: int) -> tuple[LeftOut, ...]:
    """The points that a race does not start."""
    words = " and ".join(each.text for each in known(sweep.objectives))
    return (LeftOut(REQUIREMENT, f"cannot meet the requirement {words}: a race does not start them", points),) * (
        points > 0
    )


def _check_places(sweep: Sweep, points: tuple[DesignPoint, ...]) -> None:
    """Refuse a data set that leaves a place without a file."""
    for point in points:
        places = places_for_files(point.level, point.disks, point.text("layout"))
        if point.filesystem != RAW and sweep.dataset.files < places:
            message = f"files = {sweep.dataset.files}, but {point.label()} has {places} places: each needs a file"
            raise SweepError(sweep.path, None, "[dataset]", message)

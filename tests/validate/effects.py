"""Effect sentences on synthetic truth: how often any of them is false, and how often a planted effect is found.

Judged are the sentences as they are printed (``make validate``).
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from results.estimates.effects import effects
from results.estimates.estimate import fit
from results.estimates.factor_model import factor_model
from results.estimates.responses import Response
from results.estimates.shares import pair_effects
from stripelab.settings import FACTOR_NAMES, Setting
from tests.validate.race import interval

Point = dict[str, Setting]
CLAIM = re.compile(r"increases|reduces|differs between|depends on (?!.*no significant interaction)|the effect of one")
BLOCK_SD = 0.03


def point(**values: Setting) -> Point:
    return {name: values.get(name, "default") for name in FACTOR_NAMES}


def full(**factors: tuple[Setting, ...]) -> list[Point]:
    return [point(**dict(zip(factors, values, strict=True))) for values in product(*factors.values())]


def mixed() -> list[Point]:
    """RAID levels with and without chunks, JBOD with a layout of its own, two filesystems."""
    found = []
    for level, fs in product(("jbod", "raid0", "raid1", "raid5", "raid10"), ("ext4", "xfs")):
        chunks = (None,) if level in {"jbod", "raid1"} else (64, 256, 512)
        layouts = ("per-disk",) if level == "jbod" else ("flat", "hashed-2x16")
        for chunk, layout in product(chunks, layouts):
            found.append(point(level=level, chunk_kib=chunk, filesystem=fs, layout=layout))
    return found


def fractional() -> list[Point]:
    """2^(6-2) of resolution IV: E = ABC, F = BCD (Box, Hunter and Hunter, 2nd ed., table 6.22)."""
    values: Mapping[str, tuple[Setting, Setting]] = {
        "level": ("raid0", "raid10"),
        "chunk_kib": (64, 512),
        "filesystem": ("xfs", "ext4"),
        "layout": ("flat", "hashed-2x16"),
        "scheduler": ("none", "mq-deadline"),
        "nr_requests": (16, 64),
    }
    return [
        point(**{name: values[name][bit] for name, bit in zip(values, (a, b, c, d, a ^ b ^ c, b ^ c ^ d), strict=True)})
        for a, b, c, d in product((0, 1), repeat=4)
    ]


def covering() -> list[Point]:
    """Twenty of the points of a space that rules constrain, each value at least once."""
    space = [
        each | {"scheduler": scheduler, "read_ahead_kib": ahead}
        for each in mixed()
        for scheduler in ("none", "mq-deadline", "bfq")
        for ahead in (128, 4096)
    ]
    return [space[place] for place in np.random.default_rng(7).choice(len(space), 20, replace=False)]


def additive(row: Point) -> float:
    """Truth with a level and a chunk that matter."""
    level: Mapping[Setting, float] = {"raid10": math.log(0.53), "raid5": -1.0, "raid1": -1.4, "jbod": 0.1}
    return level.get(row["level"], 0.0) + (math.log(1.094) if row["chunk_kib"] == 512 else 0.0)


def crossed(row: Point) -> float:
    """Truth where the chunk matters on one level only."""
    return math.log(0.5 if row["level"] == "raid5" else 1.0) + (
        math.log(1.38) if row["level"] == "raid5" and row["chunk_kib"] == 512 else 0.0
    )


@dataclass(frozen=True)
class Shape:
    """A sweep: its points, blocks, noise of a trial, true log figures, and the factors that matter.

    ``arrays`` is the sd of what the trials of one level and block share, as in a split-plot order.
    """

    points: list[Point]
    blocks: int
    cv: float = 0.05
    truth: Callable[[Point], float] = lambda _: 0.0
    matter: frozenset[str] = frozenset()
    interact: frozenset[frozenset[str]] = frozenset()
    arrays: float = 0.0


SHAPES: Mapping[str, Shape] = {
    "8 values, 2 blocks": Shape(full(level=tuple(f"l{n}" for n in range(8))), 2),
    "72 points, 2 blocks": Shape(
        full(level=("raid0", "raid5", "raid6", "raid10"), chunk_kib=(64, 256, 512), filesystem=("ext4", "xfs"),
             scheduler=("none", "mq-deadline", "bfq")), 2),
    "mixed, 2 blocks": Shape(mixed(), 2),
    "fractional, 2 blocks": Shape(fractional(), 2, 0.077),
    "20 points of a covering kind, 2 blocks": Shape(covering(), 2),
    "split plot, 4 blocks": Shape(
        full(level=("raid0", "raid5", "raid6"), filesystem=("ext4", "xfs"), scheduler=("none", "bfq")), 4, arrays=0.05),
    "fractional, two factors matter": Shape(fractional(), 2, 0.077, additive, frozenset({"level", "chunk_kib"})),
    "mixed, two factors matter": Shape(mixed(), 2, 0.05, additive, frozenset({"level", "chunk_kib"})),
    "20 points, two factors matter": Shape(covering(), 2, 0.05, additive, frozenset({"level", "chunk_kib"})),
    "crossed, two factors interact": Shape(
        full(level=("raid0", "raid5"), chunk_kib=(64, 512), filesystem=("ext4", "xfs"), layout=("flat", "hashed-2x16")),
        3, 0.05, crossed, frozenset({"level", "chunk_kib"}), frozenset({frozenset({"level", "chunk_kib"})})),
}  # fmt: skip
"""Nothing is planted in the first six."""


@dataclass(frozen=True)
class Outcome:
    """Of one sweep: the sentences that are false, and the factors of which a change is claimed."""

    false: tuple[str, ...]
    claimed: frozenset[str] = field(default_factory=frozenset)
    sentences: tuple[str, ...] = ()


def sweep(shape: Shape, seed: int) -> Outcome:
    """One sweep with this truth, and what is printed of it."""
    dice = np.random.default_rng([seed, len(shape.points), shape.blocks])
    sigma = math.sqrt(math.log1p(shape.cv**2))
    runs = []
    for block in range(shape.blocks):
        speed = dice.normal(0, BLOCK_SD)
        arrays: dict[Setting, tuple[str, float]] = {}
        for place in dice.permutation(len(shape.points)):
            row, trial = shape.points[place], f"t{place}-{block}"
            built, shared = arrays.setdefault(row["level"], (trial, dice.normal(0, shape.arrays)))
            log = shape.truth(row) + speed + dice.normal(0, sigma) + (shared if shape.arrays else 0.0)
            plots = (built, None) if shape.arrays else (None, None)
            runs.append(Response(trial, f"p{place:03d}", block, len(runs), 400 * math.exp(log), plots))
    settings = {f"p{place:03d}": row for place, row in enumerate(shape.points)}
    found = factor_model(fit(runs), settings)
    false, claimed, sentences = [], set(), []
    for effect in effects(found, "iops", maximise=True):
        sentences.append(effect.sentence)
        if CLAIM.search(effect.sentence):
            claimed.add(effect.factor)
            if effect.factor not in shape.matter or ("depends on" in effect.sentence and not shape.interact):
                false.append(effect.sentence)
    for pair in pair_effects(found):
        sentences.append(pair.sentence)
        named = {frozenset({pair.one, pair.other}), *(frozenset(each.split(" x ")) for each in pair.confounded_with)}
        if CLAIM.search(pair.sentence) and not named & shape.interact:
            false.append(pair.sentence)
    return Outcome(tuple(false), frozenset(claimed), tuple(sentences))


def rate(hits: int, of: int) -> str:
    low, high = interval(hits, of)
    return f"{hits / of:.4f} ({low:.4f} to {high:.4f})"


def report(seeds: int, only: str = "") -> None:
    """The figures of docs/methodology-statistics.md."""
    for name, shape in SHAPES.items():
        if only not in name:
            continue
        found = [sweep(shape, seed) for seed in range(seeds)]
        line = f"{name}: any false sentence {rate(sum(bool(each.false) for each in found), seeds)}"
        for factor in sorted(shape.matter):
            line += f", {factor} found {rate(sum(factor in each.claimed for each in found), seeds)}"
        print(line, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--only", default="", help="Part of the name of the sweeps to run.")
    arguments = parser.parse_args()
    report(arguments.seeds, arguments.only)

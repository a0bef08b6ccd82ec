"""Analysis of variance with the error that each factor must be judged by.

Sequential sums of squares in the order of the stack: blocks, then what an array is made of, then the error
of arrays, then filesystems and their error, then everything that a mount or a queue setting changes, then
the noise of a trial.  In a balanced design this is the split-plot table of the textbooks (Box, Hunter and
Hunter, Statistics for Experimenters, 2nd ed., ch. 9; Yates, JRSS Supplement 2, 1935); where trials share
nothing there is one error.  Where points are missing, or a factor does not apply everywhere, a term is
what it adds to those before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from results.estimates.estimate import Fit
from results.estimates.settings import varied
from results.statistics.bases import beyond, indicator, products
from stripelab.settings import Setting

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

ARRAY_FACTORS = frozenset({"level", "disks", "chunk_kib", "raid10_layout"})
FILESYSTEM_FACTORS = frozenset({"filesystem", "mkfs_options"})
NOISE = "trials"
_ERRORS = ("arrays", "filesystems")
_MOST_TRIALS = 3000


@dataclass(frozen=True)
class AnovaRow:
    """A line of the table; sums of squares are of natural logarithms.

    ``error`` is what the term is tested against: arrays, filesystems or trials; of an error itself ``f``,
    ``p_value`` and ``error`` are None.
    """

    term: str
    df: int
    sum_of_squares: float
    mean_square: float
    f: float | None
    p_value: float | None
    error: str | None


@dataclass(frozen=True)
class Term:
    """Columns of a term and the stratum it belongs to; an error has ``stratum`` None."""

    name: str
    columns: Floats
    stratum: str | None


def anova(model: Fit, settings: Mapping[str, Mapping[str, Setting]]) -> tuple[AnovaRow, ...]:
    """The table of a model; empty of more than 3,000 trials, which would take too long."""
    import numpy as np

    if len(model.responses) > _MOST_TRIALS:
        return ()
    rows = [settings[response.point_id] for response in model.responses]
    names = varied(settings[point] for point in model.points)
    errors = [each.name + "s" for each in model.components]
    terms = [Term("blocks", indicator([response.block for response in model.responses]), NOISE)]
    if "arrays" in errors:
        terms = [Term("blocks", terms[0].columns, "arrays")]
    seen: list[str] = []
    for depth, mine in enumerate((ARRAY_FACTORS, FILESYSTEM_FACTORS, frozenset(names))):
        fresh = [name for name in names if name in mine and name not in seen]
        stratum = next((each for each in _ERRORS[depth:] if each in errors), NOISE)
        terms += _terms(rows, fresh, seen, stratum)
        seen += fresh
        if depth < 2 and _ERRORS[depth] in errors:
            plots = [response.plots[depth] or response.trial_id for response in model.responses]
            terms.append(Term(_ERRORS[depth], indicator(plots), None))
    return table(np.log([response.value for response in model.responses]), terms)


def _terms(
    rows: Sequence[Mapping[str, Setting]], fresh: Sequence[str], seen: Sequence[str], stratum: str
) -> list[Term]:
    """Single factors, then pairs with them in it, then whatever is left between their settings."""
    if not fresh:
        return []
    terms = [Term(name, indicator([row[name] for row in rows]), stratum) for name in fresh]
    every = [*seen, *fresh]
    for one, other in combinations(every, 2):
        if other in fresh:
            terms.append(Term(f"{one} x {other}", indicator([(row[one], row[other]) for row in rows]), stratum))
    if len(every) > 2:
        terms.append(
            Term("higher interactions", indicator([tuple(row[name] for name in every) for row in rows]), stratum)
        )
    return terms


def table(values: Floats, terms: Sequence[Term]) -> tuple[AnovaRow, ...]:
    """Sequential sums of squares of ``values`` over ``terms``, and of what they leave.

    The first value is subtracted from all, which is exact for values of one size, and then the mean: a large
    constant would otherwise cost the digits that the answer needs.
    """
    import numpy as np

    left = values - values[0]
    left = left - left.mean()
    basis = np.full((len(values), 1), len(values) ** -0.5)
    found: list[tuple[Term, int, float]] = []
    for term in terms:
        step = beyond(term.columns, basis)
        basis = np.hstack([basis, step])
        along = products(step, left)
        found.append((term, step.shape[1], float(along @ along)))
        left = left - step @ along
    df = len(values) - basis.shape[1]
    noise = (Term(NOISE, np.zeros((len(values), 0)), None), df, float(products(left, left)))
    return _judged([*(each for each in found if each[1]), noise])


def _judged(found: Sequence[tuple[Term, int, float]]) -> tuple[AnovaRow, ...]:
    """Mean squares, and F ratios against the error of each term's stratum."""
    from scipy import special

    errors = {term.name: (df, square / df) for term, df, square in found if term.stratum is None and df}
    rows = []
    for term, df, square in found:
        mean = square / df if df else 0.0
        error = errors.get(term.stratum or "")
        f = mean / error[1] if error and error[1] > 0 else None
        p_value = float(special.fdtrc(df, error[0], f)) if error and f is not None else None
        rows.append(AnovaRow(term.name, df, square, mean, f, p_value, term.stratum if error else None))
    return tuple(rows)

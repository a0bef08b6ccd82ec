"""Orthonormal bases of what groups of trials or points span, one beyond another.

Columns are those of designs: zeros and ones that say who belongs to a group, or differences of such.  What they
span beyond a basis comes from the eigenvectors of their small matrix of products and not from a singular value
decomposition of the tall matrix, which takes ten times as long (Stathopoulos and Wu, SIAM Journal on Scientific
Computing 23, 2002); what that loses in exactness is put right by steps towards the nearest orthonormal columns
(Higham, Functions of Matrices, 2008, ch. 8, on the iteration of Newton and Schulz).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_CORRECTIONS = 2
"""The error is squared by each; of eigenvectors it is 1e-6 at most, where an angle is as small as it may be."""

_LEAST_SINE = 1e-5
"""Below this sine of the angle to what is known already a direction is rounding: designs make far larger ones."""


def products(ones: Floats, others: Floats) -> Floats:
    """``ones``ᵀ · ``others``, summed in blocks of rows.

    Columns of designs repeat the same figure over and over, and plain sums of equal terms round the same way each
    time; the error of sums in blocks grows with the square root of the number of rows only (Higham, Accuracy and
    Stability of Numerical Algorithms, 2nd ed., ch. 4).
    """
    rows = max(1, math.isqrt(len(ones)))
    return sum(
        (ones[start : start + rows].T @ others[start : start + rows] for start in range(rows, len(ones), rows)),
        start=ones[:rows].T @ others[:rows],
    )


def indicator(values: Sequence[Hashable]) -> Floats:
    """A column of zeros and ones per distinct value, in the order of their first appearance; (values, distinct)."""
    import numpy as np

    names = {value: place for place, value in enumerate(dict.fromkeys(values))}
    found = np.zeros((len(values), len(names)))
    found[np.arange(len(values)), [names[value] for value in values]] = 1.0
    return found


def span(columns: Floats) -> Floats:
    """Orthonormal basis of what ``columns`` (rows, any number) span; (rows, rank)."""
    import numpy as np

    return beyond(columns, np.zeros((len(columns), 0)))


def beyond(columns: Floats, basis: Floats) -> Floats:
    """Orthonormal basis of what ``columns`` span beyond ``basis``, which is orthonormal; (rows, rank)."""
    import numpy as np

    lengths = np.sqrt((columns**2).sum(axis=0))
    left = columns[:, lengths > 0] / lengths[lengths > 0]
    left = left - basis @ products(basis, left)
    squares, turned = np.linalg.eigh(products(left, left))
    kept = squares > _LEAST_SINE**2
    found = left @ (turned[:, kept] / np.sqrt(squares[kept]))
    for _ in range(_CORRECTIONS):
        found = found - basis @ products(basis, found)
        found = found @ (1.5 * np.eye(found.shape[1]) - 0.5 * products(found, found))
    return np.asarray(found, dtype=np.float64)

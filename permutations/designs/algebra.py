"""Covering arrays by construction: a start for models whose columns have similar numbers of levels.

Sources:
Bush 1952, Orthogonal arrays of index unity (Annals of Mathematical Statistics 23, 426-434).
Katona 1973 (Periodica Mathematica Hungarica 3, 19-26); Kleitman and Spencer 1973 (Discrete
Mathematics 6, 255-262): two levels, strength 2, optimal.
Stevens, Ling and Mendelsohn 2002 (Ars Combinatoria 63); Colbourn, Martirosyan, Mullen, Shasha, Sherwood and
Yucas 2006, Products of mixed covering arrays of strength two (Journal of Combinatorial Designs 14, 124-138).
"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from permutations.designs.fields import field, order_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


def bush(order: int, strength: int) -> Ints:
    """The orthogonal array of ``order``^strength rows and ``order`` + 1 columns.

    A row is a polynomial of degree below ``strength``; a column is a point at which it is evaluated,
    and the last column is its leading coefficient.
    """
    add, multiply = field(order)
    coefficients = np.array(list(itertools.product(range(order), repeat=strength)), dtype=np.int64)
    columns = []
    for point in range(order):
        value = np.zeros(len(coefficients), dtype=np.int64)
        for power in reversed(range(strength)):
            value = add[multiply[value, point], coefficients[:, power]]
        columns.append(value)
    return np.stack([*columns, coefficients[:, -1]], axis=1)


def extend(array: Ints, order: int) -> Ints:
    """An array of N + q² - q rows and kq + 1 columns, from N rows and k columns, at strength 2 (q is ``order``).

    Every column is repeated q times; the pairs of unequal symbols that two copies of a column lack are
    in the rows of an orthogonal array without its constant rows.  The additional column has the symbol 0
    above and the slope of the line below.
    """
    lines = bush(order, 2)
    sloped = lines[lines[:, order] != 0]
    above = np.hstack([np.repeat(array, order, axis=1), np.zeros((len(array), 1), dtype=np.int64)])
    below = np.hstack([np.tile(sloped[:, :order], (1, array.shape[1])), sloped[:, order:]])
    return np.vstack([above, below])


def repeat(levels: int, columns: int) -> Ints | None:
    """A strength-2 array of at least ``columns`` columns and ``levels`` levels; None if there is no field for it."""
    order = order_for(levels)
    if order is None:
        return None
    array = bush(order, 2)
    while array.shape[1] < columns:
        array = extend(array, order)
    return array


def binary(columns: int) -> Ints:
    """The smallest strength-2 array of two levels, for at least ``columns`` columns.

    The first of N rows is all 0; a column is 1 in ceil(N/2) of the other N - 1.  Two such sets of rows intersect,
    since together they are too large, and neither contains the other, since they have the same size.
    """
    rows = next(n for n in itertools.count(4) if math.comb(n - 1, (n + 1) // 2) >= columns)
    array = np.zeros((rows, columns), dtype=np.int64)
    for column, ones in zip(range(columns), itertools.combinations(range(1, rows), (rows + 1) // 2), strict=False):
        array[list(ones), column] = 1
    return array

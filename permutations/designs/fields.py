"""Tables of small finite fields, found by search."""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

LARGEST = 32
"""Maximum order of a field: no column of a storage sweep has more levels that an array could use."""


@cache
def prime_power(order: int) -> tuple[int, int] | None:
    """The prime and the exponent of ``order``; None if it is not a prime power."""
    prime = next(d for d in range(2, order + 1) if order % d == 0) if order > 1 else 0
    exponent = 0
    while prime and order % prime == 0:
        order, exponent = order // prime, exponent + 1
    return (prime, exponent) if prime and order == 1 else None


def order_for(levels: int) -> int | None:
    """The smallest order of a field with at least ``levels`` elements; None above :data:`LARGEST`."""
    return next((order for order in range(max(levels, 2), LARGEST + 1) if prime_power(order)), None)


@cache
def field(order: int) -> tuple[Ints, Ints]:
    """The tables of addition and multiplication of the field of a prime-power order.

    Elements are polynomials over the integers modulo the prime, written as numbers in its base.
    The modulus is the first monic polynomial without divisors of zero, which is irreducible.
    """
    power = prime_power(order)
    if power is None:
        raise ValueError(f"{order} is no prime power")
    prime, exponent = power
    digits = np.array([[x // prime**place % prime for place in range(exponent)] for x in range(order)], dtype=np.int64)
    weights = np.array([prime**place for place in range(exponent)], dtype=np.int64)
    add: Ints = ((digits[:, None, :] + digits[None, :, :]) % prime) @ weights
    for low in itertools.product(range(prime), repeat=exponent):
        multiply = _products(digits, np.array(low), prime, weights)
        if all(len(set(row)) == order for row in multiply[1:].tolist()):
            return add, multiply
    raise ValueError(f"no field of order {order} was found")


def _products(digits: Ints, low: Ints, prime: int, weights: Ints) -> Ints:
    """The table of products modulo the monic polynomial whose other coefficients are ``low``."""
    order, exponent = digits.shape
    product = np.zeros((order, order, 2 * exponent - 1), dtype=np.int64)
    for one, other in itertools.product(range(exponent), repeat=2):
        product[:, :, one + other] += digits[:, None, one] * digits[None, :, other]
    for high in range(2 * exponent - 2, exponent - 1, -1):
        lead = product[:, :, high].copy() % prime
        product[:, :, high - exponent : high] -= lead[:, :, None] * low
        product[:, :, high] = 0
    table: Ints = (product[:, :, :exponent] % prime) @ weights
    return table

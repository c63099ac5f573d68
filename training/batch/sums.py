"""Exact sums over stretches of a column, each rounded once: the bits of ``math.fsum``.

A float is an integer times a power of two. Here that integer is cut into limbs of 32 bits, of
which a column holds running sums in 64: these add and subtract without error, as
``featurizer.exact`` does one by one, and only what a stretch comes to is rounded.
"""

from itertools import pairwise
from typing import Final

import numpy as np

from training.batch.columns import Floats, Ints

BITS: Final = 32
"""Of a limb: sums of 2^31 of them still hold in 64."""
MASK: Final = 2**BITS - 1
MANTISSA: Final = 53


class Sums:
    """The running sums of finite floats, of which a stretch is a difference.

    >>> Sums(np.array([1e16, 1.0, -1e16])).over((np.array([0, 1]), np.array([3, 2])))
    array([1., 1.])
    """

    __slots__ = ("_lowest", "_running")

    def __init__(self, terms: Floats) -> None:
        limbs, self._lowest = _limbs(terms)
        self._running = np.zeros((len(limbs), len(terms) + 1), np.int64)
        np.cumsum(limbs, axis=1, out=self._running[:, 1:])

    def over(self, *stretches: tuple[Ints, Ints]) -> Floats:
        """Return the sums over ``first … end − 1`` of all stretches together, rounded once."""
        total = np.zeros((len(self._running), len(stretches[0][0])), np.int64)
        for first, end in stretches:
            total += self._running.take(end, axis=1)
            total -= self._running.take(first, axis=1)
        return _rounded(total, self._lowest)


def _limbs(terms: Floats) -> tuple[Ints, int]:
    """Return limbs [number, length], the lowest first, and the exponent of their unit."""
    fraction, exponent = np.frexp(terms)
    whole = np.ldexp(fraction, MANTISSA).astype(np.int64)
    known = whole != 0
    lowest = int(exponent[known].min()) if known.any() else 0
    place, shift = np.divmod(np.where(known, exponent - lowest, 0).astype(np.int64), BITS)
    low, high = (whole & MASK) << shift, (whole >> BITS) << shift
    # A term covers three limbs; into the fourth their sums may grow.
    limbs = np.zeros((int(place.max(initial=0)) + 4, len(terms)), np.int64)
    at = np.arange(len(terms))
    limbs[place, at] = low & MASK
    limbs[place + 1, at] = (low >> BITS) + (high & MASK)
    limbs[place + 2, at] = high >> BITS
    return limbs, lowest - MANTISSA


def _carry(limbs: Ints) -> None:
    """Let all limbs but the highest hold 0 … 2^32 − 1."""
    for lower, higher in pairwise(limbs):
        higher += lower >> BITS
        lower &= MASK


def _rounded(limbs: Ints, lowest: int) -> Floats:
    """Return the floats nearest to what limbs come to, the even one of two."""
    _carry(limbs)
    negative = limbs[-1] < 0
    limbs[:, negative] *= -1
    _carry(limbs)
    found = _leading(limbs, lowest)
    np.negative(found, out=found, where=negative)
    return found


def _leading(limbs: Ints, lowest: int) -> Floats:
    """Round limbs: the first 64 bits from the highest that is set, and whether more follow.

    One bit less fits an integer with a sign, which the processor rounds as it becomes a float.
    """
    nothing = np.zeros(limbs.shape[1], np.int64)
    first, second, third = nothing.copy(), nothing.copy(), nothing.copy()
    top, more, below = nothing.copy(), nothing > 0, nothing > 0
    before, last = nothing, nothing
    for place, limb in enumerate(limbs):
        some = limb != 0
        for kept, new in ((first, limb), (second, last), (third, before), (more, below)):
            np.copyto(kept, new, where=some)
        top[some] = place
        below = below | (before != 0)
        before, last = last, limb
    length = np.frexp(first.astype(np.float64))[1].astype(np.int64)
    bits = (first << BITS | second).astype(np.uint64) << (BITS - length).astype(np.uint64)
    bits |= (third >> length).astype(np.uint64)
    more |= third & ((1 << length) - 1) != 0
    rounded = (bits >> np.uint64(1) | bits & np.uint64(1) | more).astype(np.int64)
    found: Floats = np.ldexp(rounded.astype(np.float64), lowest + BITS * (top - 2) + length + 1)
    return found

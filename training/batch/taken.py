"""What became of events, by columns: the rule of ``featurizer.slots.Timeline``."""

from typing import Final

import numpy as np
import numpy.typing as npt

from featurizer.slots import AFTER_ALL_TRADES, MICROSECONDS, Taken
from training.batch.columns import Flags, Ints
from training.batch.keys import BEAT, BREAK, TICK, Keys

TAKEN: Final = tuple(Taken)
ACCEPTED, LATE, REPEATED, BEATEN, BROKEN = range(len(TAKEN))
NOTHING: Final = (-1, -1)
Fates = npt.NDArray[np.int8]


def fates_of(keys: Keys, last: tuple[int, int] = NOTHING) -> Fates:
    """Return by position in ``TAKEN`` what becomes of each event, ``last`` the key before them.

    A Beat is taken in a later second than all before it, a Tick by its key, the greatest so far.
    """
    fates = np.full(len(keys), LATE, np.int8)
    fates[keys.are(BREAK)] = BROKEN
    fates[keys.are(BEAT)] = REPEATED
    beats = _beats(keys, last[0])
    fates[beats] = BEATEN
    ticks = keys.are(TICK)
    counting = ticks | beats
    before = _largest_before(np.where(counting, keys.time_us, -1), last[0])
    newer = counting & (keys.time_us > before)
    fates[newer & ticks] = ACCEPTED
    tied = ticks & (keys.time_us == before)
    if tied.any():
        _settle(fates, keys, np.cumsum(newer), tied, last)
    return fates


def _beats(keys: Keys, last_us: int) -> Flags:
    beats = keys.are(BEAT)
    if not beats.any():
        return beats
    second = np.where(keys.are(BREAK), -1, keys.second)
    return beats & (second > _largest_before(second, last_us // MICROSECONDS))


def _largest_before(numbers: Ints, first: int) -> Ints:
    return np.maximum.accumulate(np.concatenate([[first], numbers[:-1]]))[: len(numbers)]


def _settle(fates: Fates, keys: Keys, group: Ints, tied: Flags, last: tuple[int, int]) -> None:
    """Judge the Ticks at the very time of the newest one by their trade ids.

    A group is that one and the ties with it; the first is that of ``last``.
    """
    wanted = np.zeros(int(group[-1]) + 1, np.bool_)
    wanted[group[tied]] = True
    begins = np.diff(group, prepend=0).astype(np.bool_) & wanted[group]
    at = np.flatnonzero(begins | tied)
    number = np.where(keys.are(BEAT)[at], AFTER_ALL_TRADES, keys.trade_id[at])
    _, rank = np.unique(np.append(number, last[1]), return_inverse=True)
    key = group[at] * (len(at) + 1) + rank[:-1]
    before = _largest_before(key, int(rank[-1]))
    fates[at[tied[at] & (key > before)]] = ACCEPTED
    fates[at[tied[at] & (key == before)]] = REPEATED

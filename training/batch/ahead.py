"""What followed each row, by columns: the rule of ``featurizer.labels.MidLog``.

A label is told as soon as it is known, by what was known then. Most are by the first Tick or Beat
of a second behind their horizon, when all before it is final. A Break that is stamped there may
tell some earlier, in the midst of a second; these are looked at one by one.
"""

from dataclasses import dataclass
from math import fsum, log, nan, sqrt
from typing import Final

import numpy as np
import numpy.typing as npt

from featurizer.labels import HORIZON
from ingestor.tick import Break
from training.batch.columns import Flags, Floats, Ints, logs
from training.batch.keys import Fetch, Keys
from training.batch.seconds import Seconds, Slots
from training.batch.sums import Sums

UNFINISHED, LABELLED, BREAK, COVERAGE = range(4)
NEVER: Final = -1


@dataclass(frozen=True, slots=True)
class Labels:
    """By row: ``outcome`` of those above, volatility (log return over 60 s) or NaN, and when.

    ``matured_us`` is the event time that completed the horizon, ``NEVER`` where none did.
    """

    outcome: npt.NDArray[np.int8]
    volatility: Floats
    matured_us: Ints


def labels_of(keys: Keys, fetch: Fetch, seconds: Seconds, at: Ints) -> Labels:
    """Return the labels of the last rows of the slots ``at``, in order."""
    begins, second = seconds.places.begins(len(keys)), seconds.closed.second
    current = np.searchsorted(second, second[at] + HORIZON + 1)
    matured = _maturing(keys, seconds, second[at] + HORIZON + 1)
    asked = np.maximum(matured, begins[at + 1])
    broken = _broken_us(keys, seconds)[at] > keys.time_us[seconds.rows()[at]]
    found = _final(seconds, at, current, broken)
    reached = matured < len(keys)
    found.matured_us[reached] = keys.time_us[matured[reached]]
    found.outcome[~reached], found.volatility[~reached] = UNFINISHED, np.nan
    early = reached & ~broken & ((asked != begins[current]) | (current == len(seconds)))
    for row in np.flatnonzero(early).tolist():
        past = _Past(keys, fetch, seconds, int(asked[row]))
        found.outcome[row], found.volatility[row] = past.label(int(at[row]))
    return found


def _maturing(keys: Keys, seconds: Seconds, wanted: Ints) -> Ints:
    """Return the first event of these seconds or of later ones, Breaks included."""
    some = np.zeros(len(keys), np.bool_)
    some[seconds.places.accepted] = some[seconds.places.breaks] = True
    counting = np.flatnonzero(some)
    newest = np.maximum.accumulate(keys.second[counting])
    found: Ints = np.append(counting, len(keys))[np.searchsorted(newest, wanted)]
    return found


def _broken_us(keys: Keys, seconds: Seconds) -> Ints:
    """Return by slot when the last Break inside its second was, or -1."""
    places, found = seconds.places, np.full(len(seconds), NEVER, np.int64)
    inside = places.reaching
    np.maximum.at(found, places.under[inside], keys.time_us[places.breaks[inside]])
    return found


def _final(seconds: Seconds, at: Ints, current: Ints, broken: Flags) -> Labels:
    """Return labels as of the first event of the slots ``current``: all before them is final."""
    slots, count = seconds.closed, len(seconds)
    bad = np.where(slots.follow & slots.joined, count, np.arange(count))
    bad = np.append(np.minimum.accumulate(bad[::-1])[::-1], count)[at + 1]
    first = np.minimum(bad, count - 1)
    joined = np.where(first == current, seconds.joined_first[first], slots.joined[first])
    outcome = np.where(joined, COVERAGE, BREAK).astype(np.int8)
    outcome[(bad > at + HORIZON) & (at + HORIZON < count)] = LABELLED
    outcome[broken] = BREAK
    volatility = np.full(len(at), np.nan)
    good = outcome == LABELLED
    volatility[good] = _volatility(slots, at[good])
    return Labels(outcome, volatility, np.full(len(at), NEVER, np.int64))


def _volatility(slots: Slots, at: Ints) -> Floats:
    squares = Sums(np.nan_to_num(slots.log_return * slots.log_return))
    step = logs(slots.mid[at + 1] / slots.mid[at])
    return np.sqrt(step * step + squares.over((at + 2, at + 1 + HORIZON)))


class _Past:
    """The slots as they stood after the event at ``asked``, which may not have ended the last."""

    __slots__ = ("_current", "_joined", "_mid", "_pending", "_slots")

    def __init__(self, keys: Keys, fetch: Fetch, seconds: Seconds, asked: int) -> None:
        places, self._slots = seconds.places, seconds.closed
        newest = int(np.searchsorted(places.accepted, asked, side="right")) - 1
        self._current = int(places.slot[newest])
        event = fetch([int(places.accepted[newest])])[0]
        assert not isinstance(event, Break)
        since = (places.breaks > places.accepted[newest]) & (places.breaks <= asked)
        gaps = places.gap[places.first[self._current] : newest + 1]
        self._mid, self._pending = event.mid, bool(since.any())
        self._joined = not gaps.any() and not (since & places.reaching).any()

    def label(self, at: int) -> tuple[int, float]:
        """Return the outcome and volatility of the last row of a slot."""
        second, k = self._slots.second, at + 1
        while k <= self._current and second[k] <= second[at] + HORIZON:
            if second[k] != second[k - 1] + 1 or not self._is_joined(k):
                return (COVERAGE if self._is_joined(k) else BREAK), nan
            k += 1
        if second[k - 1] < second[at] + HORIZON:
            return (BREAK if self._pending else COVERAGE), nan
        steps = [self._log_return(j) for j in range(at + 2, k)]
        first = log(self._at(at + 1) / self._at(at))
        return LABELLED, sqrt(first * first + fsum(r * r for r in steps))

    def _is_joined(self, slot: int) -> bool:
        return self._joined if slot == self._current else bool(self._slots.joined[slot])

    def _at(self, slot: int) -> float:
        return self._mid if slot == self._current else float(self._slots.mid[slot])

    def _log_return(self, slot: int) -> float:
        return log(self._at(slot) / self._at(slot - 1))

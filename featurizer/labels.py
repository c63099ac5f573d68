"""The label: how volatile the 60 seconds after a row were, known once they have passed.

Training and the monitor use this one definition.
Time comes from the events, never from the wall.
"""

from bisect import bisect_left
from dataclasses import dataclass
from math import fsum, log, sqrt
from typing import Final, Literal

from featurizer.slots import MICROSECONDS, Slot, Taken, Timeline
from ingestor.tick import Break, Event

HORIZON: Final = 60
"""Seconds after the row's own second over which volatility is taken."""

Reason = Literal["break", "coverage"]


@dataclass(frozen=True, slots=True)
class Label:
    """What followed a row: ``volatility`` (log return over 60 s), or the reason for none.

    ``matured_us`` is the event time that completed the horizon (epoch microseconds).
    ``break``: continuity was lost on the way; ``coverage``: a second is not known.
    """

    volatility: float | None
    matured_us: int
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class _Horizon:
    """What all rows of one second share: the next second's mid, and Σ r² after it."""

    first_mid: float
    squares: float
    reason: Reason | None


class MidLog:
    """One product's seconds, kept long enough to label the rows that stand in them.

    The newest ``seconds`` seconds that have a quote are kept, however long the gaps between.
    A row whose second is not, or no longer, kept gets no label (``coverage``).
    An event of another feed clears all, as it does in the engine.

    >>> from ingestor.tick import Tick
    >>> log = MidLog()
    >>> for second in range(62):
    ...     taken = log.update(Tick(feed="f", product_id="BTC-USD", dialect="advanced", price=10.0,
    ...                             time_us=second * 1_000_000, received_us=0, bid=9.0, ask=11.0))
    >>> log.label(0, 10.0)
    Label(volatility=0.0, matured_us=61000000, reason=None)
    >>> log.label(1_000_000, 10.0) is None   # its 60 s are not over
    True
    """

    __slots__ = ("_begun", "_firsts", "_horizon", "_keep", "_slots", "_timeline")

    def __init__(self, seconds: int = 4096) -> None:
        self._keep = seconds
        self._clear("")

    def _clear(self, feed: str) -> None:
        self._timeline = Timeline(feed)
        self._slots: dict[int, Slot] = {}
        self._begun: list[int] = []
        self._firsts: list[int] = []
        self._horizon: tuple[int, _Horizon] | None = None

    @property
    def feed(self) -> str:
        """The feed of the events held; empty before the first."""
        return self._timeline.feed

    def update(self, event: Event) -> Taken:
        """Take one event in its order; a late or repeated one changes nothing."""
        if event.feed != self._timeline.feed:
            self._clear(event.feed)
        taken = self._timeline.take(event)
        if taken is Taken.LATE or taken is Taken.REPEATED:
            return taken
        self._begin(event.time_us)
        if not isinstance(event, Break):
            self._hold()
        return taken

    def label(self, time_us: int, mid: float) -> Label | None:
        """Return the label of the row at ``time_us`` with that ``mid``; None until it matures.

        RV² = ln²(mid_{s+1}/mid) + Σ_{k=s+2}^{s+60} r_k², s being the row's second.
        It matures with the first event of second s+61 or later, a Break included.
        """
        second = time_us // MICROSECONDS
        matured = self._first_at(second + HORIZON + 1)
        if matured is None:
            return None
        own = self._slots.get(second)
        if own is None:
            return Label(None, matured, "coverage")
        if own.broken_us > time_us:
            return Label(None, matured, "break")
        ahead = self._ahead(second)
        if ahead.reason is not None:
            return Label(None, matured, ahead.reason)
        first = log(ahead.first_mid / mid)
        return Label(sqrt(first * first + ahead.squares), matured, None)

    def _begin(self, time_us: int) -> None:
        second = time_us // MICROSECONDS
        if self._begun and second <= self._begun[-1]:
            return
        self._begun.append(second)
        self._firsts.append(time_us)
        if len(self._begun) > 2 * self._keep:
            del self._begun[: self._keep], self._firsts[: self._keep]

    def _hold(self) -> None:
        slot = self._timeline.slots.current
        assert slot is not None
        if slot.second not in self._slots:
            self._slots[slot.second] = slot
            if len(self._slots) > self._keep:
                del self._slots[next(iter(self._slots))]

    def _first_at(self, second: int) -> int | None:
        """Time of the first event of that second or, where it has none, of the next."""
        at = bisect_left(self._begun, second)
        return self._firsts[at] if at < len(self._firsts) else None

    def _ahead(self, second: int) -> _Horizon:
        if self._horizon is None or self._horizon[0] != second:
            self._horizon = (second, self._look(second))
        return self._horizon[1]

    def _look(self, second: int) -> _Horizon:
        slots: list[Slot] = []
        for k in range(second + 1, second + HORIZON + 1):
            slot = self._slots.get(k)
            if slot is None or not slot.joined:
                return _Horizon(0.0, 0.0, self._why(k))
            slots.append(slot)
        returns = [s.log_return for s in slots[1:] if s.log_return is not None]
        return _Horizon(slots[0].mid, fsum(r * r for r in returns), None)

    def _why(self, second: int) -> Reason:
        """Say whether a Break stands where that second is missing or not joined."""
        after = next((s for k, s in self._slots.items() if k >= second), None)
        broken = self._timeline.broken if after is None else not after.joined
        return "break" if broken else "coverage"

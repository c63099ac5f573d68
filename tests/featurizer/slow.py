"""The features once more, slowly, straight from their definitions in design and documentation.

Nothing here comes from ``featurizer.slots`` or ``featurizer.features``.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingestor.tick import Beat, Break, Event, Tick

Row = dict[str, float | None]


@dataclass
class Second:
    """One second of one product, with everything that came in it."""

    quotes: list[Tick | Beat] = field(default_factory=list)
    ticks: int = 0
    joined: bool = True

    @property
    def mid(self) -> float:
        return (self.quotes[-1].bid + self.quotes[-1].ask) / 2

    @property
    def spread(self) -> float:
        return (self.quotes[-1].ask - self.quotes[-1].bid) / self.mid

    @property
    def imbalance(self) -> float | None:
        bid, ask = self.quotes[-1].bid_size, self.quotes[-1].ask_size
        if bid is None or ask is None or bid + ask == 0:
            return None
        return (bid - ask) / (bid + ask)


def rows(events: Iterable[Event]) -> list[tuple[Tick | Beat, Row]]:
    """Every Tick and Beat that has a row, with its features, in the order of the events."""
    found, accepted = [], Accepted()
    for event in events:
        if accepted.take(event):
            assert not isinstance(event, Break)
            found.append((event, accepted.row(event)))
    return found


class Accepted:
    """Keeps all accepted events for ever and makes the seconds anew each time."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Event]] = {}

    def take(self, event: Event) -> bool:
        """Keep the event if it counts; true if it has a row, so for one Beat in ten seconds."""
        kept = self._kept.setdefault(event.product_id, [])
        if kept and kept[-1].feed != event.feed:
            kept.clear()
        keys = [_key(old) for old in kept if not isinstance(old, Break)]
        if isinstance(event, Tick) and keys and _key(event) <= max(keys):
            return False
        if isinstance(event, Beat) and keys and event.time_us // 1_000_000 <= max(keys)[0]:
            return False
        kept.append(event)
        return isinstance(event, Tick) or (
            isinstance(event, Beat) and event.time_us // 1_000_000 % 10 == 0
        )

    def row(self, now: Tick | Beat) -> Row:
        """The features at an event that was taken last."""
        begun = self._kept[now.product_id][0].time_us // 1_000_000
        return features(self.seconds(now), now.time_us // 1_000_000, begun)

    def seconds(self, now: Tick | Beat) -> dict[int, Second]:
        """All seconds of the product so far."""
        seconds: dict[int, Second] = {}
        broken, last = False, -1
        for event in self._kept[now.product_id]:
            number = event.time_us // 1_000_000
            if isinstance(event, Break):
                broken = True
                if number <= last:
                    seconds[last].joined = False
                continue
            if number not in seconds:
                seconds[number] = Second(joined=not broken)
            seconds[number].quotes.append(event)
            seconds[number].ticks += isinstance(event, Tick)
            broken, last = False, number
        return seconds


def _key(event: Event) -> tuple[int, int, int]:
    if isinstance(event, Tick):
        return (event.time_us // 1_000_000, event.time_us % 1_000_000, event.trade_id or 0)
    return (event.time_us // 1_000_000, 1_000_000, 0)


def features(seconds: dict[int, Second], s: int, begun: int) -> Row:
    """All features at second ``s``, coverage and number of returns, each by its formula.

    ``begun`` is the second of the first event of the product's feed.
    """
    row: Row = {}
    for w in (60, 300, 900, 3600):
        first = s - w + 1 if w <= 300 else (s // 60 - w // 60 + 1) * 60
        returns = [r for k in range(first, s + 1) if (r := _return(seconds, k)) is not None]
        row[f"realized_volatility_{w}s"] = (
            math.sqrt(w / len(returns) * sum(r * r for r in returns))
            if len(returns) >= 20 and s >= begun + w / 3
            else None
        )
        if w == 60:
            row["returns"] = len(returns)
    for w in (60, 300):
        ends = (seconds.get(s - w), seconds[s])
        row[f"log_return_{w}s"] = math.log(ends[1].mid / ends[0].mid) if ends[0] else None
        row[f"spread_mean_{w}s"] = _mean([x.spread for x in _window(seconds, s - w + 1, s)], w)
        row[f"trade_intensity_{w}s"] = _mean([x.ticks for x in _window(seconds, s - w, s - 1)], w)
    for w in (30, 60, 300):
        imbalances = [x.imbalance for x in _window(seconds, s - w + 1, s)]
        row[f"order_book_imbalance_{w}s"] = _mean([x for x in imbalances if x is not None], w)
    steps = [
        abs(seconds[k].mid - seconds[k - 1].mid) / seconds[k - 1].mid
        for k in range(s - 299, s + 1)
        if _return(seconds, k) is not None
    ]
    row["price_velocity_300s"] = _mean(steps, 300)
    row["coverage"] = len(_window(seconds, s - 299, s)) / 300
    return row


def _return(seconds: dict[int, Second], k: int) -> float | None:
    if k not in seconds or k - 1 not in seconds or not seconds[k].joined:
        return None
    return math.log(seconds[k].mid / seconds[k - 1].mid)


def _window(seconds: dict[int, Second], first: int, last: int) -> list[Second]:
    return [seconds[k] for k in range(first, last + 1) if k in seconds]


def _mean(values: Sequence[float], w: int) -> float | None:
    return None if 2 * len(values) < w else sum(values) / len(values)

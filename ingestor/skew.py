"""One time far ahead of what the feed says is wrong; when all of it is ahead, our clock is.

Sans-IO: a frame that is far ahead of our clock, and of the feed's own time, is held until the
next one of another product or channel tells which of the two it is.
"""

from dataclasses import dataclass, field, replace
from typing import Final

from ingestor.advanced import Ack, Heartbeat, Message, Problem, Quotes, Trades, Unknown

AHEAD_US: Final = 60_000_000
"""A frame further ahead of our clock and of the feed's time than this is looked at twice."""
MOST_HELD: Final = 10
"""So many frames of one product alone that agree are believed without another's word."""


@dataclass(frozen=True, slots=True)
class Timed:
    """A frame as it was understood, its bytes, and when it came (our clock, epoch µs)."""

    message: Message
    data: bytes
    received_us: int


@dataclass(slots=True)
class FeedClock:
    """The time that the feed of one connection says it is."""

    now_us: int | None = None
    _heard_us: int = 0
    _held: list[Timed] = field(default_factory=list)

    def take(self, found: Timed) -> list[Timed]:
        """Return the frames that are judged now, in order; a wrong one has a problem."""
        time_us = found.message.time_us
        if time_us is None:
            self._held += [found] if self._held else []
            return [] if self._held else [found]
        if not self._strange(time_us, found.received_us):
            judged = [*map(_wrong, self._take_held()), found]
        elif self._believed(found):
            judged = [*self._take_held(), found]
        else:
            self._held.append(found)
            return []
        self.now_us, self._heard_us = max(self.now_us or 0, time_us), found.received_us
        return judged

    def close(self) -> list[Timed]:
        """Return what was held when the connection ended: nobody said that it was right."""
        return [_wrong(held) for held in self._take_held()]

    def _strange(self, time_us: int, received_us: int) -> bool:
        if time_us <= received_us + AHEAD_US:
            return False
        if self.now_us is None:
            return True
        # A feed that was silent goes on later; our clock may have been set back meanwhile.
        passed_us = max(0, received_us - self._heard_us)
        return time_us > self.now_us + passed_us + AHEAD_US

    def _believed(self, found: Timed) -> bool:
        """Say whether another one, or many, tell the same time as those that are held."""
        held = [each for each in self._held if each.message.time_us is not None]
        if not held or not all(_agree(each, found) for each in held):
            return False
        told = {_source(each.message) for each in (*held, found)}
        return len(told) > 1 or len(held) >= MOST_HELD

    def _take_held(self) -> list[Timed]:
        held, self._held = self._held, []
        return held


def _agree(one: Timed, other: Timed) -> bool:
    first, second = one.message.time_us, other.message.time_us
    return first is not None and second is not None and abs(second - first) <= AHEAD_US


def _source(message: Message) -> tuple[str, ...]:
    """Return what a frame speaks of: a wrong time may come again from the same place."""
    match message.content:
        case Quotes(quotes):
            return ("ticker", *sorted({quote.product_id for quote in quotes}))
        case Trades(trades):
            return ("market_trades", *sorted({trade.product_id for trade in trades}))
        case Heartbeat():
            return ("heartbeats",)
        case Ack():
            return ("subscriptions",)
        case Unknown(channel):
            return ("other", channel or "")
    return ("other",)


def _wrong(held: Timed) -> Timed:
    """Return a frame whose time cannot be used; its number counts, its quote is not known."""
    message = held.message
    if message.time_us is None:
        return held
    channel, *products = _source(message)
    ahead = (message.time_us - held.received_us) / 1_000_000
    reason = (
        f"{channel}: a time {ahead:.1f} s ahead of the receive clock found, expected at most"
        f" {AHEAD_US // 1_000_000}, as all else of the feed says"
    )
    named = products if channel in ("ticker", "market_trades") and products else [None]
    problems = tuple(Problem(reason, product) for product in named)
    content = Unknown(channel) if channel == "ticker" else Unknown(None)
    return replace(held, message=replace(message, content=content, time_us=None, problems=problems))

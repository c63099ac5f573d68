"""Asked, granted, flowing: what is known of each product on each channel of one connection.

Sans-IO: messages and our clock in, requests and states out. What was refused, is missing in the
acknowledgement, or has stalled is asked for again, product by product, so that one bad name
harms no other; delays double. States are different words: ``asked`` (no answer yet),
``flowing``, ``quiet`` (granted, and nobody trades), ``stalled`` (trades go on without the
ticker), ``refused``, ``halted`` (the exchange says so) and ``unknown`` (no product of its).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ingestor.advanced import (
    Ack,
    Heartbeat,
    Message,
    Quotes,
    ServerError,
    Status,
    Trades,
    canonical,
    subscription,
    unsubscription,
)
from ingestor.instant import SECOND_US

ANSWER_US: Final = 5 * SECOND_US
"""No acknowledgement for so long is a refusal."""
FIRST_US: Final = 1 * SECOND_US
LONGEST_US: Final = 300 * SECOND_US
"""First and longest delay before what was refused is asked for again."""
QUIET_US: Final = 60 * SECOND_US
TICKER: Final = "ticker"
HEARTBEATS: Final = "heartbeats"
ONLINE: Final = "online"
UNKNOWN_WORDS: Final = ("not a valid product", "invalid product", "unknown product", "not found")
STATES: Final = ("asked", "flowing", "quiet", "stalled", "refused", "halted", "unknown")
TROUBLED: Final = frozenset({"stalled", "refused", "halted", "unknown"})


@dataclass(slots=True)
class _Asked:
    """One product on one channel; ``since_us`` is when it was granted, or first flowed."""

    asked_us: int
    granted: bool = False
    since_us: int | None = None
    reason: str | None = None
    failures: int = 0

    def grant(self, now_us: int) -> None:
        """Note that it is granted; delays begin anew only when something flows."""
        if not self.granted:
            self.granted, self.since_us, self.reason = True, now_us, None

    def refuse(self, reason: str) -> None:
        self.granted, self.since_us, self.reason = False, None, reason

    def again_us(self) -> int:
        """When to ask again; doubling."""
        return self.asked_us + min(FIRST_US << min(self.failures, 20), LONGEST_US)


@dataclass(frozen=True, slots=True)
class ProductState:
    """The state of a product, why, and the time (our clock) of its last ticker."""

    state: str
    reason: str | None
    ticker_us: int | None


@dataclass(slots=True)
class Subscriptions:
    """All that was asked for on one connection; ``products`` as the user named them."""

    products: Sequence[str]
    channels: Sequence[str]
    _asked: dict[tuple[str, str], _Asked] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)
    _ticked_us: dict[str, int] = field(default_factory=dict)
    _halted: dict[str, str] = field(default_factory=dict)
    _unknown: dict[str, str] = field(default_factory=dict)
    _stalled: Collection[str] = ()
    _alone: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        self._names = {canonical(name): name for name in self.products}

    def opened(self, now_us: int) -> None:
        """Begin afresh: all was asked for just now, at once."""
        self._asked = {
            (channel, name): _Asked(now_us)
            for channel in self.channels
            for name in ([""] if channel == HEARTBEATS else self._names)
        }
        self._ticked_us, self._halted, self._unknown = {}, {}, {}
        self._stalled, self._alone = (), None

    def take(self, message: Message, now_us: int, stalled: Collection[str] = ()) -> list[str]:
        """Take the next message; gives products whose halt, or its end, it tells."""
        self._stalled, told = stalled, list[str]()
        match message.content:
            case Quotes(quotes):
                for quote in quotes:
                    self._ticked_us[quote.product_id] = now_us
                    self._flows(TICKER, quote.product_id, now_us)
            case Trades(trades):
                for name in {trade.product_id for trade in trades}:
                    self._flows("market_trades", name, now_us)
            case Heartbeat():
                self._flows(HEARTBEATS, "", now_us)
            case Ack(subscriptions):
                self._acknowledged(subscriptions, now_us)
            case ServerError(text):
                self._refused(text, now_us)
            case Status(products):
                told = [name for name, status in products.items() if self._status(name, status)]
        return told

    def due(self, now_us: int) -> list[str]:
        """Return what is to be sent now: at most one product's request, alone, so that an answer
        can only be to it."""
        if self._alone is not None:
            waiting = self._asked[self._alone]
            if not self._answered(waiting) and now_us - waiting.asked_us < ANSWER_US:
                return []
        for key, asked in self._wanting(now_us):
            channel, name = key
            asked.failures += 1
            asked.asked_us, self._alone = now_us, key
            request = subscription([self._names[name]] if name else [], channel)
            if asked.granted:  # it stalled: the exchange holds it to be subscribed
                return [unsubscription([self._names[name]], channel), request]
            asked.reason = None
            return [request]
        return []

    def state_of(self, product_id: str, now_us: int) -> ProductState:
        """Return the state of a product and the reason, for what troubles somebody."""
        name = canonical(product_id)
        ticked_us, asked = self._ticked_us.get(name), self._asked.get((TICKER, name))
        if name in self._unknown:
            return ProductState("unknown", self._unknown[name], ticked_us)
        if name in self._halted:
            return ProductState("halted", f"status {self._halted[name]}", ticked_us)
        if asked is not None and not asked.granted:
            reason = asked.reason or self._missing(asked, now_us)
            refused = reason is not None or asked.failures > 0
            text = reason or "asked for again"
            return ProductState("refused" if refused else "asked", text, ticked_us)
        if name in self._stalled:
            return ProductState("stalled", "trades go on without its ticker", ticked_us)
        flows = ticked_us is not None and now_us - ticked_us <= QUIET_US
        return ProductState("flowing" if flows else "quiet", None, ticked_us)

    def shown(self, now_us: int) -> dict[str, Any]:
        """Return everything about each product, as JSON has it."""
        return {name: self._shown(name, now_us) for name in self._names}

    def _shown(self, name: str, now_us: int) -> dict[str, Any]:
        found = self.state_of(name, now_us)
        age = None if found.ticker_us is None else (now_us - found.ticker_us) / SECOND_US
        channels = {c: self._channel(a) for (c, n), a in self._asked.items() if n == name}
        return {
            "state": found.state,
            "reason": found.reason,
            "ticker_age_seconds": age,
            "channels": channels,
        }

    @staticmethod
    def _channel(asked: _Asked) -> Mapping[str, Any]:
        return {"granted": asked.granted, "since_us": asked.since_us, "reason": asked.reason}

    # ------------------------------------------------------------ what messages tell
    def _flows(self, channel: str, name: str, now_us: int) -> None:
        if (asked := self._asked.get((channel, name))) is not None:
            asked.grant(now_us)
            asked.failures = 0

    def _acknowledged(self, told: Mapping[str, Sequence[str]], now_us: int) -> None:
        """An acknowledgement names all that is granted, each time; it may come in parts first."""
        granted = {(c, canonical(name)) for c, names in told.items() for name in names}
        granted |= {(c, "") for c in told if c == HEARTBEATS}
        for key, asked in self._asked.items():
            if key in granted:
                asked.grant(now_us)
            elif asked.granted and now_us - asked.asked_us >= ANSWER_US:
                asked.refuse("no longer in the acknowledgement")
            elif key == self._alone and not asked.granted:
                asked.refuse("missing in the acknowledgement")

    def _refused(self, text: str, now_us: int) -> None:
        """An error names no channel: it is the answer to what was asked alone, or to anything."""
        said = text[:200] or "an error without a message"
        keys = [key for key, asked in self._asked.items() if not asked.granted]
        if self._alone is not None and self._alone in keys:
            keys = [self._alone]
        for key in keys:
            self._asked[key].refuse(said)
        named = [n for n in self._names if n in text or self._names[n] in text]
        alone = self._alone[1] if self._alone is not None and keys == [self._alone] else ""
        if any(words in text.lower() for words in UNKNOWN_WORDS):
            for name in named or ([alone] if alone else []):
                if (TICKER, name) in self._asked and not self._asked[TICKER, name].granted:
                    self._unknown[name] = said

    def _status(self, name: str, status: str) -> bool:
        """Note a product's status; true where it was halted, or is again online."""
        if name not in self._names or (status == ONLINE) == (name not in self._halted):
            return False
        if status == ONLINE:
            del self._halted[name]
        else:
            self._halted[name] = status
        return True

    def halt_of(self, name: str) -> str | None:
        """Return the status of a product that is halted."""
        return self._halted.get(name)

    # ------------------------------------------------------------ asking again
    @staticmethod
    def _answered(asked: _Asked) -> bool:
        return asked.granted or asked.reason is not None

    def _missing(self, asked: _Asked, now_us: int) -> str | None:
        late = now_us - asked.asked_us >= ANSWER_US
        return "no acknowledgement" if late else None

    def _wanting(self, now_us: int) -> Iterator[tuple[tuple[str, str], _Asked]]:
        """Yield what is not granted, or has stalled, and whose time has come; longest ago first."""
        for key, asked in sorted(self._asked.items(), key=lambda each: each[1].asked_us):
            if key[1] in self._unknown:
                continue
            stalled = key[0] == TICKER and key[1] in self._stalled
            if asked.granted and not stalled:
                continue
            patient_us = 0 if stalled or asked.reason is not None else ANSWER_US
            if now_us >= max(asked.again_us(), asked.asked_us + patient_us):
                yield key, asked

"""What is told of starts: which ones, how many together, and how often of a product."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec

from monitor.delivery.standard_webhooks import message_id
from monitor.states.display import deliverable
from signals.records import Record
from signals.row import MICROSECONDS, Thresholds
from signals.state import Cause

APART_SECONDS: Final = 300.0
"""One start a product in so many: whoever was told looks for himself."""
TYPE: Final = "signals.started"


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """A run that begins at ``start_us`` (event time, epoch µs), with the row that decided it."""

    signal_id: str
    product_id: str
    feed: str
    level: Literal["elevated", "spike"]
    cause: Cause | None
    start_us: int
    tau: float | None
    tau_status: str | None
    score: float | None
    severe: float | None
    realized_volatility_60s: float | None
    thresholds: Thresholds | None
    variant: str
    digest: str


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery: the id is made from what is told; ``made`` is a monotonic time in seconds."""

    name: str
    body: bytes
    made: float


def start_of(record: Record, now_us: int) -> Start | None:
    """Return the start that a record is told as, at a wall clock (epoch µs); None for none.

    A spike from calm begins both levels in one second, and is one start: the spike's.
    """
    runs = list(deliverable(record, now_us))
    if not runs:
        return None
    run, row = max(runs, key=lambda each: each.level), record.row
    return Start(
        signal_id=run.signal_id,
        product_id=record.product_id,
        feed=record.feed,
        level="spike" if run.level == 2 else "elevated",
        cause=run.cause,
        start_us=run.start_us,
        tau=row.tau,
        tau_status=row.tau_status,
        score=row.score,
        severe=row.severe,
        realized_volatility_60s=row.realized_volatility_60s,
        thresholds=row.thresholds,
        variant=row.variant,
        digest=row.digest,
    )


@dataclass(slots=True)
class Sparing:
    """Remembers by product when it was told of last (seconds, monotonic)."""

    told: dict[str, float] = field(default_factory=dict)

    def admit(self, starts: Iterable[Start], now: float) -> list[Start]:
        """Return those of starts that came together which are told, a product's newest alone."""
        newest = {start.product_id: start for start in starts}
        self.told = {name: at for name, at in self.told.items() if now - at < APART_SECONDS}
        admitted = [start for name, start in newest.items() if name not in self.told]
        self.told.update({start.product_id: now for start in admitted})
        return admitted


def message_of(starts: list[Start], now_us: int, made: float) -> Message:
    """Return the message of starts, at a wall clock (epoch µs)."""
    moment = datetime.fromtimestamp(now_us // MICROSECONDS, UTC)
    body = {
        "type": TYPE,
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "data": {"starts": starts},
    }
    name = message_id(start.signal_id for start in starts)
    return Message(name, msgspec.json.encode(body), made)

"""What is shown of a state at a moment of the wall clock: old data say nothing of now."""

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import msgspec

from ingestor.tick import GENERATED_FEED
from monitor.states.machines import Standing
from signals.events import Change
from signals.records import Record
from signals.row import MICROSECONDS, Row, Thresholds
from signals.state import Mode, Run

SILENT_SECONDS: Final = 15.0
"""Rows of a living product are at most 10 s apart, and take a moment to come."""
GONE_SECONDS: Final = 3_600.0
"""A product that is silent for longer than the others is no more among the gauges."""
CAUGHT_UP_SECONDS: Final = 15.0
LONGEST_PAST_SECONDS: Final = 90_000.0
"""A generated market that begins in the past begins a day ago at most; what is older than that
and an hour has an event time of its own."""
ACTS: Final = ("provisional", "established")
"""Levels that were earned: alert and delivery act on no other."""


class Happened(Protocol):
    """What has an event time and a time of receipt (epoch µs)."""

    @property
    def feed(self) -> str: ...
    @property
    def time_us(self) -> int: ...
    @property
    def received_us(self) -> int: ...


class Displayed(msgspec.Struct, frozen=True, kw_only=True):
    """A product now.

    ``detail`` is the reason of ``blind``, the cause of ``spike``, else empty; ``since_us`` is event
    time (epoch µs), ``age_seconds`` how long ago the newest row was received. ``acts`` says that
    the level was earned and the row is neither late nor of a past that is caught up, so that alert
    and delivery act on the state. The rest is the newest row's.
    """

    product_id: str
    mode: Mode
    detail: str
    since_us: int
    age_seconds: float
    acts: bool
    time_us: int
    feed: str
    variant: str
    score: float | None
    severe: float | None
    reason: str | None
    tau: float | None
    tau_status: str | None
    realized_volatility_60s: float | None
    thresholds: Thresholds | None
    runs: tuple[Run, ...]


def displayed(standing: Standing, now_us: int) -> Displayed | None:
    """Return what is shown at a wall clock (epoch µs); None before the first row."""
    state, row = standing.state, standing.state.last
    if row is None:
        return None
    age = max(0.0, (now_us - row.received_us) / MICROSECONDS)
    silent = age > SILENT_SECONDS
    mode: Mode = "blind" if silent else state.mode
    return Displayed(
        product_id=standing.product_id,
        mode=mode,
        detail="silent" if silent else state.detail,
        since_us=state.since_us,
        age_seconds=round(age, 1),
        acts=acts(row),
        time_us=row.time_us,
        feed=row.feed,
        variant=row.variant,
        score=row.score,
        severe=row.severe,
        reason=row.reason,
        tau=row.tau,
        tau_status=row.tau_status,
        realized_volatility_60s=row.realized_volatility_60s,
        thresholds=row.thresholds,
        runs=state.runs,
    )


def acts(row: Row) -> bool:
    """Say whether alert and delivery act on a row: of now, and on a level that was earned."""
    return row.tau_status in ACTS and not row.late and not behind(row)


def behind(row: Happened) -> float:
    """Return how many seconds a generated market was behind the clock that received it.

    0 for up to 15 s, and where event time is of its own, as that of recordings is.
    """
    seconds = (row.received_us - row.time_us) / MICROSECONDS
    past = CAUGHT_UP_SECONDS < seconds <= LONGEST_PAST_SECONDS
    return seconds if past and row.feed.startswith(GENERATED_FEED) else 0.0


def displayed_at(standings: Iterable[Standing], now_us: int) -> list[Displayed]:
    """Return what is shown of all products that have a row, at a wall clock (epoch µs)."""
    found = (displayed(standing, now_us) for standing in standings)
    return [each for each in found if each is not None]


def present(shown: list[Displayed]) -> list[Displayed]:
    """Return the products that are not gone: fed within the hour before the newest of all."""
    newest = min((each.age_seconds for each in shown), default=0.0)
    return [each for each in shown if each.age_seconds <= newest + GONE_SECONDS]


def deliverable(record: Record, now_us: int) -> Iterator[Run]:
    """Return the starts of a record that a desk is told of: in time, on a level that was earned.

    A start of a row that is old, late, or of a past that is caught up is recorded and never
    delivered.
    """
    row = record.row
    age_us = now_us - row.received_us
    if age_us > SILENT_SECONDS * MICROSECONDS or not acts(row):
        return
    if isinstance(record.event, Change):
        yield from record.event.started

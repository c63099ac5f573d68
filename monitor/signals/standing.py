"""Where a product stands now, by the wall clock; and whether a start may still be told."""

from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from signals.events import Change
from signals.records import Record
from signals.row import MICROSECONDS, Budget, Row, Thresholds
from signals.state import Mode, Run, State

SILENT_SECONDS: Final = 15
"""Rows of a living product are at most 10 s apart, and take a second or two to come here."""
GONE_SECONDS: Final = 3_600
"""A product that is silent for longer than the others is among no gauges any more."""
FOUNDED: Final = ("provisional", "established")
"""What τ rests on where others act on a state: a seed is somebody else's level."""

Withheld = Literal["old", "late", "seeded"]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a product as it is shown at ``now_us`` (wall clock).

    ``mode`` and ``detail`` are those of the machine, but ``blind`` and ``silent`` where the newest
    row was received over 15 s ago. ``since_us`` is when they became so, in event time; where
    silent, that of the newest row; null before the first second. ``age_seconds`` is the wall clock
    less ``received_us`` of that row, whose values the rest are: ``time_us`` its event time,
    ``score`` the chance of τ, ``smoothed`` that smoothed, ``severe`` the chance of 2τ,
    ``realized_volatility_60s`` and ``tau`` log returns over 60 s, ``thresholds`` θ of the
    ``budget`` in use. ``elevated`` and ``spike`` are the runs that last or, while blind, are held.
    ``founded``: τ rests on an hour of the product's own at least, so that others act on the state.
    """

    product_id: str
    feed: str
    mode: Mode
    detail: str
    since_us: int | None
    now_us: int
    age_seconds: float
    time_us: int
    score: float | None
    smoothed: float | None
    severe: float | None
    reason: str | None
    realized_volatility_60s: float | None
    tau: float | None
    tau_status: str | None
    founded: bool
    late: bool
    thresholds: Thresholds | None
    budget: Budget
    variant: str
    digest: str
    prediction_id: str
    elevated: Run | None
    spike: Run | None


def standing_of(state: State, row: Row, budget: Budget, now_us: int) -> Standing:
    """Return where a product stands; ``row`` is the newest that its machine has taken."""
    silent = is_silent(row, now_us)
    return Standing(
        product_id=row.product_id,
        feed=row.feed,
        mode="blind" if silent else state.mode,
        detail="silent" if silent else state.detail,
        since_us=row.time_us if silent else _known(state.since_us),
        now_us=now_us,
        age_seconds=(now_us - row.received_us) / MICROSECONDS,
        time_us=row.time_us,
        score=row.score,
        smoothed=state.smoothed,
        severe=row.severe,
        reason=row.reason,
        realized_volatility_60s=row.realized_volatility_60s,
        tau=row.tau,
        tau_status=row.tau_status,
        founded=row.tau_status in FOUNDED,
        late=row.late,
        thresholds=row.thresholds,
        budget=budget,
        variant=row.variant,
        digest=row.digest,
        prediction_id=row.prediction_id,
        elevated=state.elevated,
        spike=state.spike,
    )


def is_silent(row: Row, now_us: int) -> bool:
    """Say whether a row is too old for what it says to be shown or told (wall clock)."""
    return now_us - row.received_us > SILENT_SECONDS * MICROSECONDS


def present(standings: Sequence[Standing]) -> list[Standing]:
    """Return those of products that are fed, or were until an hour before the newest of all."""
    newest = min((each.age_seconds for each in standings), default=0.0)
    return [each for each in standings if each.age_seconds <= newest + GONE_SECONDS]


def starts_of(record: Record) -> tuple[Run, ...]:
    """Return the runs that begin with a record."""
    return record.event.started if isinstance(record.event, Change) else ()


def withheld(record: Record, now_us: int) -> Withheld | None:
    """Return why starts of a record are told to nobody, None where they are."""
    if record.row.late:
        return "late"
    if is_silent(record.row, now_us):
        return "old"
    return None if record.row.tau_status in FOUNDED else "seeded"


def _known(time_us: int) -> int | None:
    return None if time_us < 0 else time_us

"""What the machine of states takes of one prediction."""

from collections.abc import Mapping
from typing import Final

import msgspec

MICROSECONDS: Final = 1_000_000

ByBudget = Mapping[str, Mapping[str, float | None]]
"""θ as a card has them: by level (``elevated``, ``spike``), then by budget, ``"4"`` for 4 a day."""


class Thresholds(msgspec.Struct, frozen=True):
    """θ of the two levels under one budget, probabilities."""

    elevated: float
    spike: float


class Budget(msgspec.Struct, frozen=True):
    """How many starts a covered day may have, by level."""

    elevated: int = 8
    spike: int = 4

    def thresholds(self, card: ByBudget | None) -> Thresholds | None:
        """Return the θ that a card has for this budget, None where it lacks one.

        >>> Budget().thresholds({"elevated": {"8": 0.25}, "spike": {"4": 0.3}})
        Thresholds(elevated=0.25, spike=0.3)
        """
        found = card or {}
        elevated = found.get("elevated", {}).get(str(self.elevated))
        spike = found.get("spike", {}).get(str(self.spike))
        return None if elevated is None or spike is None else Thresholds(elevated, spike)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One prediction.

    ``time_us`` is event time, ``received_us`` the wall clock, both epoch microseconds.
    ``score`` is the probability that the next 60 s reach τ, ``severe`` that they reach 2τ; where
    ``score`` is null, ``reason`` says why. ``realized_volatility_60s`` and ``tau`` are log returns
    over 60 s. ``after_break``: a Break stands between this row and the one before. ``late``: it
    was scored long after it was received. ``digest`` is the model's, ``features_digest`` that of
    the definitions of its features. ``thresholds`` are those of the budget in use.
    """

    product_id: str
    feed: str
    time_us: int
    trade_id: int
    prediction_id: str
    received_us: int
    score: float | None
    severe: float | None
    reason: str | None
    realized_volatility_60s: float | None
    tau: float | None
    tau_status: str | None
    after_break: bool
    late: bool
    variant: str
    digest: str
    features_digest: str
    thresholds: Thresholds | None

    @property
    def second(self) -> int:
        """Epoch second of the row."""
        return self.time_us // MICROSECONDS

    @property
    def key(self) -> tuple[int, int]:
        """What grows from row to row of a feed, and is the same in a repeat."""
        return self.time_us, self.trade_id

    @property
    def blind(self) -> str | None:
        """Return why nothing can be said of this row, None where something can."""
        if self.score is None:
            return self.reason or "unscored"
        if self.severe is None or self.tau is None:
            return "old_model"
        return "no_threshold" if self.thresholds is None else None

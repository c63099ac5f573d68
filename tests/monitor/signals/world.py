"""Predictions under a model in units of τ, as the states take them."""

from collections.abc import Iterable
from typing import Any

from scorer.prediction import Prediction
from signals.row import Row, Thresholds
from tests.featurizer.market import START, tick
from tests.monitor.world import SECOND, TAU, predicted

CARD = {
    "elevated": {"2": 0.5, "4": 0.4, "8": 0.25, "16": 0.2},
    "spike": {"2": 0.6, "4": 0.3, "8": 0.2, "16": 0.1},
}
THETA = Thresholds(elevated=0.25, spike=0.3)


def said(second: int, score: float | None = 0.05, severe: float | None = 0.01, **more: Any) -> Any:
    """A prediction of a second after ``START``, received as it happened."""
    named = {"product_id": more.pop("product_id", "BTC-USD"), "feed": more.pop("feed", "first")}
    at = tick(START + second * SECOND, trade_id=second + 1, **named)
    calm: dict[str, Any] = {
        "score": score,
        "severe": severe,
        "realized_volatility_60s": 0.3 * TAU,
        "tau": TAU,
        "tau_status": "established",
        "thresholds": CARD,
        "spike": severe is not None and severe >= 0.3,
        "threshold": 0.3,
        "received_us": at.time_us,
    }
    return predicted(at, **{**calm, **more})


def of_rows(rows: Iterable[Row]) -> list[Prediction]:
    """The predictions that rows of the machine are made of."""
    return [
        said(
            0,
            row.score,
            row.severe,
            prediction_id=f"{row.prediction_id}-{row.trade_id}",
            time_us=row.time_us,
            trade_id=row.trade_id,
            feed=row.feed,
            reason=row.reason,
            realized_volatility_60s=row.realized_volatility_60s,
            tau=row.tau,
            after_break=row.after_break,
            model_variant=row.variant,
            digest=row.digest,
            product_id=row.product_id,
        )
        for row in rows
    ]

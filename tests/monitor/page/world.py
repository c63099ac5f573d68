"""Predictions of generated products, and the states that the machines make of them."""

import math
import random
from collections.abc import Iterator
from typing import Any

from monitor.page.live import Live
from monitor.states.machines import Machines
from scorer.prediction import Prediction
from signals.row import Budget
from tests.featurizer.market import START, tick
from tests.monitor.world import SECOND, TAU, predicted

THRESHOLDS = {"elevated": {"8": 0.25}, "spike": {"4": 0.3}}


def said(
    second: float, score: float | None = 0.05, severe: float | None = 0.01, **more: Any
) -> Prediction:
    """A prediction so many seconds after the start, in a calm minute."""
    event = {key: more.pop(key) for key in ("product_id", "feed", "bid", "ask") if key in more}
    at = tick(START + int(second * SECOND), trade_id=int(second * 10), **event)
    fields: dict[str, Any] = {
        "score": score,
        "severe": severe,
        "spike": None if severe is None else severe >= 0.3,
        "thresholds": THRESHOLDS,
        "realized_volatility_60s": 0.3 * TAU,
        "tau_status": "established",
        "received_us": at.time_us,
        "scored_us": at.time_us + 90_000,
    }
    return predicted(at, **{**fields, **more})


class Lived:
    """A ``Live`` that was told what a monitor would tell it."""

    def __init__(self) -> None:
        self.live, self._machines, self._offset = Live(), Machines(Budget()), 0

    def take(self, *predictions: Prediction) -> Live:
        """Take predictions, one a batch, with the states after it."""
        for prediction in predictions:
            self._offset += 1
            self._machines.take(prediction, self._offset)
            self.live.take([prediction], self._machines.standing())
        return self.live


def course(seconds: range, mood: str = "wave", **more: Any) -> Iterator[Prediction]:
    """A prediction a second: calm, elevated, in a spike, blind, or all of these by turns."""
    chance = random.Random(7)
    for second in seconds:
        level = {"calm": 0.3, "elevated": 1.2, "spike": 2.4, "blind": 0.3}.get(mood)
        level = level if level is not None else 0.9 - 0.8 * math.cos(second / 130)
        ratio = level * chance.uniform(0.9, 1.1)
        score, severe = min(0.95, 0.28 * ratio**1.3), min(0.9, 0.1 * ratio**2)
        price = 50_000 + 120 * math.sin(second / 97) + chance.gauss(0, 4)
        blind = {"score": None, "severe": None, "reason": "warming"} if mood == "blind" else {}
        yield said(
            second,
            **{
                "score": score,
                "severe": severe,
                "realized_volatility_60s": ratio * TAU,
                "bid": price - 0.5,
                "ask": price + 0.5,
                **blind,
                **more,
            },
        )

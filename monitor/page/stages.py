"""How long the last minute's predictions took, stage by stage, beside what each stage may take."""

from collections import deque
from dataclasses import dataclass
from typing import Final

import msgspec

from ingestor.stages import (
    FEATURIZED_TO_SCORED,
    PUBLISHED_TO_FEATURIZED,
    RECEIVED_TO_PUBLISHED,
    SCORED_TO_PUBLISHED,
    TICK_TO_PREDICTION,
    seconds_between,
)
from scorer.prediction import Prediction

WINDOW_MS: Final = 60_000
MOST: Final = 20_000
"""Predictions that are kept: a minute of 300 a second."""
BUDGETS: Final = {
    "received_to_featurized": (
        RECEIVED_TO_PUBLISHED.budget_seconds + PUBLISHED_TO_FEATURIZED.budget_seconds
    ),
    FEATURIZED_TO_SCORED.name: FEATURIZED_TO_SCORED.budget_seconds,
    SCORED_TO_PUBLISHED.name: SCORED_TO_PUBLISHED.budget_seconds,
    TICK_TO_PREDICTION.name: TICK_TO_PREDICTION.budget_seconds,
}
"""Seconds by stage. The first is two, as a prediction does not say when its tick was appended."""


class StageFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of a stage that 50 and 95 of 100 predictions stayed below, beside its budget."""

    stage: str
    p50: float
    p95: float
    budget: float


@dataclass(frozen=True, slots=True)
class _Timed:
    appended_ms: int
    product_id: str
    seconds: tuple[float, ...]


class StageTimes:
    """The predictions appended in the minute before the newest one."""

    def __init__(self) -> None:
        self._timed: deque[_Timed] = deque(maxlen=MOST)

    def take(self, prediction: Prediction, appended_ms: int) -> None:
        """Take a prediction and when the broker appended it (epoch ms)."""
        p, appended_us = prediction, 1_000 * appended_ms
        seconds = (
            seconds_between(p.received_us, p.featurized_us),
            seconds_between(p.featurized_us, p.scored_us),
            seconds_between(p.scored_us, appended_us),
            seconds_between(p.received_us, appended_us),
        )
        self._timed.append(_Timed(appended_ms, p.product_id, seconds))
        while self._timed[0].appended_ms <= appended_ms - WINDOW_MS:
            self._timed.popleft()

    def figures(self) -> list[StageFigures]:
        """Return the figures of each stage, in the order of the flow; none of no prediction."""
        columns = zip(*(each.seconds for each in list(self._timed)), strict=True)
        return [
            StageFigures(
                stage=stage,
                p50=percentile(sorted(column), 0.50),
                p95=percentile(sorted(column), 0.95),
                budget=budget,
            )
            for (stage, budget), column in zip(BUDGETS.items(), columns, strict=False)
        ]

    def rates(self) -> dict[str, float]:
        """Return the predictions a second of each product, over the minute."""
        counts: dict[str, int] = {}
        for each in list(self._timed):
            counts[each.product_id] = counts.get(each.product_id, 0) + 1
        return {name: count / (WINDOW_MS / 1_000) for name, count in sorted(counts.items())}


def percentile(ordered: list[float], share: float) -> float:
    """Return the nearest-rank percentile of some sorted values.

    >>> percentile([1.0, 2.0, 3.0, 4.0], 0.5), percentile([1.0, 2.0, 3.0, 4.0], 0.95)
    (2.0, 4.0)
    """
    return ordered[max(0, -(-len(ordered) * int(100 * share) // 100) - 1)]

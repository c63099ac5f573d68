"""Golden rows: a few rows of a small seeded market, by which a loaded model is recognised."""

import random
from collections.abc import Iterator
from typing import Final

from featurizer.engine import FeatureEngine
from featurizer.slots import MICROSECONDS
from ingestor.tick import Tick

SEED: Final = 20
SECONDS: Final = 1_260
PICKED: Final = (5, 45, 100, 200, 301, 380, 950, 1_259)
"""Seconds whose row is kept: the first ones are too early for some features, hence null."""

Row = list[float | None]


def golden_rows(seed: int = SEED) -> list[Row]:
    """Return one row for each of ``PICKED``, in the order of ``NAMES``; equal for equal seeds."""
    engine = FeatureEngine()
    last: dict[int, Row] = {}
    for tick in _ticks(random.Random(seed)):
        row = engine.update(tick)
        if row is not None:
            last[row.second] = list(row.features.values())
    return [last[second] for second in PICKED]


def _ticks(chance: random.Random) -> Iterator[Tick]:
    """Return two ticks a second of a market that grows wilder from second 300 on."""
    mid = 60_000.0
    for half in range(2 * SECONDS):
        step = 3.0 if half < 600 else 15.0
        mid += chance.uniform(-step, step)
        spread = chance.choice((0.01, 0.5, 2.0))
        yield Tick(
            feed="golden",
            product_id="BTC-USD",
            dialect="advanced",
            time_us=half * MICROSECONDS // 2 + 1,
            received_us=0,
            price=mid,
            bid=mid - spread / 2,
            ask=mid + spread / 2,
            bid_size=chance.uniform(0.01, 2.0),
            ask_size=chance.uniform(0.01, 2.0),
        )

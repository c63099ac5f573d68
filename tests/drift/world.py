"""The three topics that drift is read from, in memory, and what stands in them."""

from functools import cache
from typing import Any

from benchmarks.drift_markets import WARM_UP, events
from drift.comparison import WINDOW_SECONDS
from featurizer.engine import FeatureEngine
from featurizer.features import NAMES
from featurizer.row import FeatureRow
from featurizer.row import encode as encode_row
from ingestor.tick import Tick
from ingestor.topics import FEATURES, OUTCOMES
from monitor.outcome import Outcome
from monitor.outcome import encode as encode_outcome
from plumbing.kafka import Partition
from scorer.prediction import Prediction, prediction_id
from tests.featurizer.market import START, tick
from tests.monitor.world import DIGEST, SECOND, Log, predicted

FIRST = START // (60 * SECOND) * 60 * SECOND + 60 * SECOND
"""Event time of a whole minute."""


@cache
def hour(mood: str, seed: int, product: str = "BTC-USD") -> list[FeatureRow]:
    """One row a minute of an hour of the simulator's market, those of ``drift_markets.rows``.

    Of the other ticks no row is made, which is half of the work.
    """
    engine, made = FeatureEngine(), list(
        events(seed, WARM_UP + WINDOW_SECONDS, mood, product=product)
    )
    minutes = {e.time_us // (60 * SECOND): at for at, e in enumerate(made) if isinstance(e, Tick)}
    found, wanted = [], frozenset(minutes.values())
    for at, event in enumerate(made):
        if at in wanted:
            found.append(engine.update(event))
        else:
            engine.restore(event)
    return [row for row in found if row is not None and row.coverage == 1.0]


def feature_row(at: float, product: str = "BTC-USD", feed: str = "f", **more: Any) -> FeatureRow:
    """A row ``at`` seconds after ``FIRST``, all features known."""
    time_us = FIRST + round(at * SECOND)
    fields: dict[str, Any] = {
        "row_id": f"{feed}:{product}:{time_us}:0",
        "feed": feed,
        "product_id": product,
        "time_us": time_us,
        "trade_id": 0,
        "dialect": "advanced",
        "mid": 100.0,
        "features": dict.fromkeys(NAMES, at),
        "coverage": 1.0,
        "tau": 1e-3,
        "tau_status": "established",
    }
    return FeatureRow(**(fields | more))


def scored(row: FeatureRow, score: float = 0.5, digest: str = DIGEST) -> Prediction:
    """The prediction of a row by a model."""
    made = tick(row.time_us, product_id=row.product_id)
    return predicted(
        made,
        row_id=row.row_id,
        prediction_id=prediction_id(row.row_id, digest),
        feed=row.feed,
        time_us=row.time_us,
        digest=digest,
        score=score,
    )


def settled(row: FeatureRow, label: bool | None, **more: Any) -> Outcome:
    """The outcome of a row."""
    fields: dict[str, Any] = {
        "prediction_id": prediction_id(row.row_id, DIGEST),
        "row_id": row.row_id,
        "feed": row.feed,
        "product_id": row.product_id,
        "time_us": row.time_us,
        "label": label,
        "realized_volatility": 1e-3,
        "matured_us": row.time_us + 61 * SECOND,
        "reason": None if label is not None else "break",
        "tau": 1e-3,
        "coverage": 1.0,
        "last_of_second": True,
        "model_variant": "ml",
        "score": 0.5,
        "spike": False,
    }
    return Outcome(**(fields | more))


class Topics(Log):
    """The log in memory with ``features`` beside the other topics."""

    def __init__(self, partitions: int = 2) -> None:
        super().__init__(partitions)
        for number in range(partitions):
            self.records[Partition(FEATURES.name, number)] = []

    def row(self, row: FeatureRow) -> None:
        """Append a row."""
        self.append(FEATURES.name, row.product_id, encode_row(row))

    def outcome(self, outcome: Outcome) -> None:
        """Append an outcome."""
        self.append(OUTCOMES.name, outcome.product_id, encode_outcome(outcome))

    def whole(self, row: FeatureRow, label: bool | None = False, **more: Any) -> None:
        """Append a row, its prediction and its outcome."""
        self.row(row)
        self.prediction(scored(row, **more))
        self.outcome(settled(row, label))

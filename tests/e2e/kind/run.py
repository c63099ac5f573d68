"""One run of a market with an end, in topics of its own, and what it must leave there."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tests.e2e.kind.counting import (
    Count,
    Market,
    count,
    expected_of,
    lines_in,
    predictions_of,
    ticks_alone,
)
from tests.e2e.kind.drill import Drill, Model, until
from tests.e2e.kind.reading import Line

TOPICS: Final = ("ticks", "features", "predictions")
PRODUCTS: Final = ("BTC-USD", "ETH-USD", "SOL-USD", "ADA-USD", "XRP-USD", "DOGE-USD")
"""On partitions 9, 8, 5, 6, 1 and 2 of 12, so each of three replicas has two of them."""
MARKET: Final = Market(7, PRODUCTS, datetime(2024, 1, 1, tzinfo=UTC), 450)
STATUS: Final = (
    "import urllib.request as u; print(u.urlopen('http://localhost:8766/status').read().decode())"
)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a run left: counts by topic, and the lines of its rows."""

    counts: dict[str, Count]
    rows: list[Line]

    def __str__(self) -> str:
        return "; ".join(f"{topic} {found}" for topic, found in self.counts.items())


def begin(drill: Drill, prefix: str, speed: float) -> None:
    """Let the market begin, from its first second, in topics that nobody has used.

    It begins as an ingestor connects, so that one comes last, when all others are in place.
    """
    cluster = drill.cluster
    cluster.kubectl("scale", cluster.deployment("ingestor"), "--replicas", "0")
    until(lambda: not cluster.pods("ingestor"))
    exchange = {
        "SIMULATOR_SEED": str(MARKET.seed),
        "SIMULATOR_START": MARKET.start.isoformat(),
        "SIMULATOR_LENGTH": str(MARKET.seconds),
        "SIMULATOR_SPEED": f"{speed:g}",
    }
    cluster.upgrade(
        {
            "kafka": {"topicPrefix": prefix},
            "feed": {"products": list(MARKET.products)},
            "components": {"simulator": {"env": exchange}, "ingestor": {"replicas": 0}},
        }
    )
    drill.prefix = prefix
    cluster.kubectl("scale", cluster.deployment("ingestor"), "--replicas", "1")
    until(lambda: state_of(drill) == "running")


def until_over(drill: Drill, seconds: float = 240.0) -> None:
    """Wait until the market has ended and every row of it has become a prediction."""
    until(lambda: state_of(drill) == "ended", seconds)
    before: dict[str, int] = {}

    def still() -> bool:
        nonlocal before
        last, before = before, drill.counts(*TOPICS)
        return before == last and before["predictions"] >= before["features"] > 0

    until(still)


def state_of(drill: Drill) -> str:
    """Say whether the market is waiting, running or ended."""
    told = json.loads(drill.cluster.execute("simulator", "python", "-c", STATUS))
    return str(told["state"])


def counted(drill: Drill, model: Model) -> Counted:
    """Read the topics of the run whole, and compare them with what the market must give."""
    printed = drill.ask_kafka("records", *TOPICS)
    lines = {topic: lines_in(printed, topic) for topic in TOPICS}
    rows = lines["features"]
    feed = rows[0][1].split(":")[0]
    expected = expected_of(MARKET, feed)
    predicted = predictions_of(expected.rows, model.digest)
    return Counted(
        {
            "ticks": count(ticks_alone(lines["ticks"]), expected.ticks, expected.ticks),
            "features": count(rows, expected.rows, expected.rows),
            "predictions": count(lines["predictions"], predicted),
        },
        rows,
    )

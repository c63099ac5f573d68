"""A featurizer's topics in memory, and long markets of a quote a second."""

import random
from collections.abc import Iterable, Sequence

from featurizer.engine import FeatureEngine
from featurizer.history import Rebuilt, rebuild
from featurizer.level.levels import Levels
from featurizer.level.records import Closed, Minute, encode
from featurizer.level.run import Run
from featurizer.level.seeds import Seeds
from featurizer.span import Span
from ingestor.tick import Event
from ingestor.tick import encode as encode_event
from plumbing.kafka import Partition, Record
from tests.featurizer.market import START, beat

FIRST = START // 1_000_000
DAY = 86_400


def quotes(
    first: int, last: int, feed: str = "f", seed: int = 1, still: float = 0.0, product: str = "P"
) -> list[Event]:
    """A Beat for each epoch second ``first … last − 1``; a share of them stand ``still``."""
    random_, mid, found = random.Random(seed), 100.0, list[Event]()
    for second in range(first, last):
        if random_.random() >= still:
            mid *= 1 + random_.gauss(0, 1e-4)
        found.append(beat(second, mid * 0.9999, mid * 1.0001, feed=feed, product_id=product))
    return found


class World:
    """Ticks, minutes and levels of one partition; ``kept`` is the first tick still there."""

    def __init__(self, events: Sequence[Event], kept: int = 0, seeds: Seeds | None = None) -> None:
        self.events, self.kept, self._seeds = events, kept, seeds
        self.logs: dict[str, list[Closed]] = {"minutes": [], "levels": []}
        self.reads = 0

    def begun(self) -> FeatureEngine:
        """An engine that knows nothing, whose closings go to the topics."""
        return FeatureEngine(Levels(self._seeds), self._publish)

    def restarted(self, position: int) -> FeatureEngine:
        """An engine that knows only what reading back from a position gives."""
        engine = self.begun()
        self.rebuilt: Rebuilt = rebuild(engine, self, Partition("ticks", 0), position, 0.0)
        assert self.rebuilt.shortfall is None
        return engine

    def play(self, engine: FeatureEngine, first: int, end: int) -> None:
        """Take events of the topic; what they close is published."""
        for event in self.events[first:end]:
            engine.update(event)

    def beginning(self, partition: Partition) -> int:
        return self.kept if partition.topic == "ticks" else 0

    def end(self, partition: Partition) -> int:
        return len(self.logs[partition.topic])

    def read(self, partition: Partition, span: Span, deadline: float) -> list[Record]:
        assert self.beginning(partition) <= span.first < span.end
        self.reads += span.end - span.first
        if partition.topic == "ticks":
            values = [encode_event(event) for event in self.events[span.first : span.end]]
        else:
            values = [encode(each) for each in self.logs[partition.topic][span.first : span.end]]
        return [
            Record(partition.topic, 0, offset, 1, "P", value, {})
            for offset, value in enumerate(values, span.first)
        ]

    def close(self) -> None:
        """There is nothing to let go of."""

    def _publish(self, record: Closed) -> None:
        self.logs["minutes" if isinstance(record, Minute) else "levels"].append(record)


def run_of(engine: FeatureEngine, product: str = "P") -> Run:
    """The run of a product."""
    run = engine.levels.of(product)
    assert run is not None
    return run


def played(events: Iterable[Event]) -> FeatureEngine:
    """An engine after these events."""
    engine = FeatureEngine()
    for event in events:
        engine.update(event)
    return engine

"""A small world for the monitor: events, the predictions made from them, and a log in memory."""

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from featurizer.engine import FeatureEngine
from featurizer.row import key_of
from ingestor.tick import Beat, Break, Event, Tick
from ingestor.tick import encode as encode_event
from ingestor.topics import (
    CONTROL,
    DEAD_LETTERS,
    FEED_EVENTS,
    OUTCOMES,
    PREDICTIONS,
    SIGNALS,
    TICKS,
)
from monitor.outcome import Outcome
from monitor.outcome import decode as decode_outcome
from plumbing.kafka import Partition, Record
from scorer.prediction import Prediction, Shadow, prediction_id
from scorer.prediction import encode as encode_prediction

SECOND = 1_000_000
LOGGED = (TICKS, PREDICTIONS, OUTCOMES, SIGNALS, DEAD_LETTERS, FEED_EVENTS, CONTROL)
TAU = 1e-3
DIGEST = "d" * 64


def predicted(event: Tick | Beat, **more: Any) -> Prediction:
    """A prediction of the row at this event."""
    time_us, trade_id = key_of(event)
    row_id = f"{event.feed}:{event.product_id}:{time_us}:{trade_id}"
    fields: dict[str, Any] = {
        "prediction_id": prediction_id(row_id, more.get("digest", DIGEST)),
        "row_id": row_id,
        "feed": event.feed,
        "product_id": event.product_id,
        "time_us": time_us,
        "trade_id": trade_id,
        "dialect": event.dialect,
        "mid": event.mid,
        "coverage": 1.0,
        "realized_volatility_60s": 2e-3,
        "score": 0.75,
        "spike": True,
        "threshold": 0.5,
        "tau": TAU,
        "model_variant": "ml",
        "version": "dddddddddddd",
        "digest": DIGEST,
        "features_digest": "f" * 64,
        "shadows": [shadow(0.25)],
        "flags": [],
        "received_us": event.received_us,
        "featurized_us": event.received_us + 1,
        "scored_us": event.received_us + 2,
    }
    return Prediction(**{**fields, **more})


def shadow(score: float, variant: str = "baseline") -> Shadow:
    """A shadow's answer with a threshold of 0.5."""
    return Shadow(
        model_variant=variant,
        version="bbbbbbbbbbbb",
        digest="b" * 64,
        score=score,
        threshold=0.5,
        spike=score >= 0.5,
    )


def predictions_of(events: Iterable[Event], seed: int = 0) -> list[Prediction]:
    """A prediction for each row that the featurizer makes of these events."""
    chance = random.Random(seed)
    engine = FeatureEngine()
    made: list[Prediction] = []
    for event in events:
        row = engine.update(event)
        if row is None or isinstance(event, Break):
            continue
        score = chance.random()
        made.append(
            predicted(
                event,
                score=score,
                spike=score >= 0.5,
                coverage=row.coverage,
                tau=None if row.product_id == "ETH-USD" and chance.random() < 0.3 else TAU,
                realized_volatility_60s=row.features["realized_volatility_60s"],
                shadows=[shadow(chance.random())],
            )
        )
    return made


class Log:
    """Topics in memory: partitions of records, and the positions of one group."""

    def __init__(self, partitions: int = 2, more: Sequence[str] = ()) -> None:
        names = (*(each.name for each in LOGGED), *more)
        self.records: dict[Partition, list[Record]] = {
            Partition(name, number): [] for name in names for number in range(partitions)
        }
        self.committed: dict[Partition, int] = {}
        self.begins: dict[Partition, int] = {}
        self._partitions = partitions
        self._clock = 0

    def append(
        self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        self._clock += 1
        at = Partition(topic, sum(key.encode()) % self._partitions)
        kept = self.records[at]
        record = Record(topic, at.number, len(kept), self._clock, key, value, headers or {})
        kept.append(record)

    def trim(self, partition: Partition, begin: int) -> None:
        """Let the records before an offset expire."""
        self.begins[partition] = begin

    def pass_time(self, seconds: int) -> None:
        """Let the broker's time pass while nothing is appended."""
        self._clock += 1_000 * seconds

    def event(self, event: Event) -> None:
        self.append(TICKS.name, event.product_id, encode_event(event))

    def prediction(self, prediction: Prediction) -> None:
        value = encode_prediction(prediction)
        self.append(PREDICTIONS.name, prediction.product_id, value)

    def of(self, topic: str) -> list[Record]:
        return [r for p, kept in self.records.items() if p.topic == topic for r in kept]

    def outcomes(self) -> list[Outcome]:
        return [decode_outcome(record.value) for record in self.of("outcomes")]


class LogReader:
    """Reads the log in memory as ``plumbing.kafka.Reader`` does; batches of random size."""

    def __init__(self, log: Log, seed: int = 0, most: int = 7) -> None:
        self._log, self._most = log, most
        self._chance = random.Random(seed)
        self._next: dict[Partition, int] = dict.fromkeys(log.records, 0)
        self.closed = False

    def partitions(self) -> list[Partition]:
        return list(self._log.records)

    def beginnings(self) -> dict[Partition, int]:
        return {p: self._log.begins.get(p, 0) for p in self._log.records}

    def ends(self) -> dict[Partition, int]:
        return {p: len(kept) for p, kept in self._log.records.items()}

    def assign(self, partitions: Sequence[Partition]) -> None:
        self._next = dict.fromkeys(partitions, 0)

    def seek(self, partition: Partition, offset: int) -> None:
        assert partition in self._next, f"{partition} is not assigned"
        self._next[partition] = offset

    def poll(self, timeout: float) -> list[Record]:
        found: list[Record] = []
        for partition, position in self._next.items():
            start = max(position, self._log.begins.get(partition, 0))
            stop = start + self._chance.randint(0, self._most)
            batch = self._log.records[partition][start:stop]
            self._next[partition] = start + len(batch)
            found += batch
        return found

    def position(self, partition: Partition) -> int:
        return self._next[partition]

    def committed(self, partition: Partition) -> int | None:
        return self._log.committed.get(partition)

    def compare(self, partition: Partition, offset: int, begin: int, end: int) -> None:
        """Nothing is told."""

    def commit(self, positions: Mapping[Partition, int]) -> bool:
        self._log.committed.update(positions)
        return True

    def close(self) -> None:
        self.closed = True


class LogProducer:
    """Publishes to the log at ``flush``, as acknowledged delivery does."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._unsent: list[tuple[str, str, bytes, Mapping[str, str]]] = []

    def send(self, topic: str, key: str, value: bytes, headers: Mapping[str, str]) -> None:
        self._unsent.append((topic, key, value, headers))

    def flush(self) -> None:
        for topic, key, value, headers in self._unsent:
            self._log.append(topic, key, value, headers)
        self._unsent.clear()

    def close(self) -> None:
        """Nothing is held."""

"""Bytes of the broker's log by form, batching and codec, of each topic that grows with ticks.

    python benchmarks/kafka_size.py [--records 500]
    python benchmarks/kafka_size.py --of .run/demo/broker      what a demo that has ended left

Ticks, rows, predictions and outcomes of a generated market, once all features are known, are
written to an embedded broker, one record a batch, as at the rate of a live feed, and ten, as when
busy: as JSON by each codec, and packed by dictionaries (``plumbing.kafka.packing``).
"""

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Final, Literal

from kafka.record import MemoryRecords  # type: ignore[import-untyped]
from msgspec.structs import replace

from featurizer.engine import FeatureEngine
from featurizer.row import encode as encode_row
from ingestor.continuity import events
from ingestor.tick import Event, Tick
from ingestor.tick import encode as encode_event
from ingestor.topics import TICKS, TOPICS
from local.broker import Broker
from monitor.join import Joiner
from monitor.outcome import encode as encode_outcome
from plumbing.kafka import KafkaSettings, Producer, ensure_topics
from plumbing.kafka.packing import Packer
from scorer.prediction import encode as encode_prediction
from scorer.variants import Arrived, predictions_of, values_of
from serving.artifact import load_folder
from serving.predictor import open_predictor, outputs_of
from serving.tensor import OUTPUT, SEVERE
from serving.v2 import Scored
from simulator.market import frames

CODECS: Final[tuple[Literal["none", "gzip", "zstd"], ...]] = ("none", "gzip", "zstd")
BATCHES: Final = (1, 10)
START_US: Final = 1_790_000_000_000_000
WHOLE_US: Final = 5_000 * 1_000_000
"""From the start until all features and a level are known."""
LEARNED: Final = 200
"""Records by which the dictionaries are made; they are not counted."""
Sent = tuple[bytes, dict[str, str]]


class _Topic:
    """A topic of one partition."""

    partitions, retention_ms, compacted = 1, -1, False

    def __init__(self, name: str) -> None:
        self.name = name


def market() -> Iterator[Event]:
    """Yield two hours of a market as the ingestor says them, each received some time later."""
    chance = Random(7)
    for event in events(frames(7, ("BTC-USD",), START_US, 7_200), "generated"):
        yield replace(event, received_us=event.time_us + chance.randint(20_000, 200_000))


def records(count: int) -> dict[str, list[Sent]]:
    """Return so many records of each topic, with the headers that ours have."""
    chance = Random(8)
    engine, joiner, made = FeatureEngine(), Joiner(), defaultdict[str, list[Sent]](list)
    models = [load_folder(Path("model-settings", name)) for name in ("ml", "baseline")]
    predictors = [open_predictor(model) for model in models]
    for event in market():
        row = engine.update(event)
        if event.time_us - START_US < WHOLE_US:
            continue
        matured = joiner.update(event)
        made["outcomes"] += [(encode_outcome(each.outcome), {}) for each in matured]
        if isinstance(event, Tick):
            made["ticks"].append((encode_event(event), {}))
        if row is not None:
            received = event.received_us
            featurized = received + chance.randint(3_000, 9_000)
            scored = featurized + chance.randint(5_000, 12_000)
            headers = {"received_us": str(received), "featurized_us": str(featurized)}
            made["features"].append((encode_row(row), headers))
            said = [outputs_of(each, [values_of(row)]) for each in predictors]
            served, shadow = (
                Scored(out[OUTPUT], model.info, out.get(SEVERE))
                for out, model in zip(said, models, strict=True)
            )
            arrived = Arrived(row, received, featurized)
            [prediction] = predictions_of([arrived], served, [shadow], scored)
            made["predictions"].append((encode_prediction(prediction), {}))
            joiner.add(prediction)
        if len(made["outcomes"]) >= count:
            break
    return {
        topic: made[topic][:count] for topic in ("ticks", "features", "predictions", "outcomes")
    }


def packed(sent: Sequence[Sent]) -> list[Sent]:
    """Return the records as a producer packs them once it has learned by those before."""
    packer = Packer({"": None}, lambda *_: None, lambda work: work())
    return [(value, dict(headers)) for value, headers in (packer.pack("", *one) for one in sent)]


def size(
    settings: KafkaSettings, folder: Path, topic: str, sent: Sequence[Sent], batch: int
) -> int:
    """Write records, so many a batch, and return the bytes that they take on the log."""
    ensure_topics(settings, [_Topic(topic)])
    producer = Producer(settings, linger_ms=0 if batch == 1 else 100)
    for at, (value, headers) in enumerate(sent, start=1):
        producer.send(topic, "BTC-USD", value, headers)
        if at % batch == 0:
            producer.flush()
    producer.flush()
    producer.close()
    return sum(log.stat().st_size for log in (folder / "data" / f"{topic}-0").glob("*.log"))


def standing(folder: Path) -> int:
    """Print the bytes a tick of each topic's log; the index beside it is half a percent."""
    sizes, ticks = defaultdict[str, int](int), 0
    for log in folder.glob("*-[0-9]*/*.log"):
        topic = log.parent.name.rpartition("-")[0]
        sizes[topic] += log.stat().st_size
        ticks += _count(log) if topic == TICKS.name else 0
    own = {topic.name: sizes[topic.name] for topic in TOPICS}
    for name, found in {**own, "together": sum(own.values())}.items():
        sys.stdout.write(f"{name:14}{found:12,}{found / max(ticks, 1):10.1f} a tick\n")
    return 0


def _count(log: Path) -> int:
    """Return how many ticks a log of ``ticks`` holds, Beats and Breaks with them."""
    batches, found = MemoryRecords(log.read_bytes()), 0
    while batches.has_next():
        found += sum(1 for _ in batches.next_batch())
    return found


def main() -> int:
    """Print a table: bytes a record of each topic, by form, batch and codec."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=500, help="of each topic, counted")
    parser.add_argument("--of", type=Path, help="folder of a broker that has ended")
    options = parser.parse_args()
    if options.of is not None:
        return standing(options.of / "data")
    plain = records(LEARNED + options.records)
    small = {topic: packed(sent) for topic, sent in plain.items()}
    forms = [("JSON", codec, plain) for codec in CODECS] + [("dictionary", "gzip", small)]
    head = ["form", "codec", "records a batch", *(f"`{topic}`" for topic in plain), "together"]
    sys.stdout.write(f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n")
    with tempfile.TemporaryDirectory() as name, Broker(Path(name)) as broker:
        for form, codec, made in forms:
            at = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, compression=codec)
            for batch in BATCHES:
                sizes = []
                for topic, sent in made.items():
                    written = f"{topic}-{form}-{codec}-{batch}"
                    counted = sent[LEARNED:]
                    sizes.append(size(at, Path(name), written, counted, batch) / len(counted))
                cells = [form, codec, batch, *(f"{each:.0f}" for each in [*sizes, sum(sizes)])]
                sys.stdout.write(f"| {' | '.join(map(str, cells))} |\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

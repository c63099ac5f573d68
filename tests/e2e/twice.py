"""Compares what one market left in the topics when it was played twice, and prints JSON.

Sent to ``python -`` in a container with the image of the services. Each message is read as it
stands, whichever release wrote it, so that two releases are compared and not two readers:

    {"feeds": ["market-7@…", "market-7@…"], "ticks": {"shared": 812, "differing": 0}, …}
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import Any, Final

TOPICS: Final = ("ticks", "features", "predictions")
OF_ONE_PLAYING: Final = {
    *("feed", "row_id", "prediction_id", "sequence"),
    *("received_us", "featurized_us", "scored_us"),
}
LATER: Final = {
    "ticks": set[str](),
    "features": {
        *("schema_version", "tau", "tau_status", "returns", "after_break", "beat", "appended"),
    },
    "predictions": {"tau_status", "after_break", "notes", "severe", "reason", "thresholds"},
}
"""What the release of before does not tell."""
BEAT_US: Final = 999_999
"""A Beat stands at its second's last microsecond; the release of before made no row of it."""
SOONER: Final = "realized_volatility"
"""Known from 20 returns on, and before from half of its window on."""
UNTOLD_US: Final = 2_000_000
"""So much of its end a playing that was cut short may not have told yet."""

Message = Mapping[str, Any]
Key = tuple[Any, ...]


def compare(messages: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Return for each topic how many messages two feeds share, and how many differ or lack.

    Of each product only what lies before the end of its shorter playing is compared. A volatility
    that one release knows sooner than the other is left out, and so is the row's prediction.
    """
    told: dict[tuple[str, str], dict[Key, Message]] = defaultdict(dict)
    ends: dict[tuple[str, str], int] = defaultdict(int)
    for topic, value in messages:
        message = json.loads(value)
        if message.get("kind") == "break" or (topic != "ticks" and _of_beat(message)):
            continue
        feed, name = message["feed"], message["product_id"]
        told[topic, feed][_key(message)] = _told(message, OF_ONE_PLAYING | LATER[topic])
        if topic == "ticks":
            ends[feed, name] = max(ends[feed, name], message["time_us"])
    feeds = sorted({feed for _, feed in told})
    if len(feeds) != 2:
        return {"feeds": feeds}
    without = _leave_out(*(told["features", feed] for feed in feeds))
    for feed in feeds:
        predictions = told["predictions", feed].items()
        told["predictions", feed] = {key: p for key, p in predictions if key[:3] not in without}
    limits = {name: min(ends[feed, name] for feed in feeds) for _, name in ends}
    held = {
        topic: _held([_before(limits, told[topic, feed]) for feed in feeds]) for topic in TOPICS
    }
    return {"feeds": feeds, **held}


def _told(message: Message, untold: set[str]) -> Message:
    """Return what is compared of a message, and of the shadows in it."""
    kept = {field: value for field, value in message.items() if field not in untold}
    if "shadows" in kept:
        kept["shadows"] = [_told(shadow, untold) for shadow in kept["shadows"]]
    return kept


def _of_beat(message: Message) -> bool:
    return bool(message["time_us"] % 1_000_000 == BEAT_US and not message["trade_id"])


def _leave_out(first: Mapping[Key, Message], second: Mapping[Key, Message]) -> set[Key]:
    """Take volatilities out of rows that only one knows; return where such rows stand."""
    found = set[Key]()
    for key in first.keys() & second.keys():
        pair = [each[key]["features"] for each in (first, second)]
        names = [
            name
            for name in pair[0]
            if name.startswith(SOONER) and (pair[0][name] is None) != (pair[1].get(name) is None)
        ]
        for features, name in product(pair, names):
            features[name] = None
        found |= {key[:3]} if names else set()
    return found


def _key(message: Message) -> Key:
    names = ("product_id", "time_us", "trade_id", "kind", "digest")
    return tuple(message.get(name) for name in names)


def _before(limits: Mapping[str, int], told: Mapping[Key, Message]) -> dict[Key, Message]:
    return {key: found for key, found in told.items() if key[1] < limits[key[0]] - UNTOLD_US}


def _held(pair: list[dict[Key, Message]]) -> dict[str, int]:
    first, second = pair
    every = first.keys() | second.keys()
    return {
        "shared": len(first.keys() & second.keys()),
        "differing": sum(first.get(key) != second.get(key) for key in every),
    }


def read() -> Iterator[tuple[str, bytes]]:
    """Yield topic and value of all that the topics hold now."""
    from plumbing.kafka import KafkaSettings, Partition, Reader

    reader = Reader(KafkaSettings(), TOPICS)
    try:
        ends = reader.ends()
        left = {partition for partition, end in ends.items() if end}
        while left:
            for record in reader.poll(1.0):
                yield record.topic, record.value
                partition = Partition(record.topic, record.partition)
                if record.offset + 1 >= ends[partition]:
                    left.discard(partition)
    finally:
        reader.close()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(compare(read())) + "\n")

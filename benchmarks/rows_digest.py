"""A digest of all rows of recordings and of generated markets: two trees give one, or differ.

    python benchmarks/rows_digest.py ../shared/data [--tree OTHER] [--markets 20]

Rows and closed stretches count as the bytes that go to their topics. ``--tree`` takes the code of
another checkout, so that a change of the engine can be compared with what was before it.
Trades of other venues make events of a second each, the first ``--events`` of them.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path


def main() -> int:
    """Print a digest of each source and one of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--tree", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--markets", type=int, default=20)
    parser.add_argument("--events", type=int, default=200_000)
    options = parser.parse_args()
    sys.path.insert(0, str(options.tree))
    whole = hashlib.sha256()
    for name, events in sources(options.data, options.markets, options.events):
        rows, digest = digest_of(events)
        whole.update(digest.encode())
        sys.stdout.write(f"{digest[:16]} {rows:>9} rows  {name}\n")
    sys.stdout.write(f"{whole.hexdigest()} of all\n")
    return 0


def sources(data: Path, markets: int, most: int) -> Iterator[tuple[str, Iterable]]:
    """Give each source's name and events."""
    from tests.featurizer.market import market
    from tests.featurizer.recorded import events_of as captured
    from training.venues.trades import events_of as traded
    from training.venues.venue_days import VENUES

    for path in sorted(data.glob("*.ndjson.gz")):
        yield path.name, captured(path)
    for venue in VENUES:
        trades = venue.read(data / "external" / venue.file)
        yield venue.file, islice(traded(trades, venue.name, venue.product), most)
    for seed in range(markets):
        yield f"market {seed}", market(seed, steps=5_000)


def digest_of(events: Iterable) -> tuple[int, str]:
    """Return how many rows the events give, and the digest of all bytes that they become."""
    from featurizer.engine import FeatureEngine
    from featurizer.level.records import encode as encode_closed
    from featurizer.row import encode

    found, count = hashlib.sha256(), 0
    engine = FeatureEngine(closed=lambda closed: found.update(encode_closed(closed)))
    for event in events:
        row = engine.update(event)
        if row is not None:
            count += 1
            found.update(encode(row))
    return count, found.hexdigest()


if __name__ == "__main__":
    sys.exit(main())

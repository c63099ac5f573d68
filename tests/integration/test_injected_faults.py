"""Faults of the feed cost the rows they must and no others, row by row beside a calm run."""

import copy
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from featurizer.engine import FeatureEngine
from featurizer.features import REQUIRED
from featurizer.row import FeatureRow
from featurizer.row import encode as encode_row
from ingestor.dead_letter import decode as decode_letter
from ingestor.intake import Intake, Item, Opened, Received
from ingestor.metrics import Metrics
from ingestor.tick import Break
from ingestor.tick import decode as decode_event
from ingestor.topics import DEAD_LETTERS, TICKS
from simulator.market import frames

START_US = 1_772_366_400_000_000
SECONDS = 7_200
PRODUCTS = ("BTC-USD", "ETH-USD", "SOL-USD")
SPARED = "SOL-USD"
"""It gets no fault of its own."""
SECOND = 1_000_000
WINDOW_US = 302 * SECOND
"""What the features of the first release look back to, with the seconds that close its slots."""
APART_SECONDS = 850
FEED = "generated"

Content = dict[str, Any]
Entry = tuple[int, Content]
Faulty = list[Entry | bytes | Opened]


@pytest.fixture(scope="module")
def market() -> list[Entry]:
    """Two hours of three products: tickers, trades and heartbeats."""
    made = frames(7, PRODUCTS, START_US, SECONDS)
    return [(frame.time_us, msgspec.json.decode(frame.data)) for frame in made]


def items(entries: Iterable[Entry | bytes | Opened]) -> list[Item]:
    """What the ingestor receives: frames numbered as one connection does, but for their holes."""
    found: list[Item] = [Opened(FEED, START_US)]
    number, at_us = 0, START_US
    for entry in entries:
        if isinstance(entry, Opened):
            found.append(entry)
            number = 0
        elif isinstance(entry, bytes):
            found.append(Received(entry, at_us))
        else:
            at_us, content = entry
            number = content.get("renumber", number + content.get("skip", 0))
            sent = {k: v for k, v in content.items() if k not in ("skip", "renumber", "again")}
            frame = msgspec.json.encode({**sent, "sequence_num": number})
            found += [Received(frame, at_us)] * (1 + content.get("again", 0))
            number += 1
    return found


Key = tuple[str, int, int]


def short(row: FeatureRow) -> bytes:
    """A row without what looks back for an hour and more: there a fault shows for as long."""
    features = {name: row.features[name] for name in REQUIRED}
    return encode_row(replace(row, features=features, tau=None, tau_status=None))


class Run:
    """The rows of a run, and where each product has a Break or a dead letter."""

    def __init__(self, received: Iterable[Item]) -> None:
        intake, engine = Intake(PRODUCTS, Metrics(CollectorRegistry(), PRODUCTS)), FeatureEngine()
        self.rows: dict[Key, bytes] = {}
        self.spared: dict[Key, bytes] = {}
        self.marks: dict[str, list[tuple[int, int]]] = {name: [] for name in PRODUCTS}
        self.told: Counter[str] = Counter()
        self._newest = dict.fromkeys(PRODUCTS, START_US)
        for item in received:
            for record in intake.records(item):
                if record.topic == TICKS.name:
                    self._event(engine, record.value)
                elif record.topic == DEAD_LETTERS.name:
                    letter = decode_letter(record.value)
                    self.told["dead letter"] += 1
                    self._mark(letter.product_id, letter.received_us, letter.received_us)

    def explains(self, key: Key) -> bool:
        """Whether a Break or dead letter of its product lies within its longest window."""
        product, time_us, _ = key
        return any(a - SECOND <= time_us <= b + WINDOW_US for a, b in self.marks[product])

    def of(self, product: str) -> list[Key]:
        """The rows of a product."""
        return [key for key in self.rows if key[0] == product]

    def _event(self, engine: FeatureEngine, value: bytes) -> None:
        event = decode_event(value)
        if isinstance(event, Break) and event.reason != "start":
            self.told[f"break {event.reason}"] += 1
            self._mark(event.product_id, self._newest[event.product_id], event.time_us)
        row = engine.update(event)
        if row is not None:
            if not row.beat:  # of a ticker that is dead Beats tell what it said last
                self._end(row.product_id, row.time_us)
                self._newest[row.product_id] = row.time_us
            key = (row.product_id, row.time_us, row.trade_id)
            self.rows[key] = short(row)
            if row.product_id == SPARED:
                self.spared[key] = encode_row(row)

    def _end(self, product: str, time_us: int) -> None:
        """Let what was told last of a product last until its next row: its quote was not known."""
        if self.marks[product] and self.marks[product][-1][1] > self._newest[product]:
            self.marks[product][-1] = (self.marks[product][-1][0], time_us)

    def _mark(self, product: str | None, first_us: int, last_us: int) -> None:
        for name in PRODUCTS if product is None else (product,):
            self.marks[name].append((first_us, last_us))


@pytest.fixture(scope="module")
def calm(market: list[Entry]) -> Run:
    """The same market without a fault."""
    run = Run(items(market))
    assert not run.told
    return run


def tickers(entries: Faulty, product: str, after_us: int) -> Iterator[int]:
    """Where the tickers of a product stand, from a time on."""
    return (
        at
        for at, entry in enumerate(entries)
        if isinstance(entry, tuple)
        and entry[0] >= after_us
        and entry[1]["channel"] == "ticker"
        and entry[1]["events"][0]["tickers"][-1]["product_id"] == product
    )


def with_quote(**changes: Any) -> Callable[[Faulty, int], None]:
    """A fault that changes one ticker."""

    def spoil(entries: Faulty, at: int) -> None:
        time_us, content = entries[at]
        whole = copy.deepcopy(content)
        whole["events"][0]["tickers"][0] |= changes
        entries[at] = (time_us, whole)

    return spoil


def far_ahead(entries: Faulty, at: int) -> None:
    """One ticker has a time of next year."""
    time_us, content = entries[at]
    entries[at] = (time_us, {**content, "timestamp": "2027-03-01T00:00:00.000000001Z"})


def stalls(entries: Faulty, at: int) -> None:
    """Its ticker dies for 40 s, while trades and heartbeats go on."""
    start_us, content = entries[at]
    product = content["events"][0]["tickers"][0]["product_id"]
    until_us = start_us + 40 * SECOND
    gone = takewhile(lambda n: entries[n][0] <= until_us, tickers(entries, product, start_us))
    for n in reversed(list(gone)):
        del entries[n]


def two_in_one(entries: Faulty, at: int) -> None:
    """An older ticker of the same product stands before it in its frame: the newest counts."""
    time_us, content = entries[at]
    whole = copy.deepcopy(content)
    newest = whole["events"][0]["tickers"][0]
    older = newest | {"best_bid": "1", "best_ask": "1.01", "price": "1"}
    whole["events"][0]["tickers"] = [older, newest]
    entries[at] = (time_us, whole)


OF_A_PRODUCT: dict[str, Callable[[Faulty, int], None]] = {
    "zero quote": with_quote(best_bid="0", best_ask="0"),
    "crossed": with_quote(best_bid="9", best_ask="8"),
    "placeholder": with_quote(best_bid="0.01", best_ask="1000000"),
    "no number": with_quote(best_ask="NaN"),
    "no price": with_quote(price=None),
    "far ahead": far_ahead,
    "stalls": stalls,
    "two in one frame": two_in_one,
}


def marked(**marks: int) -> Callable[[Faulty, int], None]:
    """A fault of the connection's numbers at one frame."""

    def mark(entries: Faulty, at: int) -> None:
        time_us, content = entries[at]
        entries[at] = (time_us, content | marks)

    return mark


def inserted(*made: bytes | Opened) -> Callable[[Faulty, int], None]:
    """Something that comes between two frames."""

    def insert(entries: Faulty, at: int) -> None:
        entries[at:at] = made

    return insert


OF_THE_CONNECTION: dict[str, Callable[[Faulty, int], None]] = {
    "frames lost": marked(skip=3),
    "frame repeated": marked(again=1),
    "numbers anew": marked(renumber=0),
    "no JSON": inserted(b"<html>busy</html>"),
    "no UTF-8": inserted(b'{"channel": "\xff\xfe"}'),
    "nested without end": inserted(b"[" * 5_000),
    "connected again": inserted(Opened(FEED, START_US, "closed")),
}


def compared(calm: Run, run: Run, product: str) -> Counter[str]:
    """Every row of either run: equal, explained by what was told of its product, or neither."""
    found: Counter[str] = Counter()
    for key in calm.rows.keys() | run.rows.keys():
        if key[0] != product:
            continue
        if calm.rows.get(key) == run.rows.get(key):
            found["equal"] += 1
        else:
            found["explained" if run.explains(key) else "unexplained"] += 1
    return found


def injected(market: Faulty, faults: dict[str, Any], seed: int, product: str) -> Faulty:
    """Put each fault in once, at a ticker of the product, in an order of chance, far apart."""
    chance, entries = random.Random(seed), list(market)
    names = chance.sample(sorted(faults), len(faults))
    for number in range(len(names), 0, -1):  # from the end, so that earlier places stay
        after_us = START_US + (number * APART_SECONDS - 500 + chance.randrange(100)) * SECOND
        faults[names[number - 1]](entries, next(tickers(market, product, after_us)))
    return entries


@pytest.mark.exhaustive
def test_faults_of_a_product_cost_its_own_rows_alone(market: list[Entry], calm: Run) -> None:
    """Each kind once in each of two: all rows of the third are equal, and most of theirs."""
    spoiled = injected(market, OF_A_PRODUCT, 11, "BTC-USD")
    run = Run(items(injected(spoiled, OF_A_PRODUCT, 12, "ETH-USD")))
    assert compared(calm, run, SPARED) == {"equal": len(calm.of(SPARED))}
    assert run.spared == calm.spared
    for name in ("BTC-USD", "ETH-USD"):
        found = compared(calm, run, name)
        assert found["unexplained"] == 0
        assert found["equal"] > found["explained"] > 0
    assert run.told == {"break stalled": 2, "dead letter": 2 * (len(OF_A_PRODUCT) - 2)}


@pytest.mark.exhaustive
def test_faults_of_the_connection_are_told_of_every_product(market: list[Entry], calm: Run) -> None:
    """Each kind once: what differs stands beside a Break or a letter, more than half is equal."""
    run = Run(items(injected(market, OF_THE_CONNECTION, 12, PRODUCTS[0])))
    for name in PRODUCTS:
        found = compared(calm, run, name)
        assert found["unexplained"] == 0
        assert found["equal"] > found["explained"] > 0
    assert run.told["dead letter"] == 3

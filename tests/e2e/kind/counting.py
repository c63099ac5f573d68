"""What must be in the topics, by content, and what of it is: pure, so that it is tested itself."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from featurizer.features import FeatureEngine, encode
from ingestor.continuity import events
from ingestor.tick import Break, Event
from ingestor.tick import encode as encode_event
from scorer.prediction import prediction_id
from simulator.market import frames
from tests.e2e.kind.reading import Line, line_of

SHOWN = 5


@dataclass(frozen=True, slots=True)
class Market:
    """A generated market from its first second to its last."""

    seed: int
    products: tuple[str, ...]
    start: datetime
    seconds: int

    def events(self, feed: str = "expected") -> Iterator[Event]:
        """Give what the ingestor makes of it on one connection."""
        start_us = int(self.start.timestamp()) * 1_000_000
        made = frames(self.seed, self.products, start_us, self.seconds)
        return events(made, feed, self.products)


@dataclass(frozen=True, slots=True)
class Expected:
    """Content by id, the feed left out: of ticks (and Beats), and of the rows of one engine."""

    ticks: Mapping[str, str]
    rows: Mapping[str, str]


def expected_of(market: Market, feed: str) -> Expected:
    """Give what a run of the market under that feed must hold; Breaks are not content."""
    ticks, rows, engine = {}, {}, FeatureEngine()
    for event in market.events(feed):
        if not isinstance(event, Break):
            line = line_of("ticks", encode_event(event))
            ticks[line[1]] = line[3]
        if (row := engine.update(event)) is not None:
            line = line_of("features", encode(row))
            rows[line[1]] = line[3]
    return Expected(ticks, rows)


@dataclass(frozen=True, slots=True)
class Count:
    """How a topic compares with what it must hold; ids are listed, so that they can be shown.

    ``repeats`` are records whose id came before; ``unequal`` are ids whose repeats, or whose
    content, is not what it must be to the bit.
    """

    expected: int
    found: int
    repeats: int
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    unequal: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """True if nothing is missing, strange or unequal."""
        return not (self.missing or self.unexpected or self.unequal)

    def __str__(self) -> str:
        lists = {"missing": self.missing, "unexpected": self.unexpected, "unequal": self.unequal}
        wrong = "".join(
            f", {len(ids)} {name} ({', '.join(ids[:SHOWN])})" for name, ids in lists.items() if ids
        )
        return f"{self.found} of {self.expected}, {self.repeats} repeated{wrong}"


def lines_in(text: str, topic: str) -> list[Line]:
    """Read the lines of one topic from what ``reading.py`` printed."""
    lines = (json.loads(each) for each in text.splitlines())
    return [(line[0], line[1], line[2], line[3]) for line in lines if line[0] == topic]


def count(
    lines: Iterable[Line], expected: Iterable[str], content: Mapping[str, str] | None = None
) -> Count:
    """Compare records with the ids they must have, and, where it is given, with their content."""
    said: defaultdict[str, set[str]] = defaultdict(set)
    held: dict[str, str] = {}
    records = 0
    for _, name, saying, holding in lines:
        said[name].add(saying)
        held[name] = holding
        records += 1
    wanted = set(expected)
    unequal = {name for name, sayings in said.items() if len(sayings) > 1}
    if content is not None:
        unequal |= {name for name in held.keys() & content.keys() if held[name] != content[name]}
    return Count(
        len(wanted),
        len(said.keys() & wanted),
        records - len(said),
        tuple(sorted(wanted - said.keys())),
        tuple(sorted(said.keys() - wanted)),
        tuple(sorted(unequal)),
    )


def ticks_alone(lines: Iterable[Line]) -> list[Line]:
    """Leave Breaks out: one stands at each beginning, and one more where a connection was lost."""
    return [line for line in lines if not line[1].startswith("break:")]


def predictions_of(rows: Iterable[str], digest: str) -> list[str]:
    """Give the ids of the predictions that the model of that digest makes of these rows."""
    return [prediction_id(row, digest) for row in rows]


def contents(lines: Iterable[Line]) -> dict[str, str]:
    """Give the content of each id without the feed in it, to compare two runs."""
    return {without_feed(name): content for _, name, _, content in lines}


def without_feed(row_id: str) -> str:
    """Give a row's id without the run it is of: ``BTC-USD:1704067200000000:0``."""
    return ":".join(row_id.split(":")[-3:])

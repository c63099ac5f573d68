"""Spans of event time are found in a partition, whatever stands around them."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestor.topics import PREDICTIONS
from monitor.http import spans
from monitor.http.spans import Spans
from monitor.reading import backwards
from plumbing.kafka import Partition, PassedOver
from scorer.prediction import decode
from tests.featurizer.market import START, tick
from tests.monitor.world import SECOND, Log, LogReader, predicted

AT = Partition(PREDICTIONS.name, 0)
STEP = 300 * SECOND
"""Between two predictions, so that few of them stand within the slack."""


def log_of(feeds: list[int], bad: float = 0.0) -> Log:
    """Feeds one after the other, each of so many predictions; all begin at the same time."""
    log, chance = Log(partitions=1), random.Random(1)
    for feed, count in enumerate(feeds):
        for n in range(count):
            log.prediction(predicted(tick(START + n * STEP, trade_id=n, feed=f"feed-{feed}")))
            if chance.random() < bad:
                log.append(PREDICTIONS.name, "BTC-USD", b"?")
    return log


def found(log: Log, from_us: int | None, to_us: int | None) -> tuple[list[tuple[str, int]], int]:
    """What matches within the spans, newest first, and how many records they hold."""
    reader, passed, scanned, names = LogReader(log, 1, 500), PassedOver("test"), 0, []
    end = len(log.records[AT])
    decoded = Spans(reader, AT, lambda record: passed.message(record, decode))
    for low, high in decoded.newest_first(0, end, from_us, to_us):
        assert 0 <= low <= high <= end
        for record in backwards(reader, AT, low, high):
            scanned += 1
            made = passed.message(record, decode)
            if made is None or (from_us is not None and made.time_us < from_us):
                continue
            if to_us is None or made.time_us <= to_us:
                names.append((made.feed, made.time_us))
    return names, scanned


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let bisection begin with a few records."""
    monkeypatch.setattr(spans, "NEAR", 4)
    monkeypatch.setattr(spans, "LOOK", 8)


@settings(max_examples=60, deadline=None)
@given(
    feeds=st.lists(st.integers(1, 60), min_size=1, max_size=5),
    bad=st.sampled_from([0.0, 0.2]),
    first=st.none() | st.integers(-5, 65),
    last=st.none() | st.integers(-5, 65),
)
def test_nothing_that_matches_is_outside(
    feeds: list[int], bad: float, first: int | None, last: int | None
) -> None:
    """In every feed, in their order, each once."""
    log = log_of(feeds, bad)
    from_us = None if first is None else START + first * STEP
    to_us = None if last is None else START + last * STEP
    expected = [
        (f"feed-{feed}", START + n * STEP)
        for feed, count in reversed(list(enumerate(feeds)))
        for n in reversed(range(count))
        if (first is None or n >= first) and (last is None or n <= last)
    ]
    assert found(log, from_us, to_us)[0] == expected


@pytest.mark.parametrize(("first", "last"), [(4_990, None), (0, 5), (2_000, 2_010)])
def test_a_span_is_found_directly(first: int, last: int | None) -> None:
    """Of thousands of records some are looked at, wherever the span stands."""
    log = log_of([5_000])
    to_us = None if last is None else START + last * STEP
    names, scanned = found(log, START + first * STEP, to_us)
    assert len(names) <= scanned < 30


def test_without_bounds_all_is_one_span() -> None:
    """And nothing is read to find it."""
    assert found(log_of([10, 10]), None, None)[1] == 20

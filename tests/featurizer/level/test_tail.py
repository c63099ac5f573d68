"""How far back the featurizer reads what it wrote itself."""

import pytest

from featurizer.level.levels import Need
from featurizer.level.records import Bin, Day
from featurizer.level.tail import Kept, Tail
from featurizer.span import Span

BIN_US = 600_000_000
HOUR_MS = 3_600_000


def log(bins: int, run: int = 0) -> list[Kept[Bin | Day]]:
    """A record for each bin from that of the run's beginning on, and for each day."""
    found: list[Kept[Bin | Day]] = []
    for number in range(run, bins):
        named = {"feed": "f", "product_id": "P", "run_us": run * BIN_US, "cells": ()}
        found.append(Kept(1 + number * 600_000, Bin(start_us=number * BIN_US, **named)))
        if number % 144 == 143:
            day_us = number // 144 * 144 * BIN_US
            found.append(Kept(1 + number * 600_000, Day(start_us=day_us, **named)))
    return found


def read(tail: Tail[Bin | Day], kept: list[Kept[Bin | Day]]) -> int:
    """Read all that is wanted, and give the first offset of it."""
    first = len(kept)
    while tail.wanted is not None:
        first = tail.wanted.first
        tail.take(kept[tail.wanted.first : tail.wanted.end])
    return first


def test_the_first_chunk_is_read_in_any_case() -> None:
    """It says which products there were lately; nothing more is read unasked."""
    kept = log(100)
    tail: Tail[Bin | Day] = Tail(0, len(kept), 9 * 24 * HOUR_MS, chunk=10)
    assert tail.wanted == Span(90, 100)
    read(tail, kept)
    assert tail.recent(kept[-1].appended_ms) == {"P"}
    assert tail.recent(kept[-1].appended_ms + 1) == frozenset()
    assert tail.records() == [each.record for each in reversed(kept[90:])]


def test_reading_ends_with_a_record_older_than_all_that_count() -> None:
    """A day's record ends nothing: the bins of its day stand before it."""
    kept = log(20 * 144)
    tail: Tail[Bin | Day] = Tail(0, len(kept), 99 * 24 * HOUR_MS, chunk=1)
    oldest_us = 12 * 144 * BIN_US
    tail.need({"P": (Need("f", 15 * 144 * BIN_US, 0, oldest_us), oldest_us)})
    first = read(tail, kept)
    assert kept[first].record.start_us <= oldest_us
    wanted = [each.record for each in kept if each.record.start_us >= oldest_us]
    assert set(wanted) <= set(tail.records())


def test_reading_ends_at_the_beginning_of_the_run() -> None:
    """Younger than a week, nothing older of it can be there."""
    kept = [*log(1_000), *log(1_200, run=1_050)]
    tail: Tail[Bin | Day] = Tail(0, len(kept), 99 * 24 * HOUR_MS, chunk=1)
    tail.need({"P": (Need("f", 1_190 * BIN_US, 0, 0), 192 * BIN_US)})
    first = kept[read(tail, kept)].record
    assert isinstance(first, Bin) and len(kept) > 700
    assert {r for r in tail.records() if r.run_us == 1_050 * BIN_US} == {
        each.record for each in log(1_200, run=1_050)
    }


def test_reading_has_an_end() -> None:
    """At the beginning of the partition, or so far back on the broker's clock."""
    kept = log(500)
    need = {"P": (Need("g", BIN_US, 0, 0), 0)}
    tail: Tail[Bin | Day] = Tail(100, len(kept), 10**12, chunk=7)
    tail.need(need)
    assert read(tail, kept) == 100
    short: Tail[Bin | Day] = Tail(0, len(kept), 6 * HOUR_MS, chunk=7)
    short.need(need)
    assert 36 <= len(kept) - read(short, kept) <= 36 + 40
    with pytest.raises(ValueError, match="enough was read"):
        short.take([])


def test_nothing_is_read_of_an_empty_topic() -> None:
    """As after an upgrade."""
    tail: Tail[Bin | Day] = Tail(0, 0, HOUR_MS)
    tail.need({"P": (Need("f", 0, 0, 0), 0)})
    assert tail.wanted is None and tail.records() == []

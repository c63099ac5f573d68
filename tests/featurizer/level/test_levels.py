"""Runs of several products, and what a restart needs of them."""

from featurizer.level.levels import Levels
from featurizer.level.records import Minute
from featurizer.level.seeds import Seed, Seeds
from tests.featurizer.level.world import FIRST, played, quotes
from tests.featurizer.market import SECOND, beat, break_at

BTC = Seeds([Seed(product="BTC-USD", tau=6e-4, source="", days=1)])
NAMED = {"product_id": "P", "cells": (), "n": 0, "squares": 0.0}


def test_a_run_has_its_seed() -> None:
    """BTC-USD is seeded from its first event on, another product is blind."""
    levels = Levels(BTC)
    levels.begin(break_at(FIRST * SECOND, feed="coinbase"))
    levels.begin(break_at(FIRST * SECOND, product_id="ETH-USD"))
    found = [run.level for name in ("BTC-USD", "ETH-USD") if (run := levels.of(name))]
    assert [(level.tau, level.status) for level in found] == [(6e-4, "seeded"), (None, "blind")]
    levels.forget("BTC-USD")
    assert levels.of("BTC-USD") is None


def test_ticks_are_needed_from_302_s_before_the_minute_under_way() -> None:
    """Without a second there is no minute, and nothing is needed."""
    levels = played([*quotes(FIRST, FIRST + 100), break_at(FIRST * SECOND)]).levels
    assert levels.cut_us("P") == ((FIRST + 99) // 60 * 60 - 302) * SECOND
    assert levels.cut_us("BTC-USD") is None and levels.cut_us("nobody") is None


def test_the_run_is_the_feed_s_last_that_began_not_after_the_first_tick() -> None:
    """Other feeds, earlier runs of the feed and later ones are passed over; twice counts once."""
    minute = FIRST // 60 * 60
    levels = played([beat(minute + 200, product_id="P")]).levels
    need = levels.need("P", first_us=(minute - 100) * SECOND)

    def record(feed: str, run: int, start: int) -> Minute:
        return Minute(
            feed=feed, run_us=(minute + run) * SECOND, start_us=(minute + start) * SECOND, **NAMED
        )

    kept = record("f", -400, -60)
    others = [
        record("f", -9_000, -120),
        record("f", -50, 0),
        record("g", -200, -180),
        record("f", -400, 180),  # the minute under way: published, and not committed
    ]
    levels.resume({"P": need}, [*others, kept, kept])
    run = levels.of("P")
    assert run is not None and list(run.minutes.values()) == [kept]
    assert run.run_us == (minute - 400) * SECOND


def test_without_a_record_a_run_begins_with_the_first_tick_that_counts() -> None:
    """As after an upgrade: what was read back before the minute under way is not counted."""
    engine = played(quotes(FIRST, FIRST + 1_000))
    run, first_us = engine.levels.of("P"), (FIRST + 600) * SECOND
    assert run is not None and run.minutes
    engine.levels.resume({"P": engine.levels.need("P", first_us)}, [])
    assert (run.run_us, run.minutes) == (first_us, {})

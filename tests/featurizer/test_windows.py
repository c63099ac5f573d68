"""Windows kept second by second are those summed anew by ``math.fsum``, to the bit."""

from collections.abc import Iterable, Iterator
from math import fsum, log

import pytest

from featurizer.engine import FeatureEngine
from featurizer.features import FEATURES, NAMES, Feature
from featurizer.slots import MICROSECONDS, Slot, Timeline
from featurizer.statistic import LOG_RETURN, SPREAD_MEAN, Return
from featurizer.windows import LONGEST, plan_of
from ingestor.tick import Event, Tick
from tests.featurizer.market import SECOND, break_at, last_row, market, seconds, tick


def bits(values: Iterable[float | None]) -> list[str | None]:
    """Values to the bit."""
    return [None if value is None else value.hex() for value in values]


class Anew:
    """One product's rows by definition: every sum of every row is made anew of slots."""

    def __init__(self, feed: str, run_us: int) -> None:
        self.timeline, self.run_us = Timeline(feed), run_us
        self.slots: dict[int, Slot] = {}

    def take(self, event: Event) -> None:
        """Keep every slot for ever."""
        self.timeline.take(event)
        now = self.timeline.slots.current
        if now is not None:
            self.slots[now.second] = now

    def values(self) -> Iterator[float | None]:
        """The features in the second that is under way, in their order."""
        now = self.timeline.slots.current
        assert now is not None
        age = now.second - self.run_us // MICROSECONDS
        for feature in FEATURES:
            yield self._value(feature, now, age)

    def _value(self, feature: Feature, now: Slot, age: int) -> float | None:
        statistic, window = feature.statistic, feature.window
        if isinstance(statistic, Return):
            then = self.slots.get(now.second - window)
            return None if then is None else log(now.mid / then.mid)
        reach = window - 1 if statistic.with_now else window
        terms = self._terms(feature, range(now.second - reach, now.second))
        total, n = fsum(terms), len(terms)
        if window > LONGEST:
            total, n = self._of_minutes(feature, now.second)
        if statistic.with_now and (term := statistic.term(now)) is not None:
            total, n = total + term, n + 1
        return statistic.value(total, n, window) if statistic.known(n, age, window) else None

    def _terms(self, feature: Feature, reach: range) -> list[float]:
        assert not isinstance(feature.statistic, Return)
        slots = (self.slots[k] for k in reach if k in self.slots)
        return [t for slot in slots if (t := feature.statistic.term(slot)) is not None]

    def _of_minutes(self, feature: Feature, second: int) -> tuple[float, int]:
        minute, minutes = second // 60, feature.window // 60 - 1
        firsts = range((minute - minutes) * 60, minute * 60, 60)
        closed = [self._terms(feature, range(first, first + 60)) for first in firsts]
        own = self._terms(feature, range(minute * 60, second))
        return fsum([*map(fsum, closed), *own]), sum(map(len, closed)) + len(own)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.exhaustive
def test_rows_have_the_bits_of_sums_made_anew(seed: int) -> None:
    """Through gaps, Breaks, Beats, late ticks and another feed, each feature of each row."""
    engine, slow = FeatureEngine(), dict[str, Anew]()
    checked = 0
    for number, event in enumerate(market(seed, steps=2_500)):
        product = slow.get(event.product_id)
        if product is None or product.timeline.feed != event.feed:
            product = slow[event.product_id] = Anew(event.feed, event.time_us)
        row = engine.update(event)
        product.take(event)
        if row is not None and number % 7 == 0:
            assert bits(row.features.values()) == bits(product.values()), row.row_id
            checked += 1
    assert checked > 250


@pytest.mark.parametrize("gap", [1, 2, 59, 60, 298, 299, 300, 301, 5_000])
def test_a_hole_of_any_length_leaves_what_is_within_reach(gap: int) -> None:
    """Coverage and returns count the seconds that exist, on either side of the hole."""
    row = last_row(seconds(*range(1_000, 1_400), *range(1_399 + gap, 1_410 + gap)))
    before = max(0, 300 - 11 - gap + 1) if gap > 1 else 289
    assert row.coverage == (11 + before) / 300
    assert row.returns == (60 if gap == 1 else 10 + max(0, 60 - 11 - gap + 1))


def test_a_row_is_its_holders_own() -> None:
    """What is done to one row's features does not reach the next, whose quote is the same."""
    engine = FeatureEngine()
    for event in seconds(*range(400)):
        engine.update(event)
    first = engine.update(tick(399 * SECOND + 1))
    assert first is not None
    wanted = dict(first.features)
    first.features.clear()
    following = engine.update(tick(399 * SECOND + 2))
    assert following is not None and following.features == wanted


def test_a_quote_that_stands_is_not_taken_for_one_that_moved() -> None:
    """There, away, unjoined and there again: the row is that of the last event alone."""
    before, at = seconds(*range(400), bid_size=1.0, ask_size=2.0), 400 * SECOND
    sized = tick(at + 3, bid_size=1.0, ask_size=2.0)
    moves: list[Event] = [sized, tick(at + 4, 98.0), tick(at + 5), break_at(at + 6), tick(at + 7)]
    for count in range(1, len(moves) + 1):
        if isinstance(moves[count - 1], Tick):
            alone = [event for event in moves[:count] if not isinstance(event, Tick)]
            row, expected = (
                last_row([*before, *part]) for part in (moves[:count], [*alone, moves[count - 1]])
            )
            assert row.features == expected.features


def test_a_plan_has_each_statistic_once() -> None:
    """Its windows stand together, as its term is taken once; returns stand by themselves."""
    features = [Feature(s, w, 0.0, "") for w in (60, 300) for s in (SPREAD_MEAN, LOG_RETURN)]
    plan = plan_of(features)
    assert plan.names == tuple(feature.name for feature in features)
    assert plan.summed == ((SPREAD_MEAN, (("spread_mean_60s", 60), ("spread_mean_300s", 300))),)
    assert plan.returns == (("log_return_60s", 60), ("log_return_300s", 300))
    assert plan_of(FEATURES).names == NAMES

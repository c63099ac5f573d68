"""A day of what a model in units of τ sees is kept by minute, from one reading to the next."""

from math import log
from typing import Any

import pytest

from drift.day import DAY_SECONDS, Day
from drift.window import Bounds, Window, read_windows
from featurizer.features import NAMES
from featurizer.row import FeatureRow
from tests.drift.world import Topics, feature_row
from tests.monitor.world import LogReader

BTC = "BTC-USD"


def row(at: float, volatility: float = 1e-3, **more: Any) -> FeatureRow:
    """A row whose volatility of 60 s is so many log returns, others unknown."""
    features = dict.fromkeys(NAMES) | {NAMES[0]: volatility}
    return feature_row(at, **({"features": features} | more))


def taken(*rows: FeatureRow) -> Day:
    """A day that ends with the newest of some rows."""
    newest = max(rows, key=lambda each: each.time_us)
    day = Day(newest.feed, newest.time_us)
    for each in rows:
        day.take(each)
    return day


def test_inputs_are_those_of_the_model() -> None:
    """ln(rv/τ) of the windows before the first unknown one, the long ones brought to 60 s."""
    features = dict.fromkeys(NAMES, 2e-3) | {"realized_volatility_900s": None}
    (found,) = taken(feature_row(0, features=features, tau=1e-3)).founded()
    assert found == pytest.approx((log(2.0), log(2.0 * (60 / 300) ** 0.5)))


def test_the_last_row_of_a_minute_counts() -> None:
    """Of all rows of a minute the last one, in whatever order they come."""
    day = taken(row(10, 1e-3), row(59, 2e-3), row(30, 3e-3), row(60, 4e-3))
    assert day.founded() == [(pytest.approx(log(2.0)),), (pytest.approx(log(4.0)),)]


@pytest.mark.parametrize(
    "level",
    [{"tau_status": "seeded"}, {"tau_status": "provisional"}, {"tau": None}, {"tau": 0.0}],
)
def test_a_level_that_is_not_established_gives_no_inputs(level: dict[str, Any]) -> None:
    """Under a seed or a provisional level, or without any, nothing is known."""
    day = taken(row(0), row(60, **level))
    assert len(day.founded()) == 1 and not day.is_founded
    assert taken(row(0, **level), row(60)).is_founded


def test_it_ends_a_day_back_and_takes_no_other_feed() -> None:
    """What is older than 24 h of event time is not taken, and goes when the day is closed."""
    day = taken(row(60), row(60 + DAY_SECONDS - 1), row(59), row(90, feed="before"))
    assert len(day.founded()) == 2
    day.take(row(60 + DAY_SECONDS + 60))
    day.close()
    assert len(day.founded()) == len(day.minutes) == 2


def read(topics: Topics, before: dict[str, Window] | None = None) -> dict[str, Window]:
    """Read all windows, going on with the days of those before."""
    days = {name: window.day for name, window in (before or {}).items()}
    return read_windows(LogReader(topics, most=500), Bounds(), days)


def test_a_reading_goes_back_a_day_and_the_next_one_goes_on() -> None:
    """The first reading finds the whole day; the next one only reads what came, and an hour."""
    topics = Topics(partitions=1)
    for minute in range(0, 26 * 60, 3):
        topics.row(row(60 * minute))
    first = read(topics)
    assert len(first[BTC].day.founded()) == 24 * 20 and len(first[BTC].rows) == 20
    topics.row(row(60 * 26 * 60, 2e-3))
    again = read(topics, first)[BTC].day
    assert len(again.founded()) == 24 * 20 and again.founded()[-1][0] == pytest.approx(log(2.0))
    assert again is first[BTC].day


def test_another_feed_begins_a_day_of_its_own() -> None:
    """Rows of the feed before do not count, also where they were kept."""
    topics = Topics(partitions=1)
    for minute in range(60):
        topics.row(row(60 * minute, feed="before"))
    before = read(topics)
    topics.row(row(60 * 60))
    assert len(read(topics, before)[BTC].day.founded()) == 1

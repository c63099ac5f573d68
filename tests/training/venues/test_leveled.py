"""Seconds with their level are those of the service, and of the label that follows its rows."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from featurizer.engine import FeatureEngine
from featurizer.labels import MidLog
from featurizer.level.level import STATUSES
from featurizer.slots import MICROSECONDS
from ingestor.tick import Event
from training.venues.leveled import (
    NO_SLOT,
    LeveledSeconds,
    days_of,
    level_seconds,
    volatility_ahead,
)
from training.venues.trades import Trades, events_of

Market = Callable[..., pd.DataFrame]


@pytest.fixture(scope="module")
def events(market: Market) -> list[Event]:
    """Three hours of a generated market that hold a break of two minutes."""
    frame = market(3.0)
    second = frame["time_us"].to_numpy() // MICROSECONDS
    frame = frame[(second < second[0] + 6000) | (second > second[0] + 6120)]
    time_us, price = frame["time_us"].to_numpy(), frame["price"].to_numpy()
    broken = np.diff(time_us, prepend=time_us[0]) > 60 * MICROSECONDS
    return list(events_of(Trades(time_us, price, broken), "v@f", "BTC-USD"))


@pytest.fixture(scope="module")
def seconds(events: list[Event]) -> LeveledSeconds:
    """Their seconds."""
    return level_seconds(events)


def test_levels_are_those_that_the_service_has(
    events: list[Event], seconds: LeveledSeconds
) -> None:
    """Each second has the τ and the status that the engine has after its event, to the bit."""
    engine = FeatureEngine()
    at = {int(second): place for place, second in enumerate(seconds.second)}
    for event in events:
        engine.restore(event)
        run = engine.levels.of("BTC-USD")
        assert run is not None
        if run.second >= 0:
            place = at[run.second]
            assert STATUSES[seconds.status[place]] == run.level.status
            tau = None if np.isnan(seconds.tau[place]) else seconds.tau[place]
            if event.time_us // MICROSECONDS == run.second:
                assert tau == run.level.tau
    assert {"blind", "provisional"} == {STATUSES[s] for s in seconds.status if s != NO_SLOT}


def test_what_follows_is_the_label(events: list[Event], seconds: LeveledSeconds) -> None:
    """It is the label of each Tick, and none where the label has a reason."""
    log, ahead, labelled = MidLog(20_000), volatility_ahead(seconds), 0
    for event in events:
        log.update(event)
    for event in (e for e in events if hasattr(e, "price")):
        label = log.label(event.time_us, event.mid)
        if label is not None:
            place = event.time_us // MICROSECONDS - int(seconds.second[0])
            if label.volatility is None:
                assert np.isnan(ahead[place])
            else:
                labelled += 1
                assert ahead[place] == pytest.approx(label.volatility, rel=1e-12)
    assert labelled > 6000


def test_a_break_leaves_seconds_without_a_slot(seconds: LeveledSeconds) -> None:
    """They have no return, no level and no label, and no return crosses them."""
    hole = np.flatnonzero(seconds.status == NO_SLOT)
    assert len(hole) >= 119 and np.all(np.diff(hole) == 1)
    assert np.isnan(seconds.log_return[[*hole, hole[-1] + 1]]).all()
    assert np.isnan(seconds.tau[hole]).all()
    assert np.isnan(volatility_ahead(seconds)[[*hole, hole[0] - 1, hole[0] - 60]]).all()


def test_nothing_later_changes_a_level(events: list[Event], seconds: LeveledSeconds) -> None:
    """The first hour and a half alone has the same τ."""
    early = level_seconds(events[:5400])
    n = len(early) - 1
    assert np.array_equal(early.tau[:n], seconds.tau[:n], equal_nan=True)


def test_days_are_of_utc(seconds: LeveledSeconds) -> None:
    """The generated market begins at a midnight."""
    assert set(days_of(seconds)) == {seconds.second[0] // 86_400}
    assert seconds.run_us // MICROSECONDS == seconds.second[0]

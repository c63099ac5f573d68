"""The four windows in one go are the definition, second by second."""

from collections.abc import Callable
from math import fsum, isnan, nan, sqrt

import numpy as np
import pandas as pd
import pytest

from featurizer.engine import FeatureEngine
from featurizer.level.level import STATUSES
from featurizer.slots import MICROSECONDS
from serving.relative import WINDOWS
from training.venues.leveled import NO_SLOT, LeveledSeconds, level_seconds
from training.venues.trades import Trades, events_of
from training.venues.windows import LAMBDA, realized_volatilities, weighted_volatility

Market = Callable[..., pd.DataFrame]
FIRST = 1_700_006_423
"""Not the beginning of a minute."""


def seconds_of(log_return: list[float]) -> LeveledSeconds:
    """Return seconds with these returns; those without one, but the first, have no slot."""
    returns = np.array(log_return)
    status = np.where(np.isnan(returns), NO_SLOT, STATUSES.index("blind")).astype(np.int8)
    status[0] = STATUSES.index("blind")
    every = np.arange(FIRST, FIRST + len(returns))
    return LeveledSeconds(every, returns, np.full(len(returns), nan), status, FIRST * MICROSECONDS)


def defined(seconds: LeveledSeconds, at: int, window: int) -> float:
    """Return one window of one second, as ``signal.md`` has it."""
    second = int(seconds.second[at])
    first = second - window + 1
    if window >= 900:
        first = (second // 60 - window // 60 + 1) * 60
    begin = max(0, first - int(seconds.second[0]))
    found = [r for r in seconds.log_return[begin : at + 1].tolist() if not isnan(r)]
    if len(found) < 20 or second < seconds.run_us // MICROSECONDS + window / 3:
        return nan
    return sqrt(window / len(found) * fsum(r * r for r in found))


def test_windows_are_the_definition() -> None:
    """Two hours with holes, one of them of ten minutes."""
    chance = np.random.default_rng(3)
    returns = 1e-4 * chance.normal(size=7200)
    returns[[0, *chance.integers(0, 7200, 50), *range(3000, 3600)]] = np.nan
    seconds = seconds_of(returns.tolist())
    found = realized_volatilities(seconds)
    for at in chance.integers(1, 7200, 400).tolist():
        if seconds.status[at] == NO_SLOT:
            assert np.isnan(found[at]).all()
            continue
        expected = [defined(seconds, at, window) for window in WINDOWS]
        assert found[at].tolist() == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_on_a_cold_start_windows_become_known_one_after_the_other() -> None:
    """After 20, 100, 300 and 1200 seconds."""
    found = realized_volatilities(seconds_of([nan] + [1e-4] * 1300))
    known = [int(np.flatnonzero(~np.isnan(found[:, column]))[0]) for column in range(4)]
    assert known == [20, 100, 300, 1200]
    assert found[1250].tolist() == pytest.approx([1e-4 * sqrt(window) for window in WINDOWS])


def test_after_a_hole_all_are_known_again_at_once() -> None:
    """Ten minutes without a second: 19 returns later none of 60 s, 20 later all four."""
    found = realized_volatilities(seconds_of([nan] + [1e-4] * 3000 + [nan] * 600 + [1e-4] * 30))
    assert np.isnan(found[3001 + 600 + 18, 0])
    assert not np.isnan(found[3001 + 600 + 19]).any()


def test_windows_are_those_of_the_rows(market: Market) -> None:
    """A second's last row of the service has the same, but for the last digits."""
    frame = market(0.5)
    time_us, price = frame["time_us"].to_numpy(), frame["price"].to_numpy()
    events = list(events_of(Trades(time_us, price, np.zeros(len(price), bool)), "v@f", "BTC-USD"))
    found, engine = realized_volatilities(level_seconds(events)), FeatureEngine()
    rows = [row for row in map(engine.update, events) if row is not None]
    for row in rows:
        values = [row.features[f"realized_volatility_{window}s"] for window in WINDOWS]
        expected = [nan if value is None else value for value in values]
        ours = found[row.second - rows[0].second].tolist()
        assert ours == pytest.approx(expected, rel=1e-9, nan_ok=True)


def test_the_weighted_volatility_is_its_definition() -> None:
    """Each known return weighs by its age, a minute ago 0.94; a hole only makes all older."""
    chance = np.random.default_rng(5)
    returns = 1e-4 * chance.normal(size=600)
    returns[[0, *range(200, 290)]] = np.nan
    found = weighted_volatility(seconds_of(returns.tolist()))
    assert np.isnan(found[0])
    for at in (1, 199, 250, 599):
        ages = [at - k for k in range(at + 1) if not isnan(returns[k])]
        weights = [LAMBDA ** (age / 60) for age in ages]
        squares = [w * returns[at - age] ** 2 for w, age in zip(weights, ages, strict=True)]
        assert found[at] == pytest.approx(sqrt(60 * fsum(squares) / fsum(weights)), rel=1e-9)

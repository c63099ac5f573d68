"""Forecasts of days that were not learned from: nothing of the future, nothing of the day."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.training.made_up import DAY, made_up
from training.errors import FitError
from training.models.relative import fit_relative
from training.venues.examples import Examples, examples_of, joined
from training.venues.forecasts import (
    leave_one_out,
    score_days,
    transfer,
    walk_forward,
)
from training.venues.leveled import LeveledSeconds, level_seconds
from training.venues.trades import Trades, events_of


def test_each_day_is_forecast_by_the_days_before_it() -> None:
    """What came on a day, or after it, does not change its forecast."""
    examples = made_up()
    found = walk_forward(examples).score
    assert np.unique(found.part).tolist() == [DAY + k for k in range(1, 6)]
    at = examples.part >= DAY + 3
    other = replace(examples, ahead=np.where(at, 9.0, examples.ahead))
    again = walk_forward(other).score
    same = found.part <= DAY + 3
    assert np.array_equal(found.model[same], again.model[same])
    assert not np.array_equal(found.model[~same], again.model[~same])


def test_a_minute_that_ends_after_midnight_is_not_learned_from() -> None:
    """The label of the last minute of a day is known when the next has begun."""
    examples = made_up(days=2, a_day=1440)
    last = np.flatnonzero(examples.part == DAY)[-1]
    ahead = examples.ahead.copy()
    ahead[last] = 1000.0
    found, again = walk_forward(examples), walk_forward(replace(examples, ahead=ahead))
    assert np.array_equal(found.score.model, again.score.model)


def test_a_transfer_knows_nothing_of_what_it_forecasts() -> None:
    """Its base rate is that of what was learned from."""
    learned, tested = made_up(seed=1), made_up(seed=2)
    found = transfer(learned, tested)
    assert np.array_equal(found.score.came, tested.spikes)
    assert np.array_equal(found.severe.came, tested.severe)
    assert set(found.score.base) == {fit_relative(learned.thinned(10)).base[0]}


def test_each_part_is_left_out_once() -> None:
    """What is learned from is made of the others."""
    seen: list[list[int]] = []

    def learned(rest: Examples) -> Examples:
        seen.append(np.unique(rest.part).tolist())
        return joined("all", [rest, made_up(seed=9)])

    found = leave_one_out(made_up(days=3), learned)
    assert seen == [[DAY + 1, DAY + 2], [DAY, DAY + 2], [DAY, DAY + 1]]
    assert len(found.score.came) == 1800


def test_a_single_day_is_refused() -> None:
    """There is nothing before it."""
    with pytest.raises(FitError, match="found 1 parts, expected two or more"):
        walk_forward(made_up(days=1))


@pytest.fixture(scope="module")
def leveled(market: Callable[..., pd.DataFrame]) -> dict[str, LeveledSeconds]:
    """Two venues, years apart, of two days each; the first has a hole of two minutes."""
    found = {}
    for seed, name in enumerate(("here", "there")):
        frame = market(20.0, seed=seed, start=DAY * 86_400 * (1 + seed) - 12 * 3600)
        time_us, price = frame["time_us"].to_numpy(), frame["price"].to_numpy()
        at = time_us - time_us[0]
        kept = (at < 50_000_000_000) | (at > 50_120_000_000) | (seed > 0)
        time_us, price = time_us[kept], price[kept]
        broken = np.diff(time_us, prepend=time_us[0]) > 60_000_000
        found[name] = level_seconds(events_of(Trades(time_us, price, broken), name, "BTC-USD"))
    return found


def test_each_day_of_a_venue_has_what_its_predictions_would_have(
    leveled: dict[str, LeveledSeconds],
) -> None:
    """Unknown minutes ahead or not; a break stands before the first volatility after it."""
    model = fit_relative(made_up(20))
    days = [day for name, each in leveled.items() for day in score_days(model, name, each)]
    assert [(d.venue, d.day) for d in days] == [
        ("here", DAY - 1),
        ("here", DAY),
        ("there", 2 * DAY - 1),
        ("there", 2 * DAY),
    ]
    last = days[-1]
    assert last.second[-1] == leveled["there"].second[-1]
    assert np.isnan(last.ahead[-60:]).all() and not np.isnan(last.ahead[:-60]).any()
    assert np.all((last.severe <= last.score) & (last.score < 1.0))
    assert [int(day.after_break.sum()) for day in days] == [0, 1, 0, 0]
    at = int(np.flatnonzero(days[1].after_break)[0])
    # 20 returns after the hole there is a volatility again.
    assert days[1].second[at] - days[1].second[at - 1] > 120


def test_a_day_is_stepped_as_the_machine_does(leveled: dict[str, LeveledSeconds]) -> None:
    """The last second is still under way; those in the hole are blind."""
    day = list(score_days(fit_relative(made_up(20)), "here", leveled["here"]))[1]
    assert len(day.seconds) == day.second[-1] - day.second[0]
    assert int(day.seconds.covered.sum()) == len(day.second) - 1


def test_days_are_scored_by_a_model_from_elsewhere(leveled: dict[str, LeveledSeconds]) -> None:
    """By the same one on every day, and on all seconds that have a level."""
    model = fit_relative(made_up(20))
    days = list(score_days(model, "here", leveled["here"]))
    examples = examples_of("here", leveled["here"], labelled=False)
    score = np.concatenate([day.score for day in days])
    assert np.array_equal(score, model.chances(examples).score)

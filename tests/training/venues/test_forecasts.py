"""Forecasts of days that were not learned from: nothing of the future, nothing of the day."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.made_up import DAY, made_up
from training.errors import FitError
from training.venues.examples import Examples, joined
from training.venues.fit import fit_relative
from training.venues.forecasts import leave_one_out, transfer, walk_forward


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

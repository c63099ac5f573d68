"""Gains with intervals over whole days, and verdicts that few days do not bear."""

import numpy as np
import pytest

from tests.training.made_up import DAY, made_up
from training.venues.forecasts import transfer, walk_forward
from training.venues.paired import (
    FEWEST,
    UNDECIDED,
    brier,
    day_name,
    forecast_figures,
    gain,
    learned_gain,
    log_loss,
)


def parts(days: int, a_day: int = 50) -> np.ndarray:
    """Return days of equal length."""
    return np.repeat(np.arange(DAY, DAY + days), a_day)


def test_losses_are_those_of_the_books() -> None:
    """0.8 said: 0.04 and −ln 0.8 where it came, 0.64 and −ln 0.2 where it did not."""
    came, said = np.array([True, False]), np.array([0.8, 0.8])
    assert brier(came, said) == pytest.approx([0.04, 0.64])
    assert log_loss(came, said) == pytest.approx([-np.log(0.8), -np.log(0.2)])


def test_a_gain_on_every_day_is_decided() -> None:
    """All days alike give an interval without width."""
    found = gain(np.full(300, 0.01), parts(6), day_name)
    assert (found["value"], found["low"], found["high"]) == (0.01, 0.01, 0.01)
    assert found["verdict"] == "better"
    assert list(found["by_part"])[:2] == ["2023-11-15", "2023-11-16"]
    assert gain(np.full(300, -0.01), parts(6), day_name)["verdict"] == "worse"


def test_few_days_decide_nothing() -> None:
    """No interval is given either; each day is."""
    found = gain(np.full(50 * (FEWEST - 1), 0.01), parts(FEWEST - 1), day_name)
    assert (found["low"], found["high"], found["verdict"]) == (None, None, UNDECIDED)
    assert list(found["by_part"].values()) == [0.01] * (FEWEST - 1)


def test_an_interval_around_zero_decides_nothing() -> None:
    """Seconds are many, days that differ are few: these are what is drawn."""
    each = np.repeat([0.03, -0.02, 0.02, -0.03, 0.01, 0.0], 50)
    found = gain(each, parts(6), day_name)
    assert found["low"] < 0 < found["high"]
    assert found["verdict"] == UNDECIDED


def test_the_hour_s_window_gains_where_it_matters_and_nowhere_else() -> None:
    """Where 60 s are all there is to know, nothing is decided, or next to nothing is lost."""
    found = forecast_figures(walk_forward(made_up(12)).score, day_name)
    assert found["brier"]["gain"]["verdict"] == found["log_loss"]["gain"]["verdict"] == "better"
    assert found["brier"]["model"] < found["brier"]["rule"] < found["brier"]["base"]
    assert (found["parts"], found["seconds"]) == (11, 6600)
    flat = forecast_figures(walk_forward(made_up(12, long=0.0)).score, day_name)
    assert flat["brier"]["gain"]["verdict"] != "better"


def test_one_learning_is_held_beside_another() -> None:
    """A model against itself gains nothing; what learned another market loses."""
    tested = made_up(8, seed=4)
    good = transfer(made_up(8, seed=5), tested).score
    wrong = transfer(made_up(8, seed=6, long=0.0), tested).score
    assert learned_gain(good, good, day_name)["brier"]["value"] == 0.0
    assert learned_gain(good, wrong, day_name)["log_loss"]["verdict"] == "better"


def test_intervals_are_the_same_again() -> None:
    """The draws have a fixed seed."""
    each = np.random.default_rng(1).normal(size=300)
    assert gain(each, parts(6), day_name) == gain(each, parts(6), day_name)

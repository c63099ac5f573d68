"""Chances are judged where the next minute is known, the calm seconds also by themselves."""

from dataclasses import replace

import numpy as np
import pytest

from tests.training.events.days import day
from training.events.chances import chance_figures, figures_of, gains, plain_figures


def wild(seconds: int = 4_000) -> np.ndarray:
    """Return a volatility that is at τ from second 1,000 to 1,199."""
    found = np.full(seconds, 0.5)
    found[1_000:1_200] = 1.5
    return found


def test_seconds_whose_next_minute_is_known_count() -> None:
    """All but the last 60; what came is whether it reached τ."""
    found = chance_figures([day(0.01, score=0.1, volatility=wild())], 1, True)["all"]
    assert (found["n"], found["said"]) == (3_940, pytest.approx(0.1))
    assert found["came"] == 200 / 3_940
    assert [each["n"] for each in found["bins"]] == [3_940]


def test_calm_seconds_are_those_an_onset_may_come_after() -> None:
    """From 300 quiet seconds on, in both stretches; 60 of the first lead into the spike."""
    calm = chance_figures([day(0.01, volatility=wild())], 1, False)["calm"]
    assert calm["n"] == (1_000 - 299) + (3_940 - 1_200 - 299)
    assert calm["came"] == 60 / calm["n"]
    assert "bins" not in calm


def test_the_plain_rule_says_whether_it_is_so_already() -> None:
    """It is right in 140 of 200 seconds, and wrong before and after."""
    found = plain_figures([day(0.01, volatility=wild())], 1)["all"]
    assert found["said"] == found["came"] == 200 / 3_940
    assert found["brier"] == pytest.approx(120 / 3_940)
    assert found["log_loss"] is None


def test_the_second_level_has_its_own_chance_and_event() -> None:
    """Nothing reached 2τ, and what is said is the severe chance."""
    found = chance_figures([day(0.02, volatility=wild())], 2, False)["all"]
    assert (found["said"], found["came"]) == (pytest.approx(0.02), 0.0)


def test_a_gain_is_the_loss_of_the_other_row_less_the_own_by_days() -> None:
    """Of chances of nothing that came, 0.1 is better than 0.2 by 0.03 on each of five days."""
    model = [replace(day(0.01, score=0.1), day=number) for number in range(5)]
    other = [replace(day(0.01, score=0.2), day=number) for number in range(5)]
    found = gains(model, other, 1)["brier"]
    assert found["value"] == pytest.approx(0.03)
    assert (found["verdict"], len(found["by_part"])) == ("better", 5)


def test_figures_without_seconds_are_null() -> None:
    """None are made up."""
    found = figures_of(np.zeros(0), np.zeros(0, np.bool_), False)
    assert (found["n"], found["brier"]) == (0, None)

"""Budgets are kept or not kept by counts, of each venue apart."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from signals.budgets import DAY, Load
from tests.training.events.days import day
from training.errors import FitError
from training.events.judged import judged, within_factor_two, within_interval
from training.events.rivals import MODEL, RV60
from training.venues.forecasts import ScoredDay


def events(model: list[ScoredDay], rv60: list[ScoredDay] | None = None) -> dict[str, Any]:
    """Judge days by the model's scores, and by those of rv60 if these are others."""
    return judged({MODEL: model, RV60: rv60 or model})


@pytest.mark.parametrize(
    ("starts", "interval", "factor"), [(40, True, True), (25, False, True), (90, False, False)]
)
def test_a_budget_is_kept_by_its_interval_and_within_a_factor_of_two(
    starts: int, interval: bool, factor: bool
) -> None:
    """Ten days of 4 a day are 40 starts."""
    load = Load(starts, 0, 10 * DAY)
    assert within_interval(load, 4) == interval
    assert within_factor_two(load, 4) == factor


def test_default_budgets_that_are_refused_are_named() -> None:
    """Always above every θ of level 2 is one start in a short day, which is too many."""
    with pytest.raises(FitError, match="found default budgets that are refused"):
        events([day(1.0), day(1.0)])


@pytest.mark.exhaustive
def test_a_row_without_default_budgets_has_its_chances_alone() -> None:
    """The model's figures stand, those of the other row are null."""
    quiet = [replace(day(0.01, 90_000), venue=name) for name in "AB"]
    found = events(quiet, [replace(each, severe=0.0 * each.severe + 0.999) for each in quiet])
    spikes = found["levels"]["spike"]
    assert spikes["kept"][RV60] is None
    assert spikes["venues"]["A"]["rows"][RV60] is None
    assert spikes["venues"]["A"]["chances"][RV60]["all"]["said"] == pytest.approx(0.999)
    assert spikes["venues"]["A"]["rows"][MODEL]["events"]["starts"] == 0


@pytest.mark.exhaustive
def test_days_of_two_venues_have_tables_of_their_own() -> None:
    """Nothing starts a spike, so the budget is not kept, and is said not to be."""
    quiet = day(0.01, 90_000)
    found = events([replace(quiet, venue="A"), replace(quiet, venue="B")])
    spikes = found["levels"]["spike"]
    assert list(spikes["venues"]) == ["A", "B"]
    assert [each["rows"][MODEL]["events"]["starts"] for each in spikes["venues"].values()] == [0, 0]
    assert not spikes["kept"][MODEL]["interval_contains_budget"]


@pytest.mark.exhaustive
def test_rule_and_always_stand_beside_the_model() -> None:
    """In the same seconds: what never reaches τ starts nothing by the rule, always is one run."""
    quiet = day(0.01, 90_000)
    found = events([replace(quiet, venue="A"), replace(quiet, venue="B")])
    rows = found["levels"]["elevated"]["venues"]["A"]["rows"]
    beside = {row: figures["events"] for row, figures in rows.items()}
    assert (beside["rule"]["starts"], beside["always"]["starts"]) == (0, 1)
    assert beside["rule"]["onsets"] == beside[MODEL]["onsets"] == 0


@pytest.mark.exhaustive
def test_a_day_is_judged_by_the_thresholds_of_the_others() -> None:
    """A day of 150 short spikes raises the θ of all days, and not the one it is judged by."""
    quiet = day(0.01, 90_000)
    wild = replace(quiet, severe=np.where(quiet.second % 600 < 5, 0.3, 0.01))
    found = events([replace(quiet, day=1), replace(wild, day=2), replace(quiet, day=3)])
    assert found["thresholds"][MODEL]["spike"]["4"]["theta"] > 0.3
    assert found["levels"]["spike"]["kept"][MODEL]["starts"] == 150


@pytest.mark.exhaustive
def test_what_is_ahead_is_beside_chance_day_by_day() -> None:
    """Four onsets, one of them a minute after a spike began, which stood in few calm seconds."""
    volatility = np.full(90_000, 0.5)
    volatility[10_000:50_000:10_000] = 2.5
    model = day(0.01, 90_000, volatility=volatility)
    model = replace(model, severe=np.where(np.abs(model.second - 9_970) < 30, 0.9, model.severe))
    quiet = replace(day(0.01, 90_000), day=2)
    found = events([model, quiet])["levels"]["spike"]["venues"]["V"]
    assert found["by_day"]["1970-01-01"]["ahead"] == 0.25
    gain = found["rows"][MODEL]["ahead_of_chance"]
    assert gain["by_part"] == {"1970-01-01": pytest.approx(0.25, abs=0.002)}
    assert (gain["low"], gain["verdict"]) == (None, "not decidable")

"""Chances beside what came: by product, variant and event, hour by hour, for seven days."""

from typing import Any

import pytest
from msgspec.structs import replace

from monitor.forecast_record import HOUR_US, ForecastRecord, Said
from monitor.outcome import Outcome
from scorer.prediction import Prediction, Shadow
from tests.featurizer.market import START, tick
from tests.monitor.world import TAU, predicted

SHADOW = Shadow(
    model_variant="baseline",
    version="v",
    digest="d",
    score=0.4,
    threshold=None,
    spike=None,
    severe=None,
)


def told(hour: int, volatility: float | None, **more: Any) -> tuple[Prediction, Outcome]:
    """Return a prediction of an hour after the start, and its outcome in units of τ."""
    at = tick(START + hour * HOUR_US, trade_id=1, product_id=more.pop("product_id", "BTC-USD"))
    made = predicted(at, **{"shadows": [], **more})
    outcome = Outcome(
        prediction_id=made.prediction_id,
        row_id=made.row_id,
        feed=made.feed,
        product_id=made.product_id,
        time_us=made.time_us,
        label=None if volatility is None else volatility >= 1.0,
        realized_volatility=None if volatility is None else volatility * TAU,
        matured_us=made.time_us,
        reason=None,
        tau=made.tau,
        coverage=1.0,
        last_of_second=True,
        model_variant=made.model_variant,
        score=made.score,
        spike=made.spike,
    )
    return made, outcome


def kept(hours: int, *pairs: tuple[Prediction, Outcome]) -> dict[tuple[str, str], Said]:
    """Return what is said of BTC-USD's last hours, by variant and event."""
    record = ForecastRecord()
    for pair in pairs:
        record.add(*pair)
    return {(said.variant, said.event): said for said in record.last(hours)}


def test_each_chance_stands_beside_what_came() -> None:
    """2τ for severe; a shadow has its own, and what it does not say is not counted."""
    found = kept(
        24,
        told(0, 1.5, score=0.5, severe=0.2, shadows=[SHADOW]),
        told(0, 2.5, score=0.7, severe=0.4),
    )
    score, severe = (found["ml", event].figures for event in ("score", "severe"))
    assert (score.n, score.said, score.came) == (2, pytest.approx(0.6), 1.0)
    assert (severe.n, severe.said, severe.came) == (2, pytest.approx(0.3), 0.5)
    assert found["baseline", "score"].figures.n == 1
    assert ("baseline", "severe") not in found


def test_what_said_nothing_or_has_no_outcome_is_not_counted() -> None:
    """No score, no volatility, no τ."""
    assert kept(24, told(0, 1.5, score=None)) == {}
    assert kept(24, told(0, None)) == {}
    assert kept(24, told(0, 1.5, tau=None)) == {}


def test_hours_are_counted_back_from_the_newest() -> None:
    """Beyond seven days nothing is kept."""
    pairs = [told(hour, 1.5) for hour in (0, 5, 100, 170)]
    counts = {hours: kept(hours, *pairs)["ml", "score"].figures.n for hours in (1, 24, 71, 168)}
    assert counts == {1: 1, 24: 1, 71: 2, 168: 3}
    record = ForecastRecord()
    for pair in pairs:
        record.add(*pair)
    record.forget("BTC-USD")
    assert list(record.last(168)) == []


def test_another_product_is_another_record() -> None:
    """Its newest hour is its own."""
    other = told(0, 1.5)
    pair = replace(other[0], product_id="ETH-USD"), replace(other[1], product_id="ETH-USD")
    record = ForecastRecord()
    record.add(*told(100, 1.5))
    record.add(*pair)
    assert [(said.product_id, said.figures.n) for said in record.last(24)] == [
        ("BTC-USD", 1),
        ("ETH-USD", 1),
    ]


def test_all_products_are_one_figure_and_each_has_its_own() -> None:
    """A second of each counts once; hours are each product's own."""
    record = ForecastRecord()
    for hour, product, came in ((0, "BTC-USD", 0.5), (1, "BTC-USD", 1.5), (300, "ETH-USD", 0.5)):
        record.add(*told(hour, came, score=0.4, severe=0.1, product_id=product))
    week = record.week()
    found = {(each.variant, each.event): each for each in week.over_all}
    assert set(found) == {("ml", "score"), ("ml", "severe")}
    score = found["ml", "score"]
    assert (score.figures.n, score.hours) == (3, 168)
    assert score.figures.brier == pytest.approx((0.16 + 0.36 + 0.16) / 3)
    own = {(each.product_id, each.event): each.figures.n for each in week.by_product}
    assert own["BTC-USD", "score"] == 2 and own["ETH-USD", "score"] == 1
    assert [each.figures.n for each in record.over_all(1)] == [2, 2]

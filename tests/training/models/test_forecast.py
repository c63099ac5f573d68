"""The estimators of our own: what they learn, and what they say of a market never seen."""

import numpy as np
import pytest
from scipy.special import expit

from training.models.forecast import FLOOR, Ewma, Rule, ShareLogistic, VolatilityForecast, Weights

CHANCE = np.random.default_rng(5)
LOGS = CHANCE.normal(-8.0, 0.7, (3000, 2))
ERRORS = CHANCE.normal(0.0, 0.4, 3000)


@pytest.mark.parametrize(
    ("weights", "expected"), [("last", (1, 0)), ("equal", (0.5, 0.5)), ("fitted", (0.3, 0.7))]
)
def test_weights_sum_to_one(weights: Weights, expected: tuple[float, float]) -> None:
    """Given weights stand, and fitted ones are found."""
    model = VolatilityForecast(weights).fit(LOGS, None, excess=LOGS @ (0.3, 0.7) + 8 + ERRORS)
    assert model.coef_ == pytest.approx(expected, abs=0.03)
    assert model.coef_.sum() == pytest.approx(1.0)


def test_level_and_spread_are_the_errors() -> None:
    """The level is the mean error, the spread that of the logistic as wide as the errors."""
    model = VolatilityForecast().fit(LOGS, None, excess=LOGS.mean(axis=1) + 0.2 + ERRORS)
    assert model.level_ == pytest.approx(0.2 + ERRORS.mean())
    assert model.spread_ * np.pi / np.sqrt(3) == pytest.approx(ERRORS.std())


@pytest.mark.parametrize("weights", ["last", "equal", "fitted"])
def test_a_market_twice_as_wild_is_forecast_twice_as_high(weights: Weights) -> None:
    """Doubling both volatilities moves the forecast by ln 2, far beyond what was seen too."""
    model = VolatilityForecast(weights).fit(LOGS, None, excess=LOGS @ (0.3, 0.7) + ERRORS)
    far = LOGS[:50] + 20.0
    moved = model.decision_function(far + np.log(2)) - model.decision_function(far)
    assert moved * model.spread_ == pytest.approx(np.log(2))


def test_a_fitted_weight_never_leaves_zero_to_one() -> None:
    """What a calm hour suggests against all reason is cut."""
    wrong = VolatilityForecast("fitted").fit(LOGS, None, excess=LOGS @ (-0.5, 1.5))
    assert wrong.coef_.tolist() == [0.0, 1.0]
    flat = VolatilityForecast("fitted").fit(np.zeros((9, 2)), None, excess=np.zeros(9))
    assert flat.coef_.tolist() == [0.5, 0.5]


def test_the_textbook_form_is_free() -> None:
    """The plain regression finds any weights."""
    model = VolatilityForecast("free").fit(LOGS, None, excess=LOGS @ (0.2, 0.1) + ERRORS)
    assert model.coef_ == pytest.approx((0.2, 0.1), abs=0.03)


def test_its_probabilities_come_true() -> None:
    """On rows like those learned from, what is said comes."""
    excess = LOGS.mean(axis=1) + 8 + ERRORS
    model = VolatilityForecast().fit(LOGS, None, excess=excess)
    said = model.predict_proba(LOGS)[:, 1]
    assert said.mean() == pytest.approx((excess >= 0).mean(), abs=0.01)
    assert (model.predict(LOGS) == (said > 0.5)).all()


def test_an_exponential_curve_lies_between_its_windows() -> None:
    """A short half-life is the last minute, a long one all five of them."""
    logs = np.log([[4e-4, 5e-4]])
    before = np.sqrt((5e-4**2 - 4e-4**2) / 4)
    assert Ewma(1.0).fit(logs).transform(logs)[0] == pytest.approx(np.log(4e-4), abs=1e-6)
    even = np.sqrt((4e-4**2 + 4 * before**2) / 5)
    assert Ewma(1e9).transform(logs)[0] == pytest.approx(np.log(even), abs=1e-6)
    assert Ewma().transform(np.full((1, 2), -99.0))[0] == pytest.approx(np.log(FLOOR))


def test_the_baselines_mean_score_is_the_share() -> None:
    """The slope is 1, the offset such that as much is said as came."""
    z, spikes = CHANCE.normal(size=(500, 1)), np.arange(500) < 60
    model = ShareLogistic().fit(z, spikes)
    assert model.predict_proba(z)[:, 1].mean() == pytest.approx(0.12, abs=1e-9)
    assert model.coef_.tolist() == [[1.0]]


def test_the_rule_stands_at_one_half_where_volatility_is_tau() -> None:
    """The odds are rv60 : τ."""
    model = Rule(np.log(7e-4)).fit([[0.0]])
    odds = model.decision_function(np.log([[7e-4], [1.4e-3]]))
    assert odds == pytest.approx([0.0, np.log(2)])
    assert model.predict_proba(np.log([[7e-4]]))[0, 1] == pytest.approx(expit(0.0))

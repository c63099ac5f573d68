"""Figures of known rows."""

import numpy as np
import pytest

from signals.probabilities import Sums, probabilities
from training.data.rows import Table
from training.evaluation.measures import (
    NOT_QUOTABLE,
    ScoredRows,
    expected_calibration_error,
    figures,
    reliability,
    rule,
)


def test_figures_of_known_rows() -> None:
    """Each figure is what its name says."""
    spikes = np.array([True, False, False, True, False])
    scored = ScoredRows(
        np.array([0.9, 0.8, 0.1, 0.7, 0.2]), np.array([True, True, False, False, False])
    )
    found = figures(spikes, scored, probabilities=True)
    assert found["prevalence"] == 0.4
    assert found["pr_auc"] == pytest.approx((1 / 1 + 2 / 3) / 2, abs=1e-6)
    assert found["pr_auc_lift"] == pytest.approx(found["pr_auc"] / 0.4, abs=1e-5)
    assert found["roc_auc"] == pytest.approx(5 / 6, abs=1e-6)
    brier = (0.01 + 0.64 + 0.01 + 0.09 + 0.04) / 5
    assert found["brier"] == pytest.approx(brier)
    assert found["brier_skill"] == pytest.approx(1 - brier / 0.24, abs=1e-6)
    assert found["ece"] == pytest.approx((0.1 + 0.8 + 0.1 + 0.3 + 0.2) / 5)
    assert (found["precision"], found["recall"], found["f1"]) == (0.5, 0.5, 0.5)


def test_the_rules_brier_score_is_that_of_its_alarms() -> None:
    """Without probabilities, alarms count as 0 and 1, and there is no log loss."""
    scored = ScoredRows(np.array([3.0, 0.5]), np.array([True, False]))
    found = figures(np.array([True, True]), scored, probabilities=False)
    assert found["brier"] == 0.5
    assert found["log_loss"] is None


@pytest.mark.parametrize("seed", range(3))
def test_what_is_evaluated_is_what_the_monitor_shows(seed: int) -> None:
    """Of the same rows, from arrays and from the live sums: PR-AUC, Brier score and prevalence."""
    chance = np.random.default_rng(seed)
    score = chance.beta(0.5, 3.0, 5_000)
    spikes = chance.random(5_000) < score
    offline = figures(spikes, ScoredRows(score, score >= 0.5), probabilities=True)
    sums = Sums()
    for one, came in zip(score.tolist(), spikes.tolist(), strict=True):
        sums.add(one, came)
    for shown, near in ((probabilities(score, spikes), 1e-6), (sums.figures(), 3e-3)):
        assert shown.pr_auc == pytest.approx(offline["pr_auc"], abs=near)
        assert shown.brier == pytest.approx(offline["brier"], abs=1e-6)
        assert shown.came == pytest.approx(offline["prevalence"], abs=1e-6)


@pytest.mark.parametrize("count", [0, 1, 60, 100])
def test_pr_auc_is_not_quoted_at_extreme_prevalence(count: int) -> None:
    """Outside 0.02–0.5 there is no PR-AUC, and a single class has no ROC-AUC and no skill."""
    spikes = np.arange(100) < count
    found = figures(spikes, ScoredRows(np.linspace(0, 1, 100), spikes), probabilities=True)
    assert found["pr_auc"] == NOT_QUOTABLE
    assert found["pr_auc_lift"] is None
    assert (found["roc_auc"] is None) == (found["brier_skill"] is None) == (count in (0, 100))
    assert found["brier"] >= 0.0


def test_scores_that_come_true_have_no_calibration_error() -> None:
    """Of rows scored 0.75, three of four are spikes."""
    spikes = np.array([True, True, True, False])
    assert expected_calibration_error(spikes, np.full(4, 0.75)) == 0.0
    assert reliability(spikes, np.full(4, 0.75)) == [{"rows": 4, "said": 0.75, "came": 0.75}]
    assert expected_calibration_error(spikes, np.ones(4)) == 0.25


def test_the_rule_alarms_where_volatility_already_reaches_tau(market_table: object) -> None:
    """The plain rule needs no fit, and an unknown volatility gives no alarm."""
    assert callable(market_table)
    table: Table = market_table(rows=100)
    table.features[0, 0] = np.nan
    scored = rule(table, {"BTC-USD": float(np.sort(table.features[1:, 0])[-10])})
    assert scored.alarm.sum() == 10
    assert not scored.alarm[0]
    assert scored.has_score.all()

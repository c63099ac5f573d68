"""What is stored beside what is recomputed: a changed value is found and named."""

from msgspec.structs import replace

from featurizer.engine import FeatureEngine
from featurizer.row import FeatureRow
from monitor.explain.checks import differing, of_model, of_outcome, of_prediction, of_row, of_shadow
from monitor.join import Joiner
from monitor.outcome import Outcome
from scorer.prediction import Prediction
from tests.featurizer.market import market
from tests.monitor.world import predictions_of

EVENTS = market(seed=5, steps=500, feeds=("first",))


def example() -> tuple[FeatureRow, Prediction, Outcome]:
    """A row, its prediction and its outcome, which has a label."""
    engine, joiner = FeatureEngine(), Joiner()
    rows = {row.row_id: row for e in EVENTS if (row := engine.update(e)) is not None}
    for prediction in predictions_of(EVENTS):
        joiner.add(prediction)
    found = (m for event in EVENTS for m in joiner.update(event))
    matured = next(m for m in found if m.outcome.label is not None)
    row = rows[matured.prediction.row_id]
    carried = {"tau_status": row.tau_status, "after_break": row.after_break}
    return row, replace(matured.prediction, **carried), matured.outcome


ROW, MADE, OUTCOME = example()


def test_all_is_equal_where_nothing_was_changed() -> None:
    """Row, prediction and outcome are what they were."""
    checks = of_row(ROW, ROW) + of_prediction(MADE, ROW) + of_outcome(OUTCOME, OUTCOME)
    assert all(check.equal for check in checks) and len(checks) > 25


def test_a_changed_value_is_named() -> None:
    """A feature, the level and the label, each by its name."""
    features = {**ROW.features, "spread_mean_60s": 0.125}
    changed = replace(ROW, features=features, tau=7e-4)
    assert differing(of_row(changed, ROW)) == ["tau", "spread_mean_60s"]
    assert OUTCOME.label is not None
    changed_outcome = replace(OUTCOME, label=not OUTCOME.label)
    assert differing(of_outcome(changed_outcome, OUTCOME)) == ["label"]
    assert differing(of_prediction(replace(MADE, spike=not MADE.spike), ROW)) == ["spike"]
    assert differing(of_prediction(replace(MADE, mid=1.0), ROW)) == ["mid"]


def test_the_model_says_score_level_and_threshold_again() -> None:
    """By the last bit of a score."""
    assert MADE.score is not None
    assert differing(of_model(MADE, MADE)) == []
    assert differing(of_model(MADE, replace(MADE, score=MADE.score + 2**-50))) == ["score"]
    assert differing(of_model(MADE, replace(MADE, tau=2e-3, severe=0.1))) == ["severe", "tau"]


def test_what_is_not_known_is_neither_equal_nor_different() -> None:
    """Expired ticks, a missing row, an outcome that has not matured."""
    checks = of_row(replace(ROW, tau=7e-4), ROW, "older records of ticks have expired")
    (tau,) = [check for check in checks if check.name == "tau"]
    assert (tau.equal, tau.why) == (None, "older records of ticks have expired")
    older = of_row(replace(ROW, schema_version=1, returns=None, tau=7e-4), ROW)
    assert differing(older) == []
    unknown = [*of_row(None, ROW), *of_row(ROW, None), *of_outcome(None, None)]
    unknown += [*of_outcome(OUTCOME, None), *of_outcome(None, OUTCOME)]
    assert [check.equal for check in unknown] == [None] * 5 and all(c.why for c in unknown)
    assert of_outcome(None, None)[0].why == "not matured yet"


def test_a_shadow_is_compared_as_if_it_served() -> None:
    """By the last bit of a score, with its variant's name."""
    (shadow,) = MADE.shadows
    again = replace(MADE, score=shadow.score, threshold=shadow.threshold, spike=shadow.spike)
    assert [check.equal for check in of_shadow(shadow, again)] == [True] * 5
    other = replace(again, score=shadow.score + 2**-50)
    assert differing(of_shadow(shadow, other)) == ["baseline's score"]

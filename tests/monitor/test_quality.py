"""Live quality against a slow recomputation, and what is not defined."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from ingestor.tick import Tick
from monitor.join import Joiner, Matured
from monitor.metrics import RESULTS, MonitorMetrics
from monitor.outcome import Outcome
from monitor.quality import RULE, Quality, RollingQuality
from scorer.prediction import Prediction
from tests.featurizer.market import START, market, tick
from tests.monitor.world import SECOND, TAU, predicted, predictions_of


def judged(second: int, label: bool | None, last: bool = True, **more: object) -> Matured:
    """A prediction of that second with an outcome."""
    made = predicted(tick(START + second * SECOND, trade_id=second), **more)
    outcome = Outcome(
        prediction_id=made.prediction_id,
        row_id=made.row_id,
        feed=made.feed,
        product_id=made.product_id,
        time_us=made.time_us,
        label=label,
        realized_volatility=None,
        matured_us=made.time_us + 61 * SECOND,
        reason=None if label is not None else "break",
        tau=made.tau,
        coverage=made.coverage,
        last_of_second=last,
        model_variant=made.model_variant,
        score=made.score,
        spike=made.spike,
    )
    return Matured(made, outcome, 0)


def measured(*told: Matured, window: int = 3_600) -> dict[str, Quality]:
    """The figures of BTC-USD by variant."""
    quality = RollingQuality(window)
    quality.begin("BTC-USD", "f")
    for one in told:
        quality.add(one.prediction, one.outcome)
    return {found.variant: found for found in quality.snapshot()}


def test_figures_of_four_seconds() -> None:
    """Precision is hits by alarms, recall hits by spikes, Brier the mean squared error."""
    #  second     0     1     2     3
    #  label      spike spike calm  calm
    #  score      .9    .2    .6    .1     threshold .5
    found = measured(
        judged(0, True, score=0.9, spike=True),
        judged(1, True, score=0.2, spike=False),
        judged(2, False, score=0.6, spike=True),
        judged(3, False, score=0.1, spike=False),
    )["ml"]
    assert (found.rows, found.spikes, found.alarms, found.hits) == (4, 2, 2, 1)
    assert (found.prevalence, found.precision, found.recall) == (0.5, 0.5, 0.5)
    assert found.brier == pytest.approx((0.01 + 0.64 + 0.36 + 0.01) / 4)


def test_calibration_holds_forecast_against_frequency() -> None:
    """Each bin of the score says what was forecast on average and what came; 1 is in the last."""
    found = measured(
        judged(0, True, score=0.95),
        judged(1, False, score=1.0),
        judged(2, False, score=0.1),
        judged(3, False, score=0.0),
    )
    bins = {one.lower: one for one in found["ml"].calibration}
    assert (bins[0.9].rows, bins[0.9].frequency) == (2, 0.5)
    assert bins[0.9].mean_score == pytest.approx(0.975)
    assert (bins[0.1].rows, bins[0.0].rows) == (1, 1)
    assert (bins[0.5].frequency, bins[0.5].mean_score) == (None, None)
    assert found[RULE].calibration == ()


def test_shadow_is_measured_against_the_same_label() -> None:
    """Served variant, shadows and rule stand side by side on the same rows."""
    found = measured(judged(0, True), judged(1, False))
    assert {name: q.rows for name, q in found.items()} == {"ml": 2, "baseline": 2, RULE: 2}


def test_rule_without_volatility_says_no_spike() -> None:
    """What is not known announces nothing; the rule's 0 or 1 is its forecast."""
    found = measured(
        judged(0, True, realized_volatility_60s=None),
        judged(1, True, realized_volatility_60s=TAU),
    )[RULE]
    assert (found.alarms, found.hits, found.brier) == (1, 1, 0.5)


def test_only_last_row_of_a_second_counts() -> None:
    """Metrics count seconds, never rows."""
    assert measured(judged(0, True, last=False)) == {}


def test_row_without_label_does_not_count() -> None:
    """No label is neither hit nor miss."""
    assert measured(judged(0, None)) == {}


def test_rows_of_less_than_full_coverage_are_counted_apart() -> None:
    """They are kept, and both counts are told."""
    found = measured(judged(0, True, coverage=0.5), judged(1, True))["ml"]
    assert (found.rows, found.full_rows) == (2, 1)


def test_window_follows_event_time() -> None:
    """Rows a window before the newest one fall out."""
    found = measured(judged(0, True), judged(1, True), judged(61, False), window=60)["ml"]
    assert (found.rows, found.spikes) == (1, 0)


def test_another_feed_empties_the_window() -> None:
    """Two feeds over the same event time are not mixed."""
    quality = RollingQuality(3_600)
    quality.begin("BTC-USD", "f")
    one = judged(0, True)
    quality.add(one.prediction, one.outcome)
    quality.begin("BTC-USD", "g")
    quality.add(one.prediction, one.outcome)
    assert quality.snapshot() == []


def test_undefined_figures_are_none() -> None:
    """Without alarms there is no precision, without spikes no recall."""
    found = measured(judged(0, False, spike=False, score=0.1))["ml"]
    assert (found.precision, found.recall, found.prevalence) == (None, None, 0.0)


def test_undefined_figures_are_nan_in_metrics() -> None:
    """A gauge never shows 0 or 1 for what is not defined."""
    registry = CollectorRegistry()
    MonitorMetrics(registry).show(list(measured(judged(0, False, spike=False, score=0.1)).values()))
    labels = {"product": "BTC-USD", "variant": "ml"}
    precision = registry.get_sample_value("monitor_quality_precision", labels)
    assert precision is not None and math.isnan(precision)
    assert registry.get_sample_value("monitor_quality_prevalence", labels) == 0.0


def test_outcome_counters_stand_at_zero_from_the_start() -> None:
    """The first break is an increase, and absence of outcomes can be seen."""
    registry = CollectorRegistry()
    MonitorMetrics(registry)
    counts = {
        result: registry.get_sample_value("monitor_outcomes_total", {"result": result})
        for result in RESULTS
    }
    assert set(counts.values()) == {0.0}


def slow(told: list[Matured], variant: str, window: int) -> tuple[float, ...]:
    """The same figures from the whole list, by another way."""
    rows: dict[int, tuple[bool, float, bool]] = {}
    newest = max(m.outcome.time_us // SECOND for m in told)
    for one in told:
        made, outcome = one.prediction, one.outcome
        second = outcome.time_us // SECOND
        if outcome.label is None or not outcome.last_of_second or second <= newest - window:
            continue
        rule = (made.realized_volatility_60s or -1.0) >= (made.tau or math.inf)
        answers = {made.model_variant: (made.score, bool(made.spike)), RULE: (float(rule), rule)}
        answers |= {s.model_variant: (s.score, bool(s.spike)) for s in made.shadows}
        rows[second] = (outcome.label, *answers[variant])
    spikes = [row for row in rows.values() if row[0]]
    alarms = [row for row in rows.values() if row[2]]
    hits = [row for row in spikes if row[2]]
    brier = sum((score - label) ** 2 for label, score, _ in rows.values()) / len(rows)
    return len(rows), len(spikes), len(alarms), len(hits), brier


def test_what_was_scored_too_late_is_not_in_live_quality() -> None:
    """It was no forecast of a minute that had begun."""
    events = market(seed=3, steps=700, products=("BTC-USD",), feeds=("f",))
    for notes, counted in ([], True), (["late"], False):
        joiner, quality = Joiner(), RollingQuality(3_600)
        quality.begin("BTC-USD", "f")
        for prediction in predictions_of(events):
            joiner.add(replace(prediction, notes=notes))
        for matured in (m for event in events for m in joiner.update(event)):
            quality.add(matured.prediction, matured.outcome)
        assert bool(quality.snapshot()) is counted


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), window=st.sampled_from((60, 200, 3_600)))
def test_quality_equals_slow_recomputation(seed: int, window: int) -> None:
    """Whatever the run, the rolling figures are those of the plain list."""
    events = market(seed, steps=700, products=("BTC-USD",), feeds=("f",))
    joiner, quality = Joiner(), RollingQuality(window)
    quality.begin("BTC-USD", "f")
    for prediction in predictions_of(events, seed):
        joiner.add(prediction)
    told = [m for event in events for m in joiner.update(event)]
    kept = [m for m in told if m.outcome.label is not None and m.outcome.last_of_second]
    if not kept:
        return
    order = random.Random(seed)
    if window == 3_600:  # nothing falls out, so order cannot matter
        order.shuffle(told)
    for number, one in enumerate(told):
        quality.add(one.prediction, one.outcome)
        if number % 100 == 0:
            assert quality.snapshot() == quality.snapshot()  # nothing new: the figures stand
    for found in quality.snapshot():
        figures = (found.rows, found.spikes, found.alarms, found.hits, found.brier)
        assert figures == pytest.approx(slow(kept, found.variant, window), rel=0, abs=1e-12)


def test_second_scored_by_two_models_counts_once_for_each_variant() -> None:
    """After a change of version the later answer stands."""
    tick_ = tick(START, trade_id=1)
    assert isinstance(tick_, Tick)
    first, second = judged(0, True, score=0.1, spike=False), judged(0, True, digest="e" * 64)
    late: Prediction = second.prediction
    assert late.prediction_id != first.prediction.prediction_id
    changed = Matured(
        predicted(tick_, digest="e" * 64, scored_us=START * 2, score=0.9), second.outcome, 0
    )
    for order in ((first, changed), (changed, first)):
        found = measured(*order)["ml"]
        assert (found.rows, found.hits) == (1, 1)

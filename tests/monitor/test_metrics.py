"""Gauges of the states of now."""

from prometheus_client import CollectorRegistry

from monitor.forecast_record import Said
from monitor.metrics import MODES, MonitorMetrics
from monitor.states.display import displayed_at
from monitor.states.machines import Standing
from signals.probabilities import Sums
from tests.signals.world import played, rows

SECOND = 1_000_000


def shown(metrics: MonitorMetrics, product: str = "BTC-USD") -> set[str]:
    """The states whose gauge is 1."""
    value = metrics.registry.get_sample_value
    of = {mode: value("signal_state", {"product": product, "state": mode}) for mode in MODES}
    return {mode for mode, each in of.items() if each == 1}


def test_a_gauge_is_that_of_the_wall_clock() -> None:
    """The same machine is in a spike now, blind 16 s later, and gone when it is shown no more."""
    metrics = MonitorMetrics(CollectorRegistry())
    state, seen = played(rows(range(10), 0.9, 0.8))[-1].state, list[set[str]]()
    assert state.last is not None
    for age in (1, 16):
        now_us = state.last.received_us + age * SECOND
        metrics.show_states(displayed_at([Standing("BTC-USD", state)], now_us))
        seen.append(shown(metrics))
    metrics.show_states([])
    assert [*seen, shown(metrics)] == [{"spike"}, {"blind"}, set()]
    assert metrics.registry.get_sample_value("signal_acts", {"product": "BTC-USD"}) is None


def test_pr_auc_of_chances_is_a_gauge_and_unknown_where_none_came() -> None:
    """Two of four came, at the first and the third chance; of what never came it is NaN."""
    metrics = MonitorMetrics(CollectorRegistry())
    came, none = Sums(), Sums()
    for chance, each in ((0.9, True), (0.8, False), (0.7, True), (0.1, False)):
        came.add(chance, each)
        none.add(chance, False)
    metrics.show_forecasts(
        [
            Said("BTC-USD", "ml", "score", 24, came.figures()),
            Said("BTC-USD", "ml", "severe", 24, none.figures()),
        ]
    )

    def value(event: str) -> float | None:
        labels = {"product": "BTC-USD", "variant": "ml", "event": event}
        return metrics.registry.get_sample_value("monitor_forecast_pr_auc", labels)

    severe = value("severe")
    assert value("score") == (1 + 2 / 3) / 2
    assert severe is not None and severe != severe

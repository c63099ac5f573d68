"""Gauges of the states of now."""

from prometheus_client import CollectorRegistry

from monitor.metrics import MODES, MonitorMetrics
from monitor.states.display import displayed_at
from monitor.states.machines import Standing
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

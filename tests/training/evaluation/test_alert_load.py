"""Alerts and regimes, by hand."""

from collections.abc import Callable

import numpy as np
import pytest

from featurizer.features import NAMES
from training.data.rows import Table
from training.evaluation.alert_load import alert_load
from training.evaluation.regimes import regimes_of

MakeTable = Callable[..., Table]
TAU = {"BTC-USD": 1e-3}


@pytest.fixture
def hour(market_table: MakeTable) -> Table:
    """An hour of one product in which volatility reaches τ at 1000 s and at 3000 s."""
    table: Table = market_table((1e-4,), rows=3600)
    column = NAMES.index("realized_volatility_60s")
    table.features[:, column] = 1e-4
    table.features[1000:1060, column] = table.features[3000:3060, column] = 2e-3
    return table


def test_a_run_of_alarms_is_one_alert(hour: Table) -> None:
    """Alarms less than a minute apart are one alert; its lead is from its first second."""
    #  alarms   970 … 999, 1030 … 1039   |   2000   |   3020 … 3029
    #  τ            1000 … 1059                          3000 … 3059
    alarm = np.zeros(3600, dtype=np.bool_)
    alarm[970:1000] = alarm[1030:1040] = alarm[2000] = alarm[3020:3030] = True
    assert alert_load(hour, alarm, TAU) == {
        "alerts": 3,
        "alerts_per_hour": 3.0,
        "times_tau_was_reached": 2,
        "times_alerted": 2,
        "median_lead_seconds": (30 - 20) / 2,
    }


def test_silence_costs_nothing_and_leads_nowhere(hour: Table) -> None:
    """Without an alarm there is no alert and no lead."""
    found = alert_load(hour, np.zeros(3600, dtype=np.bool_), TAU)
    assert (found["alerts"], found["times_alerted"]) == (0, 0)
    assert found["median_lead_seconds"] is None


def test_the_rules_lead_is_zero(hour: Table) -> None:
    """It speaks when τ is reached, not before."""
    alarm = hour.column("realized_volatility_60s") >= TAU["BTC-USD"]
    assert alert_load(hour, alarm, TAU)["median_lead_seconds"] == 0.0


def test_each_row_has_one_regime_by_what_was_known(hour: Table) -> None:
    """The regime is the last 300 s' volatility in units of τ; unknown belongs to none."""
    column = NAMES.index("realized_volatility_300s")
    hour.features[:3, column] = np.sqrt(5) * TAU["BTC-USD"] * np.array([0.2, 0.5, 1.1])
    hour.features[3, column] = np.nan
    found = regimes_of(hour, TAU)
    assert [name for name, rows in found.items() for at in range(3) if rows[at]] == [
        "calm",
        "brisk",
        "wild",
    ]
    assert not any(rows[3] for rows in found.values())
    assert sum(rows.sum() for rows in found.values()) == 3599

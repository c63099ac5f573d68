"""The reference of models in units of τ: the month that comes with the package."""

import json
from pathlib import Path

import pytest

from benchmarks.drift_days import encode_month, month_of
from drift.month import PACKAGED, packaged_month, read_month
from serving.relative import WINDOWS
from training.venues.judging import MINUTES
from training.venues.minute_levels import read_minute_examples


def test_the_packaged_month_has_each_window_of_the_model() -> None:
    """As many quantiles of each, whose ninetieth is near the level: 0 in its own unit."""
    month = packaged_month()
    for window in WINDOWS:
        values = month.of(window)
        assert len(values) == 200 and abs(values[180]) < 0.1


def test_a_month_that_is_none_is_refused() -> None:
    """A window that lacks, quantiles that fall, and no JSON are said."""
    whole = json.loads(PACKAGED.read_text())
    fallen = whole | {"quantiles": whole["quantiles"] | {"60": [0.0, -1.0]}}
    short = whole | {"quantiles": {"60": [0.0]}}
    for spoilt in (json.dumps(fallen), json.dumps(short), "{"):
        with pytest.raises(ValueError, match=r"found|expected"):
            read_month(spoilt.encode())


def test_the_month_is_that_of_the_data(captures: Path) -> None:
    """``month.json`` is what the command makes of the month of minutes."""
    made = encode_month(month_of(read_minute_examples(captures / MINUTES)))
    assert json.loads(made) == json.loads(PACKAGED.read_text())

"""The share of spikes: over established seconds with a label alone, by day and together."""

from pathlib import Path

import numpy as np
import pytest

from featurizer.level.level import STATUSES
from training.venues.bitmex import BITMEX
from training.venues.leveled import NO_SLOT, LeveledSeconds
from training.venues.share import share_lines, share_table

MIDNIGHT = 1_700_006_400


def seconds(status: str = "established") -> LeveledSeconds:
    """200 s, half before a midnight; the last 60 returns before it are ten times as large."""
    second = np.arange(MIDNIGHT - 100, MIDNIGHT + 100)
    log_return = np.full(200, 1e-5)
    log_return[40:100] = 1e-4
    codes = np.full(200, STATUSES.index(status), np.int8)  # type: ignore[arg-type]
    codes[0] = NO_SLOT
    return LeveledSeconds(second, log_return, np.full(200, 5e-4), codes, int(second[0]) * 10**6)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file whose bytes are named."""
    file = tmp_path / "days.parquet"
    file.write_bytes(b"days")
    return file


def test_the_share_is_of_seconds_whose_next_minute_is_known(path: Path) -> None:
    """139 have one; those with 25 or more large returns ahead of them reach τ."""
    found = share_table(BITMEX, path, seconds(), 0)
    assert [day["day"] for day in found["days"]] == ["2023-11-14", "2023-11-15"]
    assert [day["established"] for day in found["days"]] == [99, 40]
    # Second k has the returns k + 1 … k + 60 ahead: 25 of 40 … 99 for k = 4 … 74.
    assert [day["spikes"] for day in found["days"]] == [71, 0]
    assert found["all"] == {
        "established": 139,
        "spikes": 71,
        "share": pytest.approx(71 / 139, abs=1e-6),
        "tau_bps": [5.0, 5.0],
    }
    assert "0.511 of    139 seconds" in share_lines(found)[-1]


def test_without_an_established_second_there_is_no_share(path: Path) -> None:
    """It says so, and how the seconds were instead."""
    found = share_table(BITMEX, path, seconds("provisional"), 2)
    assert (found["all"]["share"], found["days"]) == (None, [])
    lines = share_lines(found)
    assert "199 provisional; 2 breaks" in lines[0]
    assert "no established second" in lines[1]

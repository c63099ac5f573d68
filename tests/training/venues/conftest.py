"""Small generated files of trades in the form of each venue."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.external.columns import Times

START = 1_700_006_400
"""Epoch second at a midnight (UTC)."""

Market = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def market() -> Market:
    """Make trades in two seconds of three; volatility comes and goes, and has bursts."""

    def make(hours: float = 1.0, seed: int = 7, start: int = START) -> pd.DataFrame:
        chance, count = np.random.default_rng(seed), int(hours * 3600)
        level = np.zeros(count)
        for at in range(1, count):
            level[at] = 0.998 * level[at - 1] + 0.03 * chance.normal()
        level[np.arange(count) % 2400 < 150] += 2.0  # a burst, so that some minutes reach 2τ
        price = 1000 * np.exp(np.cumsum(2e-5 * np.exp(level) * chance.normal(size=count)))
        at = np.flatnonzero(chance.random(count) < 2 / 3)
        second: Times = start + at
        return pd.DataFrame({"time_us": second * 1_000_000, "price": price[at], "size": 1.0})

    return make


@pytest.fixture
def written(tmp_path: Path) -> Callable[[pd.DataFrame], Path]:
    """Write a table of trades."""

    def write(frame: pd.DataFrame) -> Path:
        path = tmp_path / "trades.parquet"
        frame.to_parquet(path)
        return path

    return write

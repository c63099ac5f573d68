"""Small generated files of trades in the form of each venue."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from tests.training.made_up import trades

Market = Callable[..., pd.DataFrame]


@pytest.fixture(scope="session")
def market() -> Market:
    """Make trades in two seconds of three; volatility comes and goes, and has bursts."""

    return trades


@pytest.fixture
def written(tmp_path: Path) -> Callable[[pd.DataFrame], Path]:
    """Write a table of trades."""

    def write(frame: pd.DataFrame) -> Path:
        path = tmp_path / "trades.parquet"
        frame.to_parquet(path)
        return path

    return write

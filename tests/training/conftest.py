"""Small generated recordings of Advanced Trade, and events fed by hand."""

import json
import random
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from featurizer.features import NAMES
from ingestor.instant import text_of
from training.data.rows import Table

START = 1_700_000_000
"""Epoch second at which generated time begins."""

Write = Callable[..., Path]
MakeTable = Callable[..., Table]


def market(start: int, seconds: int, seed: int, wild: int, product: str) -> list[dict[str, str]]:
    """Return two flattened tickers a second; every other ``wild`` seconds move 5 times as far."""
    chance, mid, lines = random.Random(seed), 60_000.0, []
    for half in range(2 * seconds):
        calm = (half // 2 // wild) % 2 == 0
        mid *= 1 + chance.gauss(0.0, 1e-5 if calm else 5e-5)
        time_us = (start + half // 2) * 1_000_000 + half % 2 * 400_000 + chance.randrange(1000)
        lines.append(
            {
                "product_id": product,
                "price": f"{mid:.2f}",
                "best_bid": f"{mid - 0.5:.2f}",
                "best_ask": f"{mid + 0.5:.2f}",
                "best_bid_quantity": f"{chance.uniform(0.01, 1):.8f}",
                "best_ask_quantity": f"{chance.uniform(0.01, 1):.8f}",
                "timestamp": text_of(time_us, 7),
            }
        )
    return lines


@pytest.fixture(scope="session")
def write() -> Write:
    """Write a generated recording; ``change`` may spoil its lines before."""

    def make(
        path: Path,
        start: int = START,
        seconds: int = 800,
        seed: int = 1,
        wild: int = 150,
        products: tuple[str, ...] = ("BTC-USD",),
        change: Callable[[list[dict[str, str]]], list[dict[str, str]]] = list,
    ) -> Path:
        lines = [
            line
            for number, product in enumerate(products)
            for line in market(start, seconds, seed + number, wild, product)
        ]
        lines.sort(key=lambda line: line["timestamp"])
        path.write_text("".join(json.dumps(line) + "\n" for line in change(lines)))
        return path

    return make


@pytest.fixture
def folder(tmp_path: Path, write: Write) -> Path:
    """A folder of three recordings hours apart, one of them with two products."""
    data = tmp_path / "data"
    data.mkdir()
    write(data / "first.ndjson", START, seed=1, products=("BTC-USD", "ETH-USD"))
    write(data / "second.ndjson", START + 10_000, seed=5)
    write(data / "third.ndjson", START + 20_000, seed=9)
    return data


@pytest.fixture(scope="session")
def market_table() -> MakeTable:
    """Make a table of seconds in which volatility comes in spells, in groups hours apart.

    ``levels`` are the groups' typical volatilities (log return over 60 s).
    """

    def make(
        levels: tuple[float, ...] = (1e-4, 4e-4, 2e-4, 6e-4),
        rows: int = 700,
        seed: int = 3,
        product: str = "BTC-USD",
    ) -> Table:
        chance = np.random.default_rng(seed)
        total = rows * len(levels)
        group = np.repeat(np.arange(len(levels)), rows)
        level = (
            np.repeat(levels, rows)
            * np.repeat(chance.lognormal(0.0, 0.8, total // 100 + 1), 100)[:total]
        )
        features = chance.lognormal(0.0, 0.3, (total, len(NAMES)))
        features[:, NAMES.index("realized_volatility_60s")] *= level
        features[:, NAMES.index("realized_volatility_300s")] *= level * 5**0.5
        second = 1_700_000_000 + group * 20_000 + np.tile(np.arange(rows), len(levels))
        return Table(
            features,
            np.full(total, product),
            second.astype(np.int64) * 1_000_000,
            level * chance.lognormal(0.0, 0.4, total),
            group.astype(np.intp),
        )

    return make


@pytest.fixture(scope="session")
def dask_cluster(processes: None) -> Iterator[str]:
    """The address of a Dask cluster on this machine: a scheduler and two worker processes."""
    distributed = pytest.importorskip("distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        local = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50
        )
    with local:
        yield local.scheduler_address

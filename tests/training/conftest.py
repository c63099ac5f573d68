"""Small generated recordings of Advanced Trade, and events fed by hand."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from featurizer.features import NAMES
from ingestor.instant import text_of
from ingestor.tick import Break, Tick
from serving.artifact import write_folder
from serving.linear import Linear
from serving.reference import reference_of
from training.golden import golden_rows
from training.rows import Table
from training.run_folder import RunRecord

START = 1_700_000_000
"""Epoch second at which generated time begins."""

Write = Callable[..., Path]
MakeTable = Callable[..., Table]
MakeRun = Callable[..., Path]


@pytest.fixture
def tick() -> Callable[..., Tick]:
    """Make a Tick at seconds of event time, with a mid and a spread of 2."""

    def make(seconds: float, mid: float = 100.0, feed: str = "f", product: str = "BTC-USD") -> Tick:
        return Tick(
            feed=feed,
            product_id=product,
            dialect="advanced",
            time_us=round(seconds * 1_000_000),
            received_us=0,
            price=mid,
            bid=mid - 1,
            ask=mid + 1,
        )

    return make


@pytest.fixture
def lost() -> Callable[[float], Break]:
    """Make a Break at seconds of event time."""

    def make(seconds: float) -> Break:
        return Break(
            feed="f",
            product_id="BTC-USD",
            dialect="advanced",
            time_us=round(seconds * 1_000_000),
            received_us=0,
            reason="silent",
        )

    return make


def market(start: int, seconds: int, seed: int, wild: int, product: str) -> list[dict[str, str]]:
    """Give two flattened tickers a second; every other ``wild`` seconds move five times as far."""
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
def make_run() -> MakeRun:
    """Write a run folder as ``train`` does, with two small models of generated rows.

    Equal seeds give equal models; ``changes`` are to the card of the candidate they are named for.
    """

    def make(path: Path, seed: int = 1, run_id: str | None = None, **changes: Any) -> Path:
        chance = np.random.default_rng(seed)
        matrix = chance.normal(size=(200, len(NAMES))) * np.geomspace(1e-5, 10, len(NAMES))
        spikes = matrix[:, 0] + chance.normal(scale=5e-6, size=200) > 5e-6
        steps = SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression()
        pipeline = make_pipeline(*steps).fit(matrix, spikes)
        linear = Linear(
            variant="ml",
            features=NAMES,
            impute=tuple(steps[0].statistics_.tolist()),
            mean=tuple(steps[1].mean_.tolist()),
            scale=tuple(steps[1].scale_.tolist()),
            coef=tuple(steps[2].coef_[0].tolist()),
            intercept=float(steps[2].intercept_[0]),
        )
        one = {name: getattr(linear, name)[:1] for name in ("impute", "mean", "scale", "coef")}
        baseline = replace(linear, variant="baseline", features=NAMES[:1], **one)
        candidates = path / "candidates"
        digests = {}
        for name, model, pickled in (
            ("logistic_regression", linear, pipeline),
            ("baseline", baseline, None),
        ):
            golden = golden_rows()
            card: dict[str, Any] = {
                "dialect": "advanced",
                "tau": {"BTC-USD": 0.0012},
                "threshold": {"BTC-USD": 0.5},
                "golden": {"rows": golden, "scores": [model.score(row) for row in golden]},
            }
            digests[name] = write_folder(
                candidates / name,
                variant=model.variant,
                linear=model,
                card=card | changes.get(name, {}),
                pipeline=pickled,
                reference=reference_of(
                    ["BTC-USD"] * len(golden),
                    golden,
                    card["golden"]["scores"],
                    [None] * len(golden),
                ),
            ).digest
        (path / "plots").mkdir()
        (path / "plots" / "reliability.html").write_text("<p>reliability</p>")
        (path / "report.html").write_text("<h1>report</h1>")
        (path / "report.json").write_text("{}")
        RunRecord(
            run_id=run_id or path.name,
            created=f"2026-11-22T20:00:{seed:02}Z",
            dataset_digest=f"{seed:064x}",
            winner="logistic_regression",
            digests=digests,
            metrics={
                "logistic_regression": {"pooled": {"brier": 0.05, "pr_auc": None}},
                "baseline": {"pooled": {"brier": 0.07}},
                "rv60_rule": {"pooled": {"brier": 0.08}},
            },
            parameters={"tau_percentile": 90.0, "seed": seed},
            evidence={"verdict": "not decidable"},
        ).write(path)
        return path

    return make


@pytest.fixture(scope="session")
def tracking_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One MLflow store for the whole session, as making its SQLite file takes seconds."""
    return tmp_path_factory.mktemp("tracking") / "mlflow"


@pytest.fixture(scope="session")
def market_table() -> MakeTable:
    """Make a table of seconds in which volatility comes in stretches, in groups hours apart.

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

"""Models made from generated rows, and one MLServer that serves them for the whole session."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from featurizer.features import EXAMPLE, NAMES
from serving.artifact import write_folder
from serving.linear import Linear
from serving.relative import Chances, Relative
from tests.ports import held_port
from tests.waiting import patience

ROOT = Path(__file__).resolve().parents[2]
Rows = list[list[float | None]]


@dataclass(frozen=True, slots=True)
class Market:
    """Generated rows (some values unknown) and whether each was a spike."""

    matrix: np.ndarray
    spikes: np.ndarray

    @property
    def rows(self) -> Rows:
        """The rows with null for what is unknown, as JSON has it."""
        return [[None if x != x else x for x in row] for row in self.matrix.tolist()]


@dataclass(frozen=True, slots=True)
class Server:
    """Where a running MLServer listens."""

    http: str
    grpc: str
    metrics: str
    log: Path


@pytest.fixture(scope="session")
def market() -> Market:
    """400 rows whose volatility speaks of spikes; a tenth of all values is unknown."""
    random = np.random.default_rng(10)
    matrix = random.normal(size=(400, len(NAMES))) * np.geomspace(1e-5, 10, len(NAMES))
    spikes = (matrix[:, 0] + random.normal(scale=5e-6, size=400) > 5e-6).astype(int)
    matrix[random.random(matrix.shape) < 0.1] = np.nan
    return Market(matrix, spikes)


@pytest.fixture(scope="session")
def pipeline(market: Market) -> Pipeline:
    """A fitted imputer, scaler and logistic regression over all features."""
    steps = SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression()
    return make_pipeline(*steps).fit(market.matrix, market.spikes)


@pytest.fixture(scope="session")
def linear(pipeline: Pipeline) -> Linear:
    """The same model as plain numbers."""
    imputer, scaler, regression = (step for _, step in pipeline.steps)
    return Linear(
        variant="ml",
        features=NAMES,
        impute=tuple(imputer.statistics_.tolist()),
        mean=tuple(scaler.mean_.tolist()),
        scale=tuple(scaler.scale_.tolist()),
        coef=tuple(regression.coef_[0].tolist()),
        intercept=float(regression.intercept_[0]),
    )


@pytest.fixture(scope="session")
def baseline(linear: Linear) -> Linear:
    """A model of the single feature realized_volatility_60s."""
    numbers = {name: getattr(linear, name)[:1] for name in ("impute", "mean", "scale", "coef")}
    return replace(linear, variant="baseline", features=NAMES[:1], **numbers)


CardOf = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def card_of(market: Market) -> CardOf:
    """Make a card whose golden rows have the scores that the given function gives."""

    def card(score: Callable[[list[float | None]], float], **changes: Any) -> dict[str, Any]:
        rows = [*market.rows[:6], [None] * len(NAMES)]
        base = {
            "dialect": "advanced",
            "tau": {"BTC-USD": 0.0012, "ETH-USD": 0.0017},
            "threshold": {"BTC-USD": 0.5, "ETH-USD": 0.4},
            "golden": {"rows": rows, "scores": [score(row) for row in rows]},
        }
        return base | changes

    return card


# 2 elevated a day are refused on the days of other venues: a card has a null there.
THRESHOLDS = {
    "elevated": {"2": None, "4": 0.3, "8": 0.2, "16": 0.15},
    "spike": {"2": 0.35, "4": 0.25, "8": 0.15, "16": 0.1},
}


@pytest.fixture(scope="session")
def relative() -> Relative:
    """A model in units of τ."""
    score = ((-1.0, 1.5), (-1.1, 1.0, 0.5), (-1.2, 0.9, 0.4, 0.3), (-1.3, 0.8, 0.3, 0.2, 0.4))
    severe = tuple((each[0] - 2.0, *each[1:]) for each in score)
    return Relative("ml", score, severe, Chances(0.09, 0.02))


@pytest.fixture(scope="session")
def relative_card(relative: Relative) -> dict[str, Any]:
    """Its card: golden rows with τ, one without, and one that knows nothing."""
    known = [EXAMPLE[name] for name in NAMES]
    rows: Rows = [known, known, [None] * len(NAMES)]
    taus = [0.0009, None, 0.0009]
    pairs = zip(rows, taus, strict=True)
    said = [relative.chances(row, 0.0006 if tau is None else tau) for row, tau in pairs]
    golden = {
        "rows": rows,
        "tau": taus,
        "scores": [each.score for each in said],
        "severe": [each.severe for each in said],
    }
    card = {"dialect": "advanced", "default_tau": 0.0006, "thresholds": THRESHOLDS}
    return card | {"golden": golden, "data": [{"name": "generated", "licence": "none"}]}


@pytest.fixture
def relative_folder(tmp_path: Path, relative: Relative, relative_card: dict[str, Any]) -> Path:
    """A fresh model folder ``ml`` of a model in units of τ."""
    path = tmp_path / "relative" / "ml"
    write_folder(path, variant="ml", linear=relative, card=relative_card)
    return path


@pytest.fixture
def folder(tmp_path: Path, linear: Linear, pipeline: Pipeline, card_of: CardOf) -> Path:
    """A fresh model folder ``ml`` with a Pipeline."""
    path = tmp_path / "ml"
    write_folder(path, variant="ml", linear=linear, card=card_of(linear.score), pipeline=pipeline)
    return path


def _wait_until_ready(process: subprocess.Popen[bytes], server: Server) -> None:
    """Poll both models for minutes; a process that ends early fails with its log."""
    deadline = time.monotonic() + patience(150.0)
    while time.monotonic() < deadline:
        try:
            names = ("ml", "baseline")
            answers = [httpx.get(f"{server.http}/v2/models/{name}/ready") for name in names]
            if all(answer.status_code == 200 for answer in answers):
                return
        except httpx.TransportError:
            pass
        try:
            process.wait(0.1)
            break
        except subprocess.TimeoutExpired:
            continue
    pytest.fail(f"MLServer was not ready:\n{server.log.read_text()}")


@pytest.fixture(scope="session")
def server(
    processes: None,
    tmp_path_factory: pytest.TempPathFactory,
    linear: Linear,
    baseline: Linear,
    pipeline: Pipeline,
    card_of: CardOf,
) -> Iterator[Server]:
    """A real ``mlserver start`` on generated models, with the repository's own settings.json."""
    root = tmp_path_factory.mktemp("model-settings")
    shutil.copy(ROOT / "model-settings" / "settings.json", root)
    card = card_of(linear.score)
    write_folder(root / "ml", variant="ml", linear=linear, card=card, pipeline=pipeline)
    card = card_of(baseline.score)
    write_folder(root / "baseline", variant="baseline", linear=baseline, card=card)
    http, grpc, metrics = (held_port() for _ in range(3))
    environment = {
        "MLSERVER_HOST": "127.0.0.1",
        "MLSERVER_HTTP_PORT": str(http),
        "MLSERVER_GRPC_PORT": str(grpc),
        "MLSERVER_METRICS_PORT": str(metrics),
        "PATH": str(Path(sys.executable).parent),
    }
    log = root.parent / "mlserver.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(Path(sys.executable).with_name("mlserver")), "start", str(root)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = "http://127.0.0.1"
    running = Server(f"{url}:{http}", f"127.0.0.1:{grpc}", f"{url}:{metrics}", log)
    try:
        _wait_until_ready(process, running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(patience())
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

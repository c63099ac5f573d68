"""What an answer of ``/predict`` and of V2 costs, at some concurrencies, beside stock MLServer.

    python benchmarks/serving.py [--requests 400]

The adapter and MLServer are processes of their own, as they run; MLServer has a third model, a
pipeline of scikit-learn behind its stock runtime. CPU is that of the servers alone, by the
kernel's count; ways take turns. Writes ``benchmarks/results/serving.json``.
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import urlopen

sys.path.insert(0, str(ROOT := Path(__file__).resolve().parents[1]))

import aiohttp
import joblib
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.measure import Result, Table, machine, quantile, write
from benchmarks.processes import usage
from featurizer.features import EXAMPLE
from serving.artifact import load_folder
from serving.predictor import open_predictor, outputs_of
from serving.tensor import EXAMPLE_ROW
from serving.v2 import encode_request
from tests.ports import held_port

CONCURRENCY: Final = (1, 8, 32)
ROWS: Final = (1, 100)
TAU: Final = 6e-4
"""The level in the rows (log return over 60 s)."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where to post, and whose CPU an answer takes."""

    url: str
    body: bytes
    pids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Of one way at one concurrency: milliseconds, answers a second, CPU milliseconds each."""

    p50: float
    p99: float
    rate: float
    cpu: float


@contextmanager
def servers(folder: Path) -> Iterator[tuple[dict[str, str], dict[str, int]]]:
    """Run MLServer and the adapter; give their URLs and process numbers."""
    models = folder / "models"
    shutil.copytree(ROOT / "model-settings", models)
    _stock(models / "stock")
    ports = {name: held_port() for name in ("http", "grpc", "metrics", "adapter")}
    names = {"http": "HTTP_PORT", "grpc": "GRPC_PORT", "metrics": "METRICS_PORT"}
    told = {f"MLSERVER_{name}": str(ports[port]) for port, name in names.items()}
    urls = {name: f"http://127.0.0.1:{ports[name]}" for name in ("http", "adapter")}
    own = {
        "ADAPTER_HOST": "127.0.0.1",
        "ADAPTER_PORT": str(ports["adapter"]),
        "ADAPTER_MODEL_URL": urls["http"],
        "ADAPTER_FOLLOW_CONTROL": "false",
        "ADAPTER_RATE_LIMIT": "1000000/second",
    }
    mlserver = str(Path(sys.executable).with_name("mlserver"))
    with _process([mlserver, "start", str(models)], told) as models_pid:
        _wait(f"{urls['http']}/v2/models/stock/ready")
        with _process([sys.executable, "-m", "adapter"], own) as adapter_pid:
            _wait(f"{urls['adapter']}/readyz")
            yield urls, {"mlserver": models_pid, "adapter": adapter_pid}


def _stock(folder: Path) -> None:
    """Make a model for MLServer's own runtime, with as many features as ours."""
    chance = np.random.default_rng(1)
    matrix = chance.normal(size=(500, len(EXAMPLE_ROW)))
    model = make_pipeline(StandardScaler(), LogisticRegression())
    folder.mkdir()
    joblib.dump(model.fit(matrix, matrix[:, 0] > 0), folder / "model.joblib")
    settings = {
        "name": "stock",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "1"},
    }
    (folder / "model-settings.json").write_text(json.dumps(settings))


@contextmanager
def _process(command: Sequence[str], told: dict[str, str]) -> Iterator[int]:
    environment = os.environ | told | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield running.pid
    finally:
        running.terminate()
        running.wait()


def _wait(url: str, seconds: float = 180.0) -> None:
    """Wait until it answers; raises ``TimeoutError``."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError(f"found no answer at {url} in {seconds:.0f} s")


async def ask(way: Way, concurrency: int, requests: int) -> Found:
    """Post so many requests, so many at once, each on a kept connection."""
    left, took = iter(range(requests)), list[float]()
    async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session:

        async def post() -> None:
            for _ in left:
                began = time.perf_counter()
                async with session.post(way.url, data=way.body) as answer:
                    text = await answer.read()
                    if answer.status != 200:
                        raise ValueError(f"found {answer.status} {text!r}, expected 200")
                took.append(time.perf_counter() - began)

        before, began = sum(usage(pid).cpu for pid in way.pids), time.perf_counter()
        await asyncio.gather(*(post() for _ in range(concurrency)))
        wall = time.perf_counter() - began
        cpu = sum(usage(pid).cpu for pid in way.pids) - before
    rising = [1e3 * seconds for seconds in sorted(took)]
    return Found(
        quantile(rising, 0.5), quantile(rising, 0.99), requests / wall, 1e3 * cpu / requests
    )


def ways_of(urls: dict[str, str], pids: dict[str, int], rows: int) -> dict[str, Way]:
    """Return what is asked of whom."""
    predict = json.dumps({"rows": [EXAMPLE] * rows}).encode()
    infer = encode_request([(*EXAMPLE_ROW, TAU)] * rows)
    tensor = {"name": "x", "shape": [rows, len(EXAMPLE_ROW)], "datatype": "FP64"}
    stock = json.dumps({"inputs": [{**tensor, "data": [*EXAMPLE_ROW] * rows}]}).encode()
    both, alone = (pids["adapter"], pids["mlserver"]), (pids["mlserver"],)
    return {
        "`/predict`": Way(f"{urls['adapter']}/predict", predict, both),
        "V2 through the adapter": Way(f"{urls['adapter']}/v2/models/ml/infer", infer, both),
        "V2 of MLServer, our runtime": Way(f"{urls['http']}/v2/models/ml/infer", infer, alone),
        "V2 of MLServer, its scikit-learn runtime": Way(
            f"{urls['http']}/v2/models/stock/infer", stock, alone
        ),
    }


def in_process(rows: int) -> float:
    """Return the CPU milliseconds of the scores alone, in this process."""
    predictor = open_predictor(load_folder(ROOT / "model-settings" / "ml"))
    given = [(*EXAMPLE_ROW, TAU)] * rows
    began = time.process_time()
    for _ in range(300):
        outputs_of(predictor, given)
    return (time.process_time() - began) / 300 * 1e3


def tables(found: dict[tuple[int, str], list[Found]], alone: dict[int, float]) -> list[Table]:
    """Return a table for each number of rows."""
    columns = ("what", *(f"c{c}: p50 / p99 ms · req/s · CPU ms" for c in CONCURRENCY))
    made = []
    for rows in ROWS:
        lines = [
            (name, *(f"{f.p50:.1f} / {f.p99:.1f} · {f.rate:,.0f} · {f.cpu:.2f}" for f in each))
            for (count, name), each in found.items()
            if count == rows
        ]
        lines.append(("the scores alone, in one process", f"CPU {alone[rows]:.3f} ms", "", ""))
        about = "CPU of the servers alone; latency and rate share the cores with the client."
        plural = "a row" if rows == 1 else f"{rows} rows"
        made.append(Table(f"Serving {plural} a request", about, columns, tuple(lines)))
    return made


def main() -> int:
    """Measure, write the result and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=400)
    options = parser.parse_args()
    found: dict[tuple[int, str], list[Found]] = {}
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as (urls, pids):
        ask_all: Callable[..., Any] = partial(ask, requests=options.requests)
        asked = {(rows, n): way for rows in ROWS for n, way in ways_of(urls, pids, rows).items()}
        for way in asked.values():
            asyncio.run(ask(way, 1, 50))
        for concurrency in CONCURRENCY:
            for key, way in asked.items():
                found.setdefault(key, []).append(asyncio.run(ask_all(way, concurrency)))
    alone = {rows: in_process(rows) for rows in ROWS}
    figures = {f"{rows} {name}": each for (rows, name), each in found.items()}
    figures |= {f"{rows} alone": each for rows, each in alone.items()}  # type: ignore[misc]
    where = machine(("mlserver", "fastapi", "uvicorn", "scikit-learn"))
    made = Result("serving", where, tuple(tables(found, alone)), figures)
    sys.stdout.write(f"{write(made)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

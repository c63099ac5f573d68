"""Tasks give the same wherever they run."""

import builtins
import math
import os
from pathlib import Path
from typing import Any

import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from training.data.dataset import build
from training.data.parallel import Executor
from training.errors import TrainingError


def ignored(_: object) -> None:
    """Do nothing with it."""


@pytest.mark.parametrize(
    "executor", [Executor(), pytest.param(Executor("processes", 2), marks=pytest.mark.process)]
)
def test_results_come_in_the_order_of_the_inputs(executor: Executor) -> None:
    """Each input's result is given in its order, and its number told."""
    told: list[int] = []
    assert executor.run(math.sqrt, [9.0, 4.0, 1.0], told.append) == [3.0, 2.0, 1.0]
    assert told == [0, 1, 2]


@pytest.mark.process
def test_processes_are_other_processes() -> None:
    """Several tasks leave this process; one alone does not."""
    executor = Executor("processes", 2)
    assert os.getpid() not in executor.run(pid, [0, 1], ignored)
    assert executor.run(pid, [0], ignored) == [os.getpid()]


def pid(_: int) -> int:
    """Return the process this runs in."""
    return os.getpid()


def test_a_cluster_gives_an_equal_dataset(dask_cluster: str, folder: Path, tmp_path: Path) -> None:
    """On a Dask cluster the dataset's file is the same, byte by byte."""
    executor = Executor("dask", address=dask_cluster)
    assert os.getpid() not in executor.run(pid, [0, 1], ignored)
    build([folder], ignored, keep=tmp_path / "here.parquet")
    build([folder], ignored, keep=tmp_path / "there.parquet", executor=executor)
    assert (tmp_path / "here.parquet").read_bytes() == (tmp_path / "there.parquet").read_bytes()


def grid(executor: Executor) -> Any:
    """Search a small space."""
    values = [[math.sin(k), math.cos(3 * k)] for k in range(60)]
    classes = [math.sin(k) > 0.1 for k in range(60)]
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=3, n_jobs=-1)
    with executor.using():
        return search.fit(values, classes)


def test_a_cluster_gives_an_equal_grid(dask_cluster: str) -> None:
    """A search by scikit-learn runs on the cluster and finds the same coefficients."""
    here, there = grid(Executor()), grid(Executor("dask", address=dask_cluster))
    assert here.best_params_ == there.best_params_
    assert here.best_estimator_.coef_.tolist() == there.best_estimator_.coef_.tolist()


def test_dask_without_an_address_is_refused() -> None:
    """What is missing is said by the name of its setting."""
    with pytest.raises(TrainingError, match="TRAINING_DASK_ADDRESS"):
        Executor("dask").run(math.sqrt, [1.0], ignored)


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Dask is not installed, it is said how to install it."""
    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name == "distributed":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(TrainingError, match=r"crypto-volatility\[dask\]"):
        Executor("dask", address="tcp://127.0.0.1:1").run(math.sqrt, [1.0], ignored)

"""Where MLflow keeps things, and a connection to it; MLflow itself is imported only then."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from plumbing.proxies import spare
from promotion.errors import PromotionError

EXPERIMENT: Final = "crypto-volatility"
_ABOUT: Final = """\
Will the next 60 seconds of a Coinbase product be a **volatility spike**?

One run for each `python -m training train`, with a nested run for each candidate.
Read `report.html` among a run's artifacts first.
PR-AUC says nothing without the prevalence and the rv60 rule beside it: compare runs of one
dataset digest only, and look for Brier scores below that of the rule.
"""
_ENVIRONMENT: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # By default a server that is away is asked again for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
_REASON_LIMIT: Final = 240


class TrackingError(PromotionError):
    """MLflow could not be reached or refused; run folders and promotions stand without it."""


@dataclass(frozen=True, slots=True)
class TrackingStore:
    """A tracking server or database by its URI; ``artifacts`` None: the server decides where."""

    uri: str
    artifacts: str | None = None


def store_of(uri: str, folder: Path) -> TrackingStore:
    """Return the server of the URI, or where that is empty SQLite with artifacts in ``folder``."""
    if uri:
        return TrackingStore(uri)
    folder = folder.resolve()
    return TrackingStore(f"sqlite:///{folder / 'mlflow.db'}", (folder / "artifacts").as_uri())


@contextmanager
def connected(store: TrackingStore) -> Iterator[Any]:
    """Return the MLflow library, its fluent calls going to this store.

    Raises:
        TrackingError: in the block, anything that MLflow or the way to it raises.
    """
    mlflow = _library()
    if store.uri.startswith("sqlite:///"):
        Path(store.uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    before = mlflow.get_tracking_uri()
    spare(store.uri)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # MLflow's own, about itself
            mlflow.set_tracking_uri(store.uri)
            mlflow.set_registry_uri(store.uri)
            yield mlflow
    except (mlflow.exceptions.MlflowException, OSError) as exc:
        reason = str(exc).partition("\n")[0] or type(exc).__name__
        raise TrackingError(f"MLflow at {store.uri}: {_shortened(reason)}") from exc
    finally:
        mlflow.set_tracking_uri(before)
        mlflow.set_registry_uri(before)


def experiment(mlflow: Any, store: TrackingStore) -> str:
    """Return the id of our experiment, made when it is not there yet."""
    client = mlflow.MlflowClient()
    found = client.get_experiment_by_name(EXPERIMENT)
    if found is not None:
        return str(found.experiment_id)
    tags = {"mlflow.note.content": _ABOUT, "mlflow.experimentKind": "custom_model_development"}
    return str(client.create_experiment(EXPERIMENT, store.artifacts, tags))


def _shortened(reason: str) -> str:
    """A failed request is told with its whole address; the cause stands at the end."""
    if len(reason) <= _REASON_LIMIT:
        return reason
    half = _REASON_LIMIT // 2
    return f"{reason[:half]} … {reason[-half:]}"


def _library() -> Any:
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow
        import mlflow.pyfunc
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return mlflow

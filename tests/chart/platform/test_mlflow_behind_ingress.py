"""MLflow's own check of names and origins, given what the chart renders for an Ingress."""

import warnings
from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.chart.platform.test_ingress import MLFLOW, environment, ingress
from tests.chart.rendering import NAMESPACE, RELEASE

with warnings.catch_warnings():
    # Libraries of both name what is deprecated, once, at import.
    warnings.simplefilter("ignore", DeprecationWarning)
    from mlflow.server.fastapi_security import init_fastapi_security
    from starlette.testclient import TestClient

PATH = "/ajax-api/2.0/mlflow/experiments/create"


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client of an application behind MLflow's check."""
    given = environment(
        "mlflow", *MLFLOW, *ingress("mlflow", host="m.example.org", tlsSecret="m-tls")
    )
    for name, value in given.items():
        if name.startswith("MLFLOW_SERVER") and isinstance(value, str):
            monkeypatch.setenv(name, value)
    app = FastAPI()
    app.post(PATH)(lambda: {"experiment_id": "1"})
    init_fastapi_security(app)
    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("m.example.org", "https://m.example.org", 200),
        ("m.example.org", None, 200),
        (f"{RELEASE}-mlflow.{NAMESPACE}.svc:5000", None, 200),
        ("localhost:5000", "http://localhost:5000", 200),
        ("m.example.org", "https://evil.example.com", 403),
        ("m.example.org", "http://m.example.org", 403),
        ("evil.example.com", "https://m.example.org", 403),
        ("evil.example.com", None, 403),
    ],
)
def test_a_browser_may_change_things_by_the_public_name_only(
    browser: TestClient, host: str, origin: str | None, status: int
) -> None:
    """Pages of other origins, and names that only resolve to it, are turned away."""
    headers = {"Host": host} | ({"Origin": origin} if origin else {})
    assert browser.post(PATH, headers=headers).status_code == status

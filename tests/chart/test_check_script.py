"""The script that ``helm test`` runs, against a release that is well, and against ill ones."""

import importlib.util
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from serving.artifact import load_folder
from serving.control import VARIANTS
from tests.serving.fake_v2 import answer_of

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "model-settings"
SCRIPT = ROOT / "charts/crypto-volatility/files/tests/check.py"


def load() -> ModuleType:
    """Import the script from where the chart has it."""
    spec = importlib.util.spec_from_file_location("chart_check", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


check = load()


class Release:
    """Answers as adapter, Prometheus, Grafana and MLflow do; a test spoils what it wants."""

    def __init__(self) -> None:
        folders = {variant: load_folder(MODELS / variant) for variant in VARIANTS}
        self.golden = {variant: each.card.golden for variant, each in folders.items()}
        self.infos = {variant: each.info for variant, each in folders.items()}
        self.serves, self.off, self.status = "ml", 0.0, 200
        self.up = [("adapter", "a", "up"), ("adapter", "b", "up"), ("scorer", "c", "up")]
        self.rules: list[dict[str, Any]] = [{"name": "Watchdog", "health": "ok", "state": "firing"}]
        self.alertmanagers = [{"url": "http://alertmanager:9093/api/v2/alerts"}]
        self.hosts: list[str] = []
        self.keys: list[str | None] = []

    def score(self, variant: str, row: list[float | None]) -> float:
        """Return the golden score of a golden row, of any other that of the first."""
        return self.golden[variant].scores[self.at(variant, row)] + self.off

    def at(self, variant: str, row: list[float | None]) -> int:
        """Return which golden row that is, the first where it is none."""
        inputs = self.golden[variant].inputs
        return inputs.index(row) if row in inputs else 0

    def answer(self, path: str, body: Any) -> Any:
        """Return what the services would."""
        if path.startswith("/v2/models/") and path.endswith("/infer"):
            variant, [tensor] = path.split("/")[3], body["inputs"]
            data, width = tensor["data"], tensor["shape"][1]
            rows = [data[at : at + width] for at in range(0, len(data), width)]
            scores = [self.score(variant, row) for row in rows]
            severe = [self.golden[variant].severe[self.at(variant, row)] for row in rows]
            return answer_of(self.infos[variant], scores, severe)
        if path == "/predict":
            rows = [list(row.values()) for row in body["rows"]]
            scores = [self.score(self.serves, row) for row in rows]
            version = self.infos[self.serves].version
            return {"scores": scores, "model_variant": self.serves, "version": version}
        return self.asked(path)

    def asked(self, path: str) -> Any:
        """Return what Prometheus, Grafana and MLflow answer."""
        up = [{"labels": {"job": j, "instance": i}, "health": h} for j, i, h in self.up]
        return {
            "/api/v1/targets?state=active": {"data": {"activeTargets": up}},
            "/api/v1/rules": {"data": {"groups": [{"rules": self.rules}]}},
            "/api/v1/alertmanagers": {"data": {"activeAlertmanagers": self.alertmanagers}},
            "/api/health": {"database": "ok"},
            "/api/2.0/mlflow/experiments/search": {"experiments": [{"name": "Default"}]},
        }.get(path, "OK")


@pytest.fixture
def release() -> Release:
    """A release that is well."""
    return Release()


@pytest.fixture
def environment(release: Release) -> Iterator[dict[str, str]]:
    """The environment of a test pod beside that release."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.reply(None)

        def do_POST(self) -> None:
            self.reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def reply(self, body: Any) -> None:
            release.hosts.append(self.headers["Host"])
            release.keys.append(self.headers["X-API-Key"])
            answer = json.dumps(release.answer(self.path, body)).encode()
            self.send_response(release.status)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield {
        "ADAPTER_URL": url,
        "PROMETHEUS_URL": url,
        "GRAFANA_URL": url,
        "MLFLOW_HOSTS": f"127.0.0.1:{server.server_port},localhost:{server.server_port}",
        "MODELS": str(MODELS),
        "JOBS": "adapter,scorer",
        "DEADLINE_SECONDS": "0",
    }
    server.shutdown()
    thread.join()
    server.server_close()


def run(name: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a check; gives its exit code and what it printed."""
    code = check.main(name, environment)
    return code, capsys.readouterr().out


@pytest.mark.parametrize("name", ["serving", "monitoring", "mlflow"])
def test_what_is_well_is_said_to_be(
    name: str, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each check ends with 0 and says so on its last line."""
    code, said = run(name, environment, capsys)
    assert code == 0
    assert said.splitlines()[-1] == f"ok {name}"


def test_versions_and_scores_are_those_of_the_cards(
    release: Release, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Both variants are compared, whichever serves, and it is said which does."""
    release.serves = "baseline"
    _, said = run("serving", environment, capsys)
    versions = {variant: info.version for variant, info in release.infos.items()}
    assert f"V2 ml: {versions['ml']} gives its card's 8 golden scores" in said
    assert f"V2 baseline: {versions['baseline']} gives its card's 8 golden scores" in said
    assert f"/predict: baseline {versions['baseline']} serves" in said


def test_a_score_that_is_not_golden_fails(
    release: Release, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A billionth is too much, and row, score and expectation are named."""
    release.off = 2e-9
    code, said = run("serving", environment, capsys)
    assert code == 1
    found = release.golden["ml"].scores[0] + release.off
    assert said.startswith("FAILED serving: V2 ml ") and f"row 0: found score {found!r}" in said


def test_a_model_promoted_since_is_said_and_not_compared(
    release: Release, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that came after the last upgrade has no card here; V2 and /predict still agree."""
    digest = "ab" * 32
    release.infos["ml"] = replace(release.infos["ml"], digest=digest, version=digest[:12])
    code, said = run("serving", environment, capsys)
    assert code == 0
    assert "V2 ml: abababababab is none of this release's" in said


def test_the_probers_key_is_sent_where_there_is_one(
    release: Release, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the adapter asks for keys, the tests bring one."""
    code, _ = run("serving", environment | {"ADAPTER_PROBER_KEY": "k"}, capsys)
    assert code == 0 and "k" in release.keys


def test_an_adapter_that_is_away_fails(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listening is said as such."""
    code, said = run("serving", environment | {"ADAPTER_URL": "http://127.0.0.1:9"}, capsys)
    assert code == 1 and "expected an answer" in said


def test_an_adapter_that_answers_503_fails(
    release: Release, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that is away is no green test."""
    release.status = 503
    code, said = run("serving", environment, capsys)
    assert code == 1 and "found 503" in said


def test_targets_that_are_down_or_missing_are_named(
    release: Release, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """One replica down and a job without a target both fail, each by name."""
    release.up = [("adapter", "a", "up"), ("adapter", "b", "down")]
    code, said = run("monitoring", environment, capsys)
    assert code == 1
    assert "adapter b is down; scorer has no target, expected all up" in said


def test_a_rule_in_error_fails(
    release: Release, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Prometheus's own words are passed on."""
    release.rules.append({"name": "Bad", "health": "err", "lastError": "many-to-many"})
    code, said = run("monitoring", environment, capsys)
    assert code == 1 and "Bad: many-to-many" in said


def test_alerts_that_go_nowhere_fail(
    release: Release, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Prometheus without an Alertmanager tells nobody."""
    release.alertmanagers = []
    code, said = run("monitoring", environment, capsys)
    assert code == 1 and "found no Alertmanager" in said


def test_mlflow_is_asked_by_every_name(
    release: Release, environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """MLflow refuses hosts that it does not know, so each is tried."""
    run("mlflow", environment, capsys)
    assert set(release.hosts) == set(environment["MLFLOW_HOSTS"].split(","))

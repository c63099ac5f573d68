"""What happens when the model server is away, and the baseline that stands in."""

import pytest

from adapter.model_router import Fallback
from featurizer.features import NAMES
from serving.artifact import ArtifactError, load_folder, write_folder
from serving.linear import Linear

NAME = ("realized_volatility_60s",)
UNKNOWN = [None] * len(NAMES)


def _write(folder, variant="baseline"):
    model = Linear(variant, NAME, (0.001,), (0.001,), (0.0005,), (-1.0,), 0.0)
    card = {
        "dialect": "advanced",
        "tau": {"BTC-USD": 0.0012},
        "threshold": {"BTC-USD": 0.5},
        "golden": {"rows": [UNKNOWN], "scores": [model.score(UNKNOWN)]},
    }
    write_folder(folder, variant=variant, linear=model, card=card)
    return load_folder(folder)


@pytest.fixture
def artifact(tmp_path):
    """The baseline as it stands in model-settings."""
    return _write(tmp_path / "baseline")


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_model_that_is_not_loaded_or_fails_is_a_503(adapter, row, v2, status):
    """The client is told when to come again and nothing of our insides."""
    v2.status = {"ml": status}
    front = adapter(retry_after_seconds=7)
    answer = front.predict(row)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "127.0.0.1" not in answer.text
    assert front.sample("adapter_model_errors_total", variant="ml", kind="away") == 1


def test_a_server_that_is_gone_and_comes_back(adapter, row, v2):
    """No connection is a 503; once the server is back the next request is answered."""
    front = adapter()
    assert front.predict(row).status_code == 200
    v2.stop()
    assert front.predict(row).status_code == 503
    assert front.client.post("/v2/models/ml/infer", json={}).status_code == 503
    v2.start()
    assert front.predict(row).status_code == 200


def test_a_connection_closed_while_idle_fails_no_request(adapter, row, v2):
    """The server restarts between two requests: the second goes over a new connection."""
    front = adapter()
    assert front.predict(row).status_code == 200
    v2.stop()
    v2.start()
    assert front.predict(row).status_code == 200


def test_a_server_that_hangs_is_a_503_in_time(adapter, row, v2):
    """The time limit holds for the whole request."""
    v2.hang = True
    answer = adapter(model_timeout_seconds=0.2).predict(row)
    assert answer.status_code == 503


def test_the_baseline_stands_in_when_configured(adapter, row, v2, artifact):
    """Model away: the adapter's own baseline answers, says so, and health is degraded."""
    front = adapter(fallback=Fallback.of(artifact))
    assert front.predict(row).json()["model_variant"] == "ml"
    v2.status = {"ml": 404, "baseline": 404}
    front.clock.now += 1
    answer = front.predict(row, dict.fromkeys(row))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["model_variant"], body["version"]) == ("baseline", artifact.info.version)
    assert body["scores"][1] == 0.5
    assert front.sample("adapter_fallbacks_total") == 1
    health = front.client.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "degraded")
    assert health.json()["answered_by_fallback"] is True
    assert front.client.get("/readyz").status_code == 200


def test_fallback_and_model_server_give_the_same_bits(adapter, row, v2, artifact):
    """The baseline's scores do not depend on who computes them."""
    front = adapter(variant="baseline", fallback=Fallback.of(artifact))
    rows = [row | {"realized_volatility_60s": i * 1.7e-5} for i in range(200)]
    served = front.predict(*rows).json()["scores"]
    v2.stop()
    assert front.predict(*rows).json()["scores"] == served
    v2.start()


def test_the_fallback_must_be_the_baseline(tmp_path):
    """Another model in its place ends the start with a clear message."""
    with pytest.raises(ArtifactError, match="expected the linear one 'baseline'"):
        Fallback.of(_write(tmp_path / "ml", "ml"))


@pytest.mark.process
def test_the_fallback_needs_no_scikit_learn():
    """The front door starts without the libraries of training."""
    import subprocess
    import sys

    code = "import adapter.__main__, sys; print('sklearn' in sys.modules, 'joblib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False False"

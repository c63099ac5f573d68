"""What goes beyond the V2 contract, on a real ``mlserver start``: unknowns, bits, parameters."""

import json
from collections.abc import Iterator
from math import nan
from typing import Any

import grpc
import httpx
import pytest
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from featurizer.features import FEATURES_DIGEST, NAMES
from serving.linear import Linear

ZEROS = [0.0] * len(NAMES)


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[httpx.Client]:
    """HTTP to MLServer."""
    with httpx.Client(base_url=server.http, timeout=60) as opened:
        yield opened


def infer(client: httpx.Client, rows: list[Any], variant: str = "ml") -> dict[str, Any]:
    """Score rows over REST."""
    tensor = {
        "name": "features",
        "datatype": "FP64",
        "shape": [len(rows), len(NAMES)],
        "data": rows,
    }
    answer = client.post(f"/v2/models/{variant}/infer", json={"inputs": [tensor]})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_null_over_rest_is_unknown(client: httpx.Client, market: Any, linear: Linear) -> None:
    """Rows with nulls score as Linear does, to the bit; a row of nothing but nulls too."""
    unknown = [row for row in market.rows if None in row]
    rows = [*unknown[:20], [None] * len(NAMES)]
    found = infer(client, rows)["outputs"][0]["data"]
    assert found == [linear.score(row) for row in rows]


def test_nan_over_grpc_is_unknown(server: Any, market: Any, linear: Linear) -> None:
    """NaN over gRPC gives the bits that null gives over REST."""
    row = next(row for row in market.rows if None in row)
    request = pb.ModelInferRequest(model_name="ml")
    tensor = request.inputs.add(name="features", datatype="FP64", shape=[1, len(NAMES)])
    tensor.contents.fp64_contents.extend(nan if x is None else x for x in row)
    with grpc.insecure_channel(server.grpc) as channel:
        answer = GRPCInferenceServiceStub(channel).ModelInfer(request)
    assert list(answer.outputs[0].contents.fp64_contents) == [linear.score(row)]
    assert answer.parameters["features_digest"].string_param == FEATURES_DIGEST
    assert json.loads(answer.parameters["tau"].string_param)["BTC-USD"] == 0.0012


def test_score_does_not_depend_on_the_batch(client: httpx.Client, market: Any) -> None:
    """Each of 100 rows has the same bits alone, in a batch and in the batch turned round."""
    rows = market.rows[:100]
    together = infer(client, rows)["outputs"][0]["data"]
    turned = infer(client, rows[::-1])["outputs"][0]["data"]
    assert turned[::-1] == together
    for number in range(0, 100, 7):
        assert infer(client, [rows[number]])["outputs"][0]["data"] == [together[number]]


@pytest.mark.parametrize("variant", ["ml", "baseline"])
def test_answer_names_model_version_and_tau(client: httpx.Client, variant: str) -> None:
    """The parameters say variant, version, digests, dialect, τ and threshold."""
    body = infer(client, [ZEROS], variant)
    parameters = body["parameters"]
    assert parameters["model_variant"] == variant
    assert body["model_version"] == parameters["version"] == parameters["digest"][:12]
    assert parameters["features_digest"] == FEATURES_DIGEST
    assert parameters["dialect"] == "advanced"
    assert json.loads(parameters["tau"]) == {"BTC-USD": 0.0012, "ETH-USD": 0.0017}
    assert json.loads(parameters["threshold"]) == {"BTC-USD": 0.5, "ETH-USD": 0.4}


def test_baseline_looks_at_one_feature(client: httpx.Client) -> None:
    """The baseline takes the same tensor and minds realized_volatility_60s alone."""
    rows = [[1e-5, *ZEROS[1:]], [1e-5, *[None] * len(ZEROS[1:])], [2e-5, *ZEROS[1:]]]
    first, second, third = infer(client, rows, "baseline")["outputs"][0]["data"]
    assert first == second != third


def test_error_says_row_and_feature(client: httpx.Client) -> None:
    """A value that is no number is a 400 naming row and feature."""
    data = [*ZEROS, 0.0, "high", *ZEROS[2:]]
    tensor = {"name": "features", "datatype": "FP64", "shape": [2, len(NAMES)], "data": data}
    answer = client.post("/v2/models/ml/infer", json={"inputs": [tensor]})
    assert answer.status_code == 400
    assert "row 1, log_return_60s: found 'high'" in answer.json()["error"]


def test_metrics_count_inferences(server: Any, client: httpx.Client) -> None:
    """The metrics port counts answers by model."""
    infer(client, [ZEROS], "baseline")
    text = httpx.get(f"{server.metrics}/metrics", timeout=60).text
    (line,) = (
        line
        for line in text.splitlines()
        if line.startswith('model_infer_request_success_total{model="baseline"')
    )
    assert float(line.split()[-1]) >= 1


def test_log_is_json_lines(server: Any) -> None:
    """Every line of the log is a JSON object, and each model says that it was verified."""
    written = server.log.read_text().rpartition("\n")[0]  # it goes on writing: whole lines only
    lines = [json.loads(line) for line in written.splitlines()]
    assert all({"event", "level", "service", "timestamp"} <= set(line) for line in lines)
    verified = {line["model"] for line in lines if line["event"] == "model.verified"}
    assert verified == {"ml", "baseline"}

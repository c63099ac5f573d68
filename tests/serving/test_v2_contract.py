"""What our clients need of a V2 server, in finite numbers: any V2 server could pass it.

Nothing here knows MLServer: paths, bodies and messages are those of the V2 protocol
(Open Inference Protocol), status codes are only told apart as 2xx and 4xx.
"""

import struct
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import pytest
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.dataplane_pb2_grpc import GRPCInferenceServiceStub

from featurizer.features import NAMES
from serving.linear import Linear

WIDTH = len(NAMES)
ZEROS = [0.0] * WIDTH
ROWS = [[0.001 * (row + 1) * (column - 5) for column in range(WIDTH)] for row in range(3)]


@pytest.fixture(scope="module")
def client(server: Any) -> Iterator[httpx.Client]:
    """HTTP to the server."""
    with httpx.Client(base_url=server.http, timeout=60) as opened:
        yield opened


@pytest.fixture(scope="module")
def stub(server: Any) -> Iterator[Any]:
    """gRPC to the server."""
    with grpc.insecure_channel(server.grpc) as channel:
        yield GRPCInferenceServiceStub(channel)


def body_of(rows: list[list[float]], **changes: Any) -> dict[str, Any]:
    """A V2 request with flat data, the form every server takes."""
    flat = [value for row in rows for value in row]
    tensor = {"name": "features", "datatype": "FP64", "shape": [len(rows), WIDTH], "data": flat}
    return {"inputs": [tensor | changes]}


@pytest.mark.parametrize("path", ["/v2/health/live", "/v2/health/ready"])
def test_server_is_healthy(client: httpx.Client, path: str) -> None:
    """A running server with loaded models is live and ready."""
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("variant", ["ml", "baseline"])
def test_model_is_ready(client: httpx.Client, variant: str) -> None:
    """Each variant answers for itself."""
    assert client.get(f"/v2/models/{variant}/ready").status_code == 200


def test_unknown_model_is_not_ready(client: httpx.Client) -> None:
    """A model that is not there is a 404, so readiness means something."""
    assert client.get("/v2/models/no-such-model/ready").status_code == 404


def test_server_metadata(client: httpx.Client) -> None:
    """The server gives name, version and extensions."""
    assert {"name", "version", "extensions"} <= set(client.get("/v2").json())


@pytest.mark.parametrize("variant", ["ml", "baseline"])
def test_model_metadata(client: httpx.Client, variant: str) -> None:
    """Both variants take and give the same tensors, so that a switch changes no client."""
    metadata = client.get(f"/v2/models/{variant}").json()
    assert metadata["name"] == variant
    (tensor,) = metadata["inputs"]
    assert (tensor["name"], tensor["datatype"], tensor["shape"]) == (
        "features",
        "FP64",
        [-1, WIDTH],
    )
    (tensor,) = metadata["outputs"]
    assert (tensor["name"], tensor["datatype"], tensor["shape"]) == ("score", "FP64", [-1])


@pytest.mark.parametrize("variant", ["ml", "baseline"])
def test_infer_gives_one_score_a_row(client: httpx.Client, variant: str) -> None:
    """n rows give n probabilities, under the model's name and the request's id."""
    request = body_of(ROWS) | {"id": "request-1"}
    answer = client.post(f"/v2/models/{variant}/infer", json=request)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["model_name"], body["id"]) == (variant, "request-1")
    (output,) = body["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("score", "FP64", [3])
    assert all(0 <= score <= 1 for score in output["data"])


def test_infer_scores_as_the_model(client: httpx.Client, linear: Linear) -> None:
    """The scores are the model's, within rounding."""
    answer = client.post("/v2/models/ml/infer", json=body_of(ROWS)).json()
    expected = [linear.score(row) for row in ROWS]
    assert answer["outputs"][0]["data"] == pytest.approx(expected, abs=1e-12)


def test_output_may_be_asked_for_by_name(client: httpx.Client) -> None:
    """Asking for ``score`` gives ``score``."""
    request = body_of(ROWS) | {"outputs": [{"name": "score"}]}
    answer = client.post("/v2/models/ml/infer", json=request).json()
    assert [output["name"] for output in answer["outputs"]] == ["score"]


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [1, 11]},
        {"shape": [2, WIDTH]},
        {"shape": [1, 11], "data": [0.0] * 11},
        {"name": "no-such-input"},
        {"datatype": "no-such-type"},
        {"data": ["zero"] * WIDTH},
    ],
    ids=["shape", "rows", "width", "name", "datatype", "text"],
)
def test_wrong_tensor_is_a_clients_error(client: httpx.Client, change: dict[str, Any]) -> None:
    """A tensor that cannot be scored is a 4xx with a reason, never a 5xx."""
    answer = client.post("/v2/models/ml/infer", json=body_of([ZEROS], **change))
    assert 400 <= answer.status_code < 500
    assert answer.json()


def test_body_that_is_no_json_is_a_clients_error(client: httpx.Client) -> None:
    """A broken body is a 4xx."""
    headers = {"Content-Type": "application/json"}
    answer = client.post("/v2/models/ml/infer", content=b'{"inputs', headers=headers)
    assert 400 <= answer.status_code < 500


def test_infer_of_an_unknown_model(client: httpx.Client) -> None:
    """Scoring by a model that is not there is a 404."""
    assert client.post("/v2/models/no-such/infer", json=body_of([ZEROS])).status_code == 404


def test_an_error_leaves_the_server_answering(client: httpx.Client) -> None:
    """After a wrong request the next right one is answered."""
    client.post("/v2/models/ml/infer", json=body_of([ZEROS], shape=[1, 11]))
    assert client.post("/v2/models/ml/infer", json=body_of([ZEROS])).status_code == 200


def grpc_request(rows: list[list[float]], *, raw: bool) -> Any:
    """A V2 request over gRPC, with typed contents or raw bytes."""
    values = [value for row in rows for value in row]
    request = pb.ModelInferRequest(model_name="ml", id="request-2")
    tensor = request.inputs.add(name="features", datatype="FP64", shape=[len(rows), WIDTH])
    if raw:
        request.raw_input_contents.append(struct.pack(f"<{len(values)}d", *values))
    else:
        tensor.contents.fp64_contents.extend(values)
    return request


def grpc_scores(answer: Any) -> list[float]:
    """The scores of an answer, wherever the server put them."""
    if answer.raw_output_contents:
        raw = answer.raw_output_contents[0]
        return list(struct.unpack(f"<{len(raw) // 8}d", raw))
    return list(answer.outputs[0].contents.fp64_contents)


def test_grpc_health_and_metadata(stub: Any) -> None:
    """Server and model are live, ready and described over gRPC too."""
    assert stub.ServerLive(pb.ServerLiveRequest()).live
    assert stub.ServerReady(pb.ServerReadyRequest()).ready
    assert stub.ModelReady(pb.ModelReadyRequest(name="ml")).ready
    metadata = stub.ModelMetadata(pb.ModelMetadataRequest(name="ml"))
    assert [(t.name, list(t.shape)) for t in metadata.inputs] == [("features", [-1, WIDTH])]


@pytest.mark.parametrize("raw", [False, True], ids=["contents", "raw"])
def test_grpc_infer(stub: Any, linear: Linear, raw: bool) -> None:
    """Typed and raw contents give the model's scores."""
    answer = stub.ModelInfer(grpc_request(ROWS, raw=raw))
    assert (answer.model_name, answer.id) == ("ml", "request-2")
    assert list(answer.outputs[0].shape) == [3]
    expected = [linear.score(row) for row in ROWS]
    assert grpc_scores(answer) == pytest.approx(expected, abs=1e-12)


def test_grpc_wrong_tensor_is_a_clients_error(stub: Any) -> None:
    """Eleven values a row are an INVALID_ARGUMENT."""
    request = grpc_request([ZEROS], raw=False)
    request.inputs[0].shape[:] = [1, 11]
    with pytest.raises(grpc.RpcError) as caught:
        stub.ModelInfer(request)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_grpc_unknown_model(stub: Any) -> None:
    """A model that is not there is NOT_FOUND."""
    request = grpc_request([ZEROS], raw=False)
    request.model_name = "no-such-model"
    with pytest.raises(grpc.RpcError) as caught:
        stub.ModelInfer(request)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND

"""V2 through the adapter: unchanged, and nothing but two models."""

import json
from functools import partial

import httpx
import pytest

from adapter.passthrough import NotServed, target
from featurizer.features import NAMES

# Straight to 127.0.0.1, whatever proxy the environment names.
get = partial(httpx.get, trust_env=False, timeout=60)
post = partial(httpx.post, trust_env=False, timeout=60)

TENSOR = {
    "name": "features",
    "shape": [1, len(NAMES)],
    "datatype": "FP64",
    "data": [0.5] * len(NAMES),
}


@pytest.mark.parametrize(
    "path",
    [
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/ml",
        "/v2/models/baseline/ready",
        "/v2/models/ml/versions/3f9c2a7d1b04",
        "/v2/models/ml/versions/3f9c2a7d1b04/ready",
    ],
)
def test_health_and_metadata_come_back_byte_for_byte(adapter, v2, path):
    """Status, body, type and own headers are those of the server."""
    own = get(v2.url + path)
    answer = adapter().client.get(path)
    assert (answer.status_code, answer.content) == (own.status_code, own.content)
    assert answer.headers["content-type"] == own.headers["content-type"]
    assert answer.headers["x-own"] == "1"
    assert v2.requests[-1][1] == path


@pytest.mark.parametrize("path", ["/v2/models/ml/infer", "/v2/models/baseline/versions/3f9c/infer"])
def test_inference_passes_byte_for_byte(adapter, v2, path):
    """The body arrives as it was sent and comes back as it was given."""
    body = json.dumps({"inputs": [TENSOR]}, indent=3).encode()
    headers = {"Content-Type": "application/json"}
    own = post(v2.url + path, content=body, headers=headers)
    answer = adapter().client.post(path, content=body, headers=headers)
    assert (answer.status_code, answer.content) == (200, own.content)
    assert v2.requests[-1] == ("POST", path, body)


def test_an_error_of_the_server_keeps_status_and_words(adapter, v2):
    """As a problem, with the ``error`` of V2 as the server gave it."""
    front = adapter()
    answer = front.client.post("/v2/models/ml/infer", json={})
    assert (answer.status_code, answer.json()["error"]) == (422, "no inputs")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    v2.status = {"ml": 404}
    answer = front.client.get("/v2/models/ml/ready")
    assert (answer.status_code, answer.json()["error"]) == (404, "Model ml not found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v2/repository/index"),
        ("POST", "/v2/repository/models/ml/load"),
        ("POST", "/v2/repository/models/ml/unload"),
        ("POST", "/v2/models/ml/../../repository/index"),
        ("POST", "/v2/models/ml%2F..%2F..%2Frepository%2Findex/infer"),
        ("GET", "/v2/models/ml/versions/%2e%2e"),
        ("GET", "/v2/models/ml/versions/..%2f..%2frepository/ready"),
        ("POST", "/v2/models/other/infer"),
        ("GET", "/v2/models/other"),
        ("POST", "/v2/models/ml/infer_stream"),
        ("GET", "/v2/docs"),
    ],
)
def test_nothing_else_reaches_the_server(adapter, v2, method, path):
    """The repository, other models and tricks with paths are a 404 of ours."""
    answer = adapter().client.request(method, path)
    assert answer.status_code == 404
    assert answer.json()["error"]
    assert v2.requests == []


@pytest.mark.parametrize("version", ["..", ".", "", "a/b", "a%2fb", "a?b", "a b"])
def test_a_version_cannot_change_the_path(version):
    """A version is letters, digits, dots, dashes and no way up."""
    with pytest.raises(NotServed):
        target("/v2/models/{variant}/versions/{version}", {"variant": "ml", "version": version})


def test_the_body_limit_holds_for_inference(adapter, v2):
    """More than 1 MiB is a 413 before it reaches the server."""
    answer = adapter().client.post("/v2/models/ml/infer", content=b" " * ((1 << 20) + 1))
    assert answer.status_code == 413
    assert v2.requests == []


def test_inference_needs_a_key_where_predict_does(adapter, v2):
    """V2 is no way around the keys."""
    front = adapter(api_keys="ann:secret")
    assert front.client.post("/v2/models/ml/infer", json={}).status_code == 401
    assert v2.requests == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/octet-stream"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json", "Inference-Header-Content-Length": "7"},
    ],
)
def test_what_is_not_json_is_a_415(adapter, headers):
    """The client's own error, with V2's ``error``; the server is not asked, nobody is paged."""
    front = adapter()
    answer = front.client.post("/v2/models/ml/infer", content=b"\x00" * 16, headers=headers)
    assert answer.status_code == 415
    assert "expected" in answer.json()["error"] == answer.json()["detail"]
    assert front.sample("adapter_requests_total", status="5xx") in (0, None)


def test_json_by_other_names_passes(adapter):
    """With a charset, as a kind of JSON, or without any name."""
    front = adapter()
    body = b'{"inputs":[]}'
    for kind in ("application/json; charset=utf-8", "application/vnd.v2+json", ""):
        headers = {"Content-Type": kind} if kind else {}
        answer = front.client.post("/v2/models/ml/infer", content=body, headers=headers)
        assert answer.status_code != 415

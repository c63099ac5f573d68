"""Health, version, documentation, errors, ids and logs of the adapter."""

import json
import re

import jsonschema
import pytest
from structlog.testing import capture_logs

from adapter.passthrough import INFER_PATHS
from featurizer.features import FEATURES_DIGEST, NAMES, REQUIRED

PROBLEM = "application/problem+json"


def test_health_is_well_when_all_is(adapter):
    """Both models answer, control is followed: 200 and no warning."""
    answer = adapter().client.get("/health")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["status"], body["variant"], body["warnings"]) == ("well", "ml", [])
    assert body["models"]["ml"]["digest"] == "a" * 64
    assert body["models"]["baseline"]["answers"] is True


def test_health_is_503_only_when_predict_would_be(adapter, v2):
    """The variant that serves is away: 503; only the other one: 200 with a warning."""
    v2.status = {"baseline": 404}
    front = adapter()
    answer = front.client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    front.serving.variant = "baseline"
    answer = front.client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unable")
    assert front.client.get("/readyz").json() == {"ready": False, "missing": ["model"]}


def test_health_sees_a_model_come_back_within_a_second(adapter, v2):
    """What is known of a model is asked again after a second, no sooner."""
    v2.status = {"ml": 404}
    front = adapter()
    assert front.client.get("/health").status_code == 503
    v2.status = {}
    asked = len(v2.requests)
    assert front.client.get("/health").status_code == 503
    assert len(v2.requests) == asked
    front.clock.now += 1
    assert front.client.get("/health").status_code == 200


def test_health_warns_of_a_foreign_dialect(adapter, v2):
    """A model of another dialect than the feed's: 200, and a warning."""
    v2.parameters = {"dialect": "exchange"}
    front = adapter()
    answer = front.client.get("/health")
    assert answer.status_code == 200
    assert "variant ml was trained on dialect exchange" in answer.json()["warnings"][0]


def test_kafka_away_is_a_warning_and_the_last_variant_stays(adapter, row):
    """Without the broker the adapter answers on, by the variant it knew."""
    front = adapter()
    front.serving.variant = "baseline"
    front.control.append("away")
    body = front.client.get("/health").json()
    assert (body["status"], body["control"]) == ("degraded", "away")
    assert front.predict(row).json()["model_variant"] == "baseline"
    assert front.client.get("/readyz").status_code == 200


def test_ready_waits_for_control_but_not_for_long(adapter):
    """Until the topic control is read the variant may be wrong; a broker away must not matter."""
    front = adapter()
    front.control.append("starting")
    assert front.client.get("/readyz").json()["missing"] == ["control"]
    front.clock.now += 5
    assert front.client.get("/readyz").status_code == 200


def test_version_names_service_and_models(adapter):
    """Service version, variant, model version, digest and feature definitions are named."""
    body = adapter().client.get("/version").json()
    assert (body["service_version"], body["model_variant"]) == ("0.1.0", "ml")
    assert (body["version"], body["digest"]) == ("a" * 12, "a" * 64)
    assert body["features_digest"] == FEATURES_DIGEST
    assert body["models"]["baseline"]["version"] == "b" * 12


def test_alive_asks_nobody(adapter, v2):
    """/healthz does not depend on the model."""
    v2.stop()
    assert adapter().client.get("/healthz").status_code == 200
    v2.start()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("GET", "/predict", 405),
        ("DELETE", "/health", 405),
        ("GET", "/predict/", 404),
    ],
)
def test_wrong_paths_and_methods_are_problems(adapter, method, path, status):
    """404 and 405 are problem documents with the request's id."""
    answer = adapter().client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, PROBLEM)
    body = answer.json()
    assert body["status"] == status
    assert body["request_id"] == answer.headers["x-request-id"]


def test_405_says_what_is_allowed(adapter):
    """A wrong method is told the right one."""
    assert adapter().client.get("/predict").headers["allow"] == "POST"


def test_a_request_id_is_taken_and_given_back(adapter, row):
    """The caller's id is used, in answers good and bad."""
    front = adapter()
    headers = {"X-Request-ID": "order-66"}
    assert front.predict(row, headers=headers).headers["x-request-id"] == "order-66"
    assert front.predict({}, headers=headers).json()["request_id"] == "order-66"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, 'a"b', "é"])
def test_a_request_id_unfit_for_a_log_is_replaced(adapter, given):
    """An id that is too long or has strange characters is made anew."""
    answer = adapter().client.get("/healthz", headers={"X-Request-ID": given.encode()})
    assert len(answer.headers["x-request-id"]) == 32


def test_one_log_line_per_request(adapter, row):
    """The line has id, status, seconds, rows, variant and client; probes that succeed have none."""
    front = adapter()
    with capture_logs() as lines:
        front.predict(row, row, headers={"X-Request-ID": "r1"})
        front.client.get("/healthz")
    [line] = [each for each in lines if each["event"] == "http.request"]
    assert line["request_id"] == "r1"
    assert (line["status"], line["rows"], line["variant"]) == (200, 2, "ml")
    assert line["client"] == "address:198.51.100.1"
    assert line["seconds"] >= 0


def test_an_error_of_ours_is_a_problem_and_a_log_line(adapter):
    """What nobody foresaw is a 500 without a traceback for the client, with one in the log."""
    front = adapter()
    front.control.clear()  # so that asking for it is an IndexError
    with capture_logs() as lines:
        answer = front.client.get("/health")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    assert any(line["event"] == "http.failed" for line in lines)


def test_the_examples_of_the_documentation_work(adapter):
    """Each request in openapi.json is answered 200 as it stands."""
    front = adapter()
    paths = front.client.get("/openapi.json").json()["paths"]
    content = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]
    for example in content["examples"].values():
        assert front.client.post("/predict", json=example["value"]).status_code == 200
    infer = paths["/v2/models/{variant}/infer"]["post"]["requestBody"]["content"]
    body = infer["application/json"]["example"]
    assert front.client.post("/v2/models/ml/infer", json=body).status_code == 200


def test_the_documented_schema_has_every_feature(adapter):
    """The schema names all features, requires those of the first release and refuses others."""
    paths = adapter().client.get("/openapi.json").json()["paths"]
    content = paths["/predict"]["post"]["requestBody"]["content"]["application/json"]
    row = content["schema"]["properties"]["rows"]["items"]
    assert (tuple(row["properties"]), tuple(row["required"])) == ((*NAMES, "tau"), REQUIRED)
    assert row["additionalProperties"] is False


OPERATIONS = ("get", "post")


@pytest.fixture
def document(adapter):
    """What ``/openapi.json`` says."""
    return adapter().client.get("/openapi.json").json()


def test_every_operation_is_described_whole(document):
    """Path parameters declared, ids that are unique, errors of the client's and of ours."""
    found = [
        (path, operation)
        for path, operations in document["paths"].items()
        for name, operation in operations.items()
        if name in OPERATIONS
    ]
    assert len(found) == sum(map(len, document["paths"].values()))
    assert len({operation["operationId"] for _, operation in found}) == len(found)
    for path, operation in found:
        declared = [each["name"] for each in operation.get("parameters", ())]
        assert sorted(declared) == sorted(re.findall(r"{(\w+)}", path))
        assert all(
            each["in"] == "path" and each["required"] for each in operation.get("parameters", ())
        )
        answers = operation["responses"]
        assert {"200", "4XX", "5XX"} <= answers.keys()
        assert all(answer["description"] for answer in answers.values())


def test_schemas_and_examples_agree(document):
    """By a validator that is not ours: schemas are schemas, and each example fits its own."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for answer in (*operation["responses"].values(), operation.get("requestBody", {})):
                for content in answer.get("content", {}).values():
                    schema = jsonschema.Draft202012Validator(content["schema"])
                    schema.check_schema(content["schema"])
                    examples = [each["value"] for each in content.get("examples", {}).values()]
                    examples += [content["example"]] if "example" in content else []
                    for example in examples:
                        schema.validate(example)


PAGES = ("/health", "/version", "/metrics", "/healthz", "/readyz", "/docs", "/openapi.json")


@pytest.mark.parametrize("path", [*PAGES, "/v2", "/v2/models/ml", "/v2/models/ml/ready"])
def test_head_is_where_get_is(adapter, path):
    """With the same status and type, as a load balancer asks."""
    client = adapter().client
    got, asked = client.get(path), client.head(path)
    assert (asked.status_code, asked.headers["content-type"]) == (200, got.headers["content-type"])


def test_docs_can_be_read_without_the_internet(adapter):
    """The page has its substance in itself, not only in a script from elsewhere."""
    page = adapter().client.get("/docs")
    assert page.status_code == 200
    assert "POST /predict" in page.text
    assert "realized_volatility_60s" in page.text


def test_metrics_count_requests_rows_and_who_serves(adapter, row):
    """Requests by route and class of status, rows, the variant that serves and its model."""
    front = adapter()
    front.predict(row, row)
    front.predict({})
    front.client.get("/strange")
    text = front.client.get("/metrics").text
    labels = {"route": "/predict", "method": "POST", "variant": "ml", "status": "2xx"}
    assert front.sample("adapter_requests_total", **labels) == 1
    labels |= {"variant": "none", "status": "4xx"}
    assert front.sample("adapter_requests_total", **labels) == 1
    assert front.sample("adapter_rows_sum") == 2
    assert front.sample("adapter_serving_variant", variant="ml") == 1
    assert front.sample("adapter_serving_variant", variant="baseline") == 0
    for status, count in (("2xx", 1), ("4xx", 1), ("5xx", 0)):
        series = f'bucket{{le="0.8",route="/predict",status="{status}"}} {count}.0'
        assert f"adapter_request_duration_seconds_{series}" in text
    assert 'route="other"' in text
    assert "/strange" not in text


def test_metrics_start_at_zero(adapter):
    """An error rate can be seen from the first error on."""
    text = adapter().client.get("/metrics").text
    for route in ("/predict", *INFER_PATHS):
        zero = f'method="POST",route="{route}",status="5xx",variant="none"}} 0.0'
        assert f"adapter_requests_total{{{zero}" in text
        assert f'adapter_rate_limited_total{{route="{route}"}} 0.0' in text


def test_answers_are_json_that_says_so(adapter):
    """Health, version and readiness are JSON."""
    front = adapter()
    for path in ("/health", "/version", "/readyz", "/healthz"):
        answer = front.client.get(path)
        assert answer.headers["content-type"] == "application/json"
        json.loads(answer.content)

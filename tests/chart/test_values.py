"""values.schema.json: what it refuses, and that it has no hole."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.chart.profiles import PROFILES, objects
from tests.chart.rendering import CHART, ROOT, Refused, one, rendered

SCHEMA = json.loads((CHART / "values.schema.json").read_text())

TYPOS = [
    "imagee.stream.tag=x",
    "image.strem.tag=x",
    "image.stream.tags=x",
    "feed.product=BTC-USD",
    "kafka.node=3",
    "kafka.storage.sizes=1Gi",
    "kafka.resources.request.cpu=1",
    "serving.models.ml.version=3c22ce49228e",
    "serving.model.ml.digest=3c22ce49228e",
    "monitoring.enabled=true",
    "autoscaling.enabled=true",
    "autoscaling.adapter.maxReplica=3",
    "mlflow.enable=true",
    "retraining.suspended=false",
    "tests.enable=false",
    "tracing.url=http://x",
    "secrets.proberkey.value=x",
    "secrets.proberKey.values=x",
    "networkPolicy.enable=false",
    "networkPolicy.ingressFrom.adaptor=[]",
    "defaults.podLabel.a=b",
    "components.adaptor.replicas=2",
    "components.adapter.replica=2",
    "components.adapter.probes.ready.path=/readyz",
    "components.adapter.probes.readiness.paht=/readyz",
    "components.adapter.probes.readiness.period=3",
    "components.adapter.service.nodePort=30800",
    "components.adapter.resources.limit.memory=1Gi",
    "components.adapter.resources.limits.mem=1Gi",
    "components.prometheus.persistence.sizes=1Gi",
]

WRONG = [
    "kafka.nodes=2",
    "kafka.mode=strimzi",
    "kafka.heap=512m",
    "kafka.clusterId=short",
    "serving.mode=kserve",
    "serving.models.ml.digest=XYZ",
    "serving.models.image=models",
    "serving.models.image=models:latest",
    "serving.kept=0",
    "monitoring.mode=operator",
    "autoscaling.mode=keda",
    "feed.url=https://example.com",
    "feed.products={btc}",
    "image.stream.tag=latest",
    "image.pullPolicy=Sometimes",
    "components.adapter.image=stram",
    "components.adapter.replicas=-1",
    "components.adapter.strategy=Rolling",
    "components.adapter.connects={kafka,mlsever}",
    "components.adapter.service.type=Nodeport",
    "components.adapter.service.nodePorts.http=800",
    "components.adapter.ports.http=0",
    "components.adapter.user=0",
    "components.adapter.terminationGracePeriodSeconds=0",
    "components.adapter.secretEnv.ADAPTER_API_KEYS=apikeys",
    "components.adapter.probes.readiness.periodSeconds=0",
    "components.adapter.resources.limits.memory=lots",
    "components.adapter.env.adapter_rate_limit=1/minute",
    "components.adapter.env.ADAPTER_RATELIMIT=1/minute",
    "components.ingestor.replicas=2",
    "components.prometheus.replicas=2",
    "fullnameOverride=Upper",
    "tracing.sampler=sometimes",
]


@pytest.mark.parametrize("typo", TYPOS)
def test_a_name_that_is_not_there_is_refused(typo: str) -> None:
    """A mistyped value is an error, at every depth, and the error names the place."""
    with pytest.raises(Refused, match=r"additional propert(y|ies).*not allowed"):
        rendered("--set", typo)


@pytest.mark.parametrize("value", WRONG)
def test_a_value_that_cannot_be_is_refused(value: str) -> None:
    """What no mode, port or image can be is an error before anything is installed."""
    with pytest.raises(Refused, match="don't meet the specifications of the schema"):
        rendered("--set", value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("components.adapter.service.nodePorts.htp=30800", "expected one of the ports http"),
        ("feed.url=ws://{{ .at.simulator }}:8765", "components.simulator.enabled is false"),
    ],
)
def test_values_that_contradict_each_other_are_refused(value: str, message: str) -> None:
    """What no schema can see is found while rendering, in words."""
    with pytest.raises(Refused, match=message):
        rendered("--set", value)


def test_variables_are_those_that_services_read() -> None:
    """A mistyped variable of ours would be ignored: the schema has those of docs/settings.md."""
    ours, foreign = (
        next(iter(each.values())) for each in SCHEMA["definitions"]["variable"]["anyOf"]
    )
    text = (ROOT / "docs" / "settings.md").read_text()
    documented = set(re.findall(r"^\| `([A-Z_]+)` ", text, re.MULTILINE))
    assert set(ours) == {name for name in documented if not re.search(foreign, name)}


def test_replicas_of_none_are_none() -> None:
    """Zero is a number of its own, not an absent one."""
    things = rendered("--set", "components.scorer.replicas=0,components.scorer.preStopSeconds=0")
    spec = one(things, "Deployment", "scorer")["spec"]
    assert spec["replicas"] == 0
    assert "lifecycle" not in spec["template"]["spec"]["containers"][0]


def subschemas(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every schema in a schema, with its place."""
    if isinstance(schema, dict):
        yield path, schema
    for key, part in schema.items() if isinstance(schema, dict) else enumerate(schema):
        if isinstance(part, dict | list):
            yield from subschemas(part, f"{path}/{key}")


def test_no_object_takes_any_key() -> None:
    """Every object is closed, or says what its values are; but for parts of Kubernetes' own.

    And for what a parent gives to all its charts, of which ours is one.
    """
    open_ones = [
        path
        for path, schema in subschemas(SCHEMA)
        if schema.get("type") == "object" and schema.get("additionalProperties", True) is True
    ]
    assert open_ones == ["/definitions/kubernetes", "/properties/global"]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_schema_takes_every_profile(profile: str) -> None:
    """What the chart brings itself is allowed."""
    assert objects(profile)

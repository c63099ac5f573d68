"""docs/backup.md: the pod that holds a claim, and the claims, names and tools that it goes by."""

import re

import kubernetes_validate
import pytest
import yaml

from tests.chart.delivery.test_uninstall import claims
from tests.chart.profiles import objects, pods
from tests.chart.rendering import ROOT, Manifest, one

PAGE = (ROOT / "docs" / "backup.md").read_text()


def holder() -> Manifest:
    """Return the pod that the page makes for a claim."""
    (text,) = re.findall(r"<<POD\n(.*?)^POD$", PAGE, re.MULTILINE | re.DOTALL)
    pod: Manifest = yaml.safe_load(text.replace("$1", "data-crypto-volatility-kafka-0"))
    return pod


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_the_holder_is_valid(version: str) -> None:
    """Kubernetes knows each of its fields."""
    kubernetes_validate.validate(holder(), version, strict=True)


def test_the_holder_is_kafkas_user_with_kafkas_image_and_restricted() -> None:
    """So that it may read what the broker wrote, under the policy of the namespace."""
    kafka = pods("default")["StatefulSet/crypto-volatility-kafka"]
    spec = holder()["spec"]
    (mine,), (its,) = spec["containers"], kafka["containers"]
    assert mine["image"] == its["image"]
    assert mine["securityContext"] == its["securityContext"]
    same = ("runAsUser", "runAsGroup", "fsGroup", "runAsNonRoot", "seccompProfile")
    for name in same:
        assert spec["securityContext"][name] == kafka["securityContext"][name]


def test_the_claims_and_the_folder_are_kafkas() -> None:
    """By number, and what is emptied is where its logs are."""
    stateful = one(objects("prod"), "StatefulSet", "kafka")
    names = {claim["metadata"]["name"] for claim in claims(stateful)}
    assert names == {f"data-crypto-volatility-kafka-{number}" for number in range(3)}
    assert PAGE.count("hold data-crypto-volatility-kafka-$n") == 2
    (broker,) = pods("prod")["StatefulSet/crypto-volatility-kafka"]["containers"]
    mounts = {each["name"]: each["mountPath"] for each in broker["volumeMounts"]}
    logs = next(each["value"] for each in broker["env"] if each["name"] == "KAFKA_LOG_DIRS")
    emptied = logs.replace(mounts["data"], "/data")
    assert f"rm -rf {emptied}'" in PAGE


@pytest.mark.parametrize(("component", "folder"), [("mlflow", "/artifacts")])
def test_mlflows_folder_is_where_its_volume_is(component: str, folder: str) -> None:
    """What is packed is the claim."""
    deployment = one(objects("prod"), "Deployment", component)
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert folder in {each["mountPath"] for each in container["volumeMounts"]}
    assert PAGE.count(f"tar -C {folder} ") == 2


def test_the_database_and_its_user_are_the_charts() -> None:
    """As PostgreSQL is told to make them."""
    deployment = one(objects("prod"), "Deployment", "postgres")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert f"pg_dump --username {env['POSTGRES_USER']}" in PAGE
    assert f"--dbname {env['POSTGRES_DB']} " in PAGE

"""Retraining in the chart: asleep, without rights, and its candidates can be fetched."""

from typing import Any

import pytest
import yaml

from tests.chart.rendering import (
    RELEASE,
    Manifest,
    Refused,
    named,
    one,
    pod_of,
    rendered,
    setting,
    variables,
)
from training.commands.train import add
from training.config import TrainingSettings


def job(*options: str) -> Manifest:
    """Return the CronJob."""
    return one(rendered(*options), "CronJob", "retraining")


def container(*options: str) -> Manifest:
    """Return the container that trains."""
    (found,) = pod_of(job(*options))["containers"]
    return dict(found)


def test_it_sleeps_until_somebody_says_otherwise() -> None:
    """Suspended by default, and never two at once."""
    spec = job()["spec"]
    assert spec["suspend"] is True
    assert spec["concurrencyPolicy"] == "Forbid"
    assert job(*setting("retraining.suspend=false"))["spec"]["suspend"] is False


def test_the_command_is_one_that_training_knows() -> None:
    """It reads the topic, and its arguments are those of `python -m training train`."""
    import argparse

    command = container(*setting("retraining.feeds={coinbase,other}"))["command"]
    assert command[:3] == ["python", "-m", "training"]
    parser = argparse.ArgumentParser()
    add(parser.add_subparsers())
    options = parser.parse_args(command[3:])
    assert options.from_topic and options.feed == ["coinbase", "other"] and options.no_tracking


def test_it_never_promotes() -> None:
    """Its commands have no promotion, its pod no token, and models are not mounted."""
    pod = pod_of(job())
    assert "promote" not in str(pod)
    assert pod["automountServiceAccountToken"] is False
    assert {v["name"] for v in pod["volumes"]} == {"tmp", "candidates"}
    kinds = {thing["kind"] for thing in rendered()}
    assert not kinds & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


def test_candidates_go_to_a_claim_that_stays() -> None:
    """Run folders are written where TRAINING_RUNS says: on the claim."""
    found = container()
    runs = variables(found)["TRAINING_RUNS"]
    assert {m["mountPath"] for m in found["volumeMounts"] if m["name"] == "candidates"} == {runs}
    claim = one(rendered(), "PersistentVolumeClaim", "candidates")
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def test_the_claim_has_a_first_user_at_the_install() -> None:
    """A claim without a user stays unbound with most storage classes, and helm --wait waits."""
    first = one(rendered(), "Job", "candidates-1")
    volumes = {v["name"]: v for v in pod_of(first)["volumes"]}
    assert volumes["candidates"]["persistentVolumeClaim"] == {"claimName": f"{RELEASE}-candidates"}


def test_its_settings_are_settings_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every variable TRAINING_… names a field, and its value is taken."""
    found = variables(container(*setting("retraining.jobs=3,retraining.tauPercentile=95")))
    own = {name: value for name, value in found.items() if name.startswith("TRAINING_")}
    for name, value in own.items():
        assert name.removeprefix("TRAINING_").lower() in TrainingSettings.model_fields
        monkeypatch.setenv(name, value)
    settings = TrainingSettings()
    assert settings.jobs == 3 and settings.tau_percentile == 95


def test_it_waits_for_the_topics_and_speaks_to_kafka() -> None:
    """As every reader of a topic does, with the same names and prefix."""
    pod = pod_of(job(*setting("kafka.topicPrefix=try-")))
    assert [c["name"] for c in pod["initContainers"]] == ["wait-for-topics"]
    found = variables(pod["containers"][0])
    assert found["KAFKA_BOOTSTRAP_SERVERS"] == f"{RELEASE}-kafka:9092"
    assert found["KAFKA_TOPIC_PREFIX"] == "try-"


def test_it_tracks_where_mlflow_is() -> None:
    """With MLflow the run is logged there; without, evidence is in the run folder alone."""
    tracked = container(*setting("mlflow.enabled=true"))
    assert "--no-tracking" not in tracked["command"]
    assert variables(tracked)["MLFLOW_TRACKING_URI"] == f"http://{RELEASE}-mlflow:5000"
    assert "MLFLOW_TRACKING_URI" not in variables(container())


def targets(policy: Manifest) -> set[str]:
    """Return the components that a policy lets out to."""
    return {
        peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"]
        for rule in policy["spec"]["egress"]
        for peer in rule["to"]
        if "namespaceSelector" not in peer
    }


def test_it_may_reach_kafka_and_mlflow_only() -> None:
    """Its policy lets it out to these, and nobody in."""
    policy = one(rendered(*setting("mlflow.enabled=true")), "NetworkPolicy", "retraining")
    assert targets(policy) == {"kafka", "mlflow"}
    assert "Ingress" in policy["spec"]["policyTypes"] and "ingress" not in policy["spec"]
    assert targets(one(rendered(), "NetworkPolicy", "retraining")) == {"kafka"}


def test_candidates_can_be_fetched() -> None:
    """A pod to copy them from is ready to be applied: restricted, and it may only read."""
    text = one(rendered(), "ConfigMap", "candidates")["data"]["pod.yaml"]
    pod: dict[str, Any] = yaml.safe_load(text)
    assert pod["kind"] == "Pod"
    (reader,) = pod["spec"]["containers"]
    assert reader["volumeMounts"] == [
        {"name": "candidates", "mountPath": "/candidates", "readOnly": True}
    ]
    assert reader["securityContext"]["readOnlyRootFilesystem"] is True
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True


def test_it_can_be_left_out() -> None:
    """Then neither job, nor claim, nor policy is there."""
    objects = rendered(*setting("retraining.enabled=false"))
    assert not named(objects, "CronJob")
    assert "candidates" not in named(objects, "PersistentVolumeClaim")
    assert "retraining" not in named(objects, "NetworkPolicy")


@pytest.mark.parametrize("wrong", ["retraining.suspended=true", "retraining.storage.sise=1Gi"])
def test_typos_are_refused(wrong: str) -> None:
    """A key that is not there is no default."""
    with pytest.raises(Refused, match="additional"):
        rendered(*setting(wrong))

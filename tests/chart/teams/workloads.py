"""Every pod that the chart makes, and the place in the values that is for it alone."""

import json
from typing import Any

import yaml

from tests.chart.rendering import CHART, Manifest, rendered, setting

ALL = setting(
    "mlflow.enabled=true",
    "retraining.enabled=true",
    "components.simulator.enabled=true",
    "kafka.nodes=3",
    "autoscaling.mode=hpa",
)
COMPONENTS = set(yaml.safe_load((CHART / "values.yaml").read_text())["components"])
OTHERS = {"kafka": "kafka", "topics": "topics", "retraining": "retraining", "test": "tests"}
SERVICES = {"Deployment", "StatefulSet"}


def pods(objects: list[Manifest]) -> dict[str, Manifest]:
    """Return metadata and spec of all pods, by kind and name of what makes them.

    One that is found in a ConfigMap, for people to make, is there as well.
    """
    found = {}
    for thing in objects:
        name = f"{thing['kind']}/{thing['metadata']['name']}"
        if thing["kind"] == "ConfigMap" and "pod.yaml" in (thing.get("data") or {}):
            found[name] = yaml.safe_load(thing["data"]["pod.yaml"])
        elif (pod := _pod(thing)) is not None:
            found[name] = pod
    return found


def _pod(thing: Manifest) -> Manifest | None:
    spec = thing.get("spec", {})
    if thing["kind"] == "Pod":
        return thing
    if thing["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    template: Manifest | None = spec.get("template")
    return template


def section(pod: Manifest) -> tuple[str, ...]:
    """Return the keys that lead to a pod's own values. Raises KeyError: it has none."""
    component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
    return ("components", component) if component in COMPONENTS else (OTHERS[component],)


def given(values: dict[str, Any]) -> tuple[str, ...]:
    """Return the options that lay values over the chart's."""
    return tuple(
        part for key, each in values.items() for part in ("--set-json", f"{key}={json.dumps(each)}")
    )


def with_defaults(**values: Any) -> list[Manifest]:
    """Return all objects with values for every pod."""
    return rendered(*ALL, *given({"defaults": values}))


def own_containers(pod: Manifest) -> list[Manifest]:
    """Return the containers of a pod that are the chart's, by the names that it has without us."""
    both = [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
    return [each for each in both if not each["name"].startswith("extra-")]

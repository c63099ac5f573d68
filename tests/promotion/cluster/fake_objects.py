"""Deployments, ConfigMaps and labels as the chart makes them, for tests."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promotion.cluster.model_map import (
    Json,
    ModelMap,
    Provenance,
    Release,
    config_map,
    files_of,
    model_map,
)
from promotion.model_pair import loaded
from serving.artifact import load_folder
from serving.control import VARIANTS

FULLNAME = "cv"
NAMESPACE = "space"
HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"

FILES = ("SHA256SUMS", "card.json", "model.json")

Object = dict[str, Any]


def labels(component: str) -> dict[str, str]:
    """Return the chart's labels of a component."""
    return {
        "app.kubernetes.io/name": "crypto-volatility",
        "app.kubernetes.io/instance": "cv",
        "app.kubernetes.io/component": component,
    }


def deployment(component: str, sources: list[Object], replicas: int = 2) -> Object:
    """Return a Deployment that mounts these sources, before any pod of it runs."""
    volumes = [
        {"name": "tmp", "emptyDir": {}},
        {"name": "models", "projected": {"sources": sources}},
    ]
    return {
        "metadata": {
            "name": f"{FULLNAME}-{component}",
            "namespace": NAMESPACE,
            "uid": f"uid-{component}",
            "generation": 1,
            "resourceVersion": "1",
            "labels": labels(component) | {"app.kubernetes.io/managed-by": "Helm"},
            "annotations": {"meta.helm.sh/release-name": "cv"},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels(component)},
            "template": {
                "metadata": {"labels": labels(component), "annotations": {}},
                "spec": {"containers": [{"name": component}], "volumes": volumes},
            },
        },
        "status": {},
    }


def named(pair: Path) -> dict[str, str]:
    """Return the versions of a folder of both models."""
    return {variant: load_folder(pair / variant).info.version for variant in VARIANTS}


def body_of(folder: Path) -> Any:
    """Return the ConfigMap that the chart would bring of a model folder."""
    labels = {"app.kubernetes.io/instance": FULLNAME}
    site = Release("space", FULLNAME, labels, {})
    body = dict(config_map(site, loaded(folder), files_of(folder), Provenance("", "", None, None)))
    body["metadata"] = {**body["metadata"], "creationTimestamp": "2026-11-22T19:00:00Z"}
    return body


def source(body: Json, folder: str, **more: Any) -> dict[str, Any]:
    """Return the projected source of a model's ConfigMap."""
    model = model_map(body)
    items = [{"key": file, "path": f"{folder}/{file}"} for file in model.files]
    return {"configMap": {"name": model.name, "items": items, **more}}


def model(variant: str, version: str, files: tuple[str, ...] = FILES) -> ModelMap:
    """Return a model's ConfigMap by the contract's name."""
    return ModelMap(f"{FULLNAME}-model-{variant}-{version}", variant, version, files)


def projected(each: ModelMap, folder: str, **more: Any) -> dict[str, Any]:
    """Return the source that mounts a model in a folder."""
    items = [{"key": file, "path": f"{folder}/{file}"} for file in each.files]
    return {"configMap": {"name": each.name, "items": items, **more}}


def template_of(ml: str, baseline: str) -> dict[str, Any]:
    """Return the model server's template with these versions."""
    settings = {"configMap": {"name": f"{FULLNAME}-mlserver-settings-1", "items": []}}
    pair = [model("ml", ml), model("baseline", baseline)]
    sources = [settings, *(projected(each, each.variant) for each in pair)]
    found: dict[str, Any] = deployment("mlserver", sources)["spec"]["template"]
    for each in pair:
        found["metadata"]["annotations"][f"crypto-volatility/model-{each.variant}"] = each.version
    return found


def matches(made: Object, wanted: Mapping[str, str]) -> bool:
    """Say whether an object has these labels."""
    return bool(wanted.items() <= made["metadata"].get("labels", {}).items())


def owned(made: Object, owner: Object) -> bool:
    """Say whether a ReplicaSet is that Deployment's."""
    return bool(made["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"])


def ready(pod: Object) -> bool:
    """Say whether a pod is ready."""
    return bool(pod["status"]["conditions"])


def plain(replica_set: Object) -> Object:
    """Return the template without the label of its hash."""
    template = copy.deepcopy(replica_set["spec"]["template"])
    del template["metadata"]["labels"][HASH]
    return dict(template)

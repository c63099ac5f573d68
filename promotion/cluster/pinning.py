"""Models named by the chart's values, for tools that look into no cluster (docs/gitops.md)."""

from collections.abc import Mapping
from typing import Any, Final

from promotion.cluster.errors import ClusterError
from promotion.cluster.model_map import DIGEST, INSTANCE, Json, Release, model_map
from serving.control import VARIANTS

CHART: Final = "crypto-volatility"
_KEPT: Final = ("name", "namespace", "labels", "annotations")
_OTHERS: Final = ("meta.helm.sh/", "helm.sh/hook")
"""Annotations by which Helm alone goes."""


def release_named(name: str, namespace: str) -> Release:
    """Return a release of the chart by its name, as the chart calls its objects.

    >>> release_named("desk", "space").fullname
    'desk-crypto-volatility'
    """
    labels = {
        "app.kubernetes.io/name": CHART,
        INSTANCE: name,
        "app.kubernetes.io/part-of": CHART,
    }
    fullname = name if CHART in name else f"{name}-{CHART}"
    return Release(namespace, fullname, labels, {})


def values_of(bodies: Mapping[str, Json]) -> str:
    """Return the chart's values, YAML, that name the models of these ConfigMaps by variant.

    Raises:
        ClusterError: a ConfigMap does not say the digest of its model.
    """
    lines = ["serving:", "  models:"]
    for variant in VARIANTS:
        body = bodies[variant]
        files = ", ".join(model_map(body).files)
        lines += [f"    {variant}:", f"      digest: {_digest(body)!r}", f"      files: [{files}]"]
    return "\n".join(lines) + "\n"


def plain(body: Json) -> dict[str, Any]:
    """Return a ConfigMap as it stands in Git: without what the API server and Helm add."""
    meta = {name: body["metadata"][name] for name in _KEPT if body["metadata"].get(name)}
    kept = {k: v for k, v in meta.get("annotations", {}).items() if not k.startswith(_OTHERS)}
    head = {"apiVersion": "v1", "kind": "ConfigMap"}
    content = {name: body[name] for name in ("immutable", "data", "binaryData") if name in body}
    return {**head, "metadata": {**meta, "annotations": kept}, **content}


def _digest(body: Json) -> str:
    meta = body["metadata"]
    digest = (meta.get("annotations") or {}).get(DIGEST)
    if digest is None:
        raise ClusterError(f"ConfigMap {meta['name']}: found no annotation {DIGEST}, expected one")
    return str(digest)

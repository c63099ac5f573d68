"""A model folder as a ConfigMap and back, and the names and labels that chart and promotion share.

The ConfigMap is immutable and named by version: what a pod template names can never change, so
`kubectl rollout undo` brings back exactly the earlier bytes.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from promotion.cluster.errors import ClusterError, Conflict
from serving.artifact import FILES, Artifact, ArtifactError, load_folder

Json = Mapping[str, Any]

COMPONENT: Final = "app.kubernetes.io/component"
INSTANCE: Final = "app.kubernetes.io/instance"
VARIANT: Final = "crypto-volatility/variant"
VERSION: Final = "crypto-volatility/version"
DIGEST: Final = "crypto-volatility/digest"
MODEL: Final = "model"
SERVER: Final = "mlserver"
LIMIT: Final = 1_048_576
"""Bytes that the API server takes in one ConfigMap."""

_SHARED_LABELS: Final = (
    "app.kubernetes.io/name",
    INSTANCE,
    "app.kubernetes.io/part-of",
    "app.kubernetes.io/managed-by",
)
_HELM: Final = ("meta.helm.sh/release-name", "meta.helm.sh/release-namespace")


@dataclass(frozen=True, slots=True)
class Release:
    """Where models go: one release of the chart in one namespace.

    ``labels`` and ``annotations`` are those by which Helm knows what belongs to the release.
    """

    namespace: str
    fullname: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModelMap:
    """The ConfigMap of one model: its name, and the names of the files in it."""

    name: str
    variant: str
    version: str
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who had the ConfigMap made, when (RFC 3339), why, and which version served before."""

    who: str
    when: str
    because: str | None
    from_: str | None

    def annotations(self) -> dict[str, str]:
        """Return what the ConfigMap says of this."""
        found = {"who": self.who, "when": self.when, "because": self.because, "from": self.from_}
        return {f"crypto-volatility/{name}": value for name, value in found.items() if value}


def release_of(deployment: Json) -> Release:
    """Return the release that the model server's Deployment belongs to.

    Raises:
        ClusterError: its name is not the chart's.
    """
    meta = deployment["metadata"]
    fullname, dash, component = meta["name"].rpartition("-")
    if not dash or component != SERVER:
        raise ClusterError(f"found Deployment {meta['name']!r}, expected a name like …-{SERVER}")
    labels, annotations = meta.get("labels") or {}, meta.get("annotations") or {}
    return Release(
        namespace=meta["namespace"],
        fullname=fullname,
        labels={name: labels[name] for name in _SHARED_LABELS if name in labels},
        annotations={name: annotations[name] for name in _HELM if name in annotations},
    )


def files_of(folder: Path) -> dict[str, bytes]:
    """Read all files of a model folder, sorted by name."""
    return {n: (folder / n).read_bytes() for n in sorted(FILES) if (folder / n).exists()}


def prefix_of(fullname: str, variant: str) -> str:
    """Return how the names of this variant's ConfigMaps begin.

    >>> prefix_of("crypto-volatility", "ml")
    'crypto-volatility-model-ml-'
    """
    return f"{fullname}-{MODEL}-{variant}-"


def config_map(
    release: Release, artifact: Artifact, files: Mapping[str, bytes], provenance: Provenance
) -> Json:
    """Return the ConfigMap of a model folder.

    Raises:
        ClusterError: the folder is larger than a ConfigMap may be.
    """
    info = artifact.info
    _check_size(info.variant, files)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": prefix_of(release.fullname, info.variant) + info.version,
            "namespace": release.namespace,
            "labels": {
                **release.labels,
                COMPONENT: MODEL,
                VARIANT: info.variant,
                VERSION: info.version,
            },
            "annotations": {
                **release.annotations,
                "helm.sh/resource-policy": "keep",
                DIGEST: info.digest,
                **provenance.annotations(),
            },
        },
        "immutable": True,
        "binaryData": {n: base64.b64encode(files[n]).decode() for n in sorted(files)},
    }


def model_map(body: Json) -> ModelMap:
    """Return what is to be known of a model's ConfigMap."""
    meta = body["metadata"]
    try:
        variant, version = meta["labels"][VARIANT], meta["labels"][VERSION]
    except KeyError as exc:
        raise ClusterError(f"ConfigMap {meta['name']}: found no label {exc}, expected one") from exc
    return ModelMap(meta["name"], variant, version, tuple(sorted(_contents(body))))


def check_same(found: Json, wanted: Json) -> None:
    """Check that a ConfigMap that is there already has the bytes of the one that is wanted.

    Raises:
        Conflict: its bytes are others, or may change.
    """
    name = wanted["metadata"]["name"]
    expected = wanted["metadata"]["annotations"][DIGEST]
    annotations = found["metadata"].get("annotations") or {}
    if annotations.get(DIGEST) != expected:
        raise Conflict(
            f"ConfigMap {name}: found digest {annotations.get(DIGEST)}, expected {expected}:"
            " delete it if nothing uses it"
        )
    if _contents(found) != _contents(wanted) or not found.get("immutable"):
        raise Conflict(
            f"ConfigMap {name}: found other files than those of {expected[:12]}, or not immutable:"
            " delete it if nothing uses it"
        )


def restore(body: Json, folder: Path) -> Artifact:
    """Write a model's ConfigMap as a folder, and verify it in full.

    Raises:
        ClusterError: its content has not the digest that it names.
    """
    name = body["metadata"]["name"]
    digest = (body["metadata"].get("annotations") or {}).get(DIGEST)
    contents = _contents(body)
    if digest is None or not set(contents) <= set(FILES):
        raise ClusterError(
            f"ConfigMap {name}: found digest {digest} and the files {sorted(contents)}, expected"
            f" a digest, and of the files {sorted(FILES)}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    try:
        for file, content in contents.items():
            (folder / file).write_bytes(base64.b64decode(content, validate=True))
        return load_folder(folder, digest=digest)
    except (ArtifactError, binascii.Error) as exc:
        raise ClusterError(f"ConfigMap {name}: {exc}") from exc


def _contents(body: Json) -> dict[str, str]:
    """Return base64 by file name, whether a file stands as text or as bytes."""
    text: Mapping[str, str] = body.get("data") or {}
    coded = {name: base64.b64encode(value.encode()).decode() for name, value in text.items()}
    return coded | dict(body.get("binaryData") or {})


def _check_size(variant: str, files: Mapping[str, bytes]) -> None:
    total = sum(map(len, files.values()))
    if total <= LIMIT:
        return
    largest = sorted(files, key=lambda name: -len(files[name]))[:3]
    sizes = ", ".join(f"{name} {len(files[name]):,}" for name in largest)
    raise ClusterError(
        f"{variant}: found {total:,} bytes ({sizes}), expected at most {LIMIT:,}, which is what a"
        " ConfigMap holds. Put the folder into an image and name it: helm upgrade --set"
        " serving.models.image=…"
    )

"""Which models a pod template mounts, and the same template with others."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from promotion.cluster.errors import ClusterError
from promotion.cluster.model_map import Json, ModelMap, prefix_of
from serving.control import VARIANTS

ANNOTATION: Final = "crypto-volatility/model-"


def versions(template: Json, fullname: str) -> dict[str, str]:
    """Return the version of each variant that pods of this template serve from.

    What is mounted counts; the template's annotations only repeat it.
    """
    found: dict[str, str] = {}
    for name in needed(template["spec"]):
        for variant in VARIANTS:
            if name.startswith(prefix := prefix_of(fullname, variant)):
                found[variant] = name.removeprefix(prefix)
    return found


def served(deployment: Json, fullname: str) -> dict[str, str]:
    """Return the versions of both variants that the model server's Deployment asks for.

    Raises:
        ClusterError: models come into it in another way.
    """
    found = versions(deployment["spec"]["template"], fullname)
    if set(found) != set(VARIANTS):
        raise ClusterError(
            f"Deployment {deployment['metadata']['name']}: found ConfigMaps of"
            f" {sorted(found) or 'no model'}, expected both of {', '.join(VARIANTS)}. Models that"
            " come by an image are changed by helm upgrade --set serving.models.image=…"
        )
    return found


def with_models(template: Json, fullname: str, models: Mapping[str, ModelMap]) -> dict[str, Any]:
    """Return the template with these models mounted where it has others of the same variant."""
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    present = versions(template, fullname)
    for model in (models[variant] for variant in VARIANTS if variant in models):
        if present.get(model.variant) in (None, model.version):
            continue
        prefix = prefix_of(fullname, model.variant)
        for source in _sources(changed["spec"]):
            if source.get("name", "").startswith(prefix):
                source |= {"name": model.name, "items": _items(model, _root(source))}
        annotations = changed.setdefault("metadata", {}).setdefault("annotations", {})
        annotations[ANNOTATION + model.variant] = model.version
    return changed


def with_kept(template: Json, fullname: str, models: Sequence[ModelMap]) -> dict[str, Any]:
    """Return drift's template with all these models mounted, each in a folder of its own.

    They are optional, so that pruning one keeps no pod from starting.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    prefixes = tuple(prefix_of(fullname, variant) for variant in VARIANTS)
    for volume in changed["spec"].get("volumes", ()):
        sources = volume.get("projected", {}).get("sources", [])
        names = [source.get("configMap", {}).get("name", "") for source in sources]
        if not any(name.startswith(prefixes) for name in names):
            continue
        others = [s for s, n in zip(sources, names, strict=True) if not n.startswith(prefixes)]
        volume["projected"]["sources"] = others + [
            {
                "configMap": {
                    "name": model.name,
                    "items": _items(model, f"{model.variant}-{model.version}/"),
                    "optional": True,
                }
            }
            for model in sorted(models, key=lambda model: model.name)
        ]
    return changed


def needed(spec: Json) -> set[str]:
    """Return the ConfigMaps without which pods of this specification do not start."""
    return {source["name"] for source in _sources(spec) if not source.get("optional")}


def _sources(spec: Json) -> Iterator[dict[str, Any]]:
    """Return the references to ConfigMaps in the volumes."""
    for volume in spec.get("volumes") or ():
        if "configMap" in volume:
            yield volume["configMap"]
        for source in volume.get("projected", {}).get("sources") or ():
            if "configMap" in source:
                yield source["configMap"]


def _items(model: ModelMap, root: str) -> list[dict[str, str]]:
    return [{"key": file, "path": root + file} for file in model.files]


def _root(source: Json) -> str:
    """Return the folder that the files of this source stand in, with its slash."""
    items = source.get("items") or [{"path": ""}]
    root, slash, _ = items[0]["path"].rpartition("/")
    return str(root + slash)

"""Which models' ConfigMaps are kept, and which may go."""

from collections.abc import Iterable, Sequence
from typing import Final

from promotion.cluster.model_map import VARIANT, Json
from promotion.cluster.template import needed
from serving.control import VARIANTS

KEEP: Final = 5
"""Newest models of each variant that stay, whether or not anything needs them."""


def to_prune(config_maps: Sequence[Json], specs: Iterable[Json], keep: int = KEEP) -> list[str]:
    """Return the names of the models' ConfigMaps that nothing needs, oldest first.

    ``specs`` are the pod specifications of all ReplicaSets one may go back to and of all pods;
    the newest ``keep`` of each variant stay besides.
    """
    wanted = {name for spec in specs for name in needed(spec)}
    ordered = sorted(config_maps, key=_age)
    for variant in VARIANTS:
        names = [body["metadata"]["name"] for body in ordered if _variant(body) == variant]
        wanted.update(names[-keep:] if keep else ())
    names = [body["metadata"]["name"] for body in ordered if _variant(body) in VARIANTS]
    return [name for name in names if name not in wanted]


def _age(body: Json) -> tuple[str, str]:
    """Return what sorts oldest first; times of the API server are RFC 3339 in UTC."""
    return body["metadata"].get("creationTimestamp") or "", body["metadata"]["name"]


def _variant(body: Json) -> str | None:
    labels: Json = body["metadata"].get("labels") or {}
    return labels.get(VARIANT)

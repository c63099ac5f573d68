"""The models that stand in a cluster as ConfigMaps: brought, made, and taken away."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from promotion.cluster.client import ClusterClient
from promotion.cluster.errors import ClusterError, Conflict
from promotion.cluster.model_map import (
    Json,
    ModelMap,
    check_same,
    model_map,
    prefix_of,
    restore,
)
from promotion.cluster.pruning import to_prune
from serving.artifact import Artifact


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model out of its ConfigMap, verified in full; ``folder`` has its files."""

    map: ModelMap
    artifact: Artifact
    folder: Path


@dataclass(frozen=True, slots=True)
class ClusterModelStore:
    """The models' ConfigMaps of one release; ``scratch`` is a folder to verify them in."""

    cluster: ClusterClient
    fullname: str
    scratch: Path
    say: Callable[[str], None]

    def bring(self, variant: str, version: str) -> StoredModel:
        """Return a model that is kept; raises ``ClusterError`` if it is gone or damaged."""
        name = prefix_of(self.fullname, variant) + version
        body = self.cluster.config_map(name)
        if body is None:
            raise ClusterError(f"found no ConfigMap {name} any more, expected that model's")
        folder = self.scratch / f"{variant}-{version}"
        return StoredModel(model_map(body), restore(body, folder), folder)

    def standing(self, versions: Mapping[str, str]) -> dict[str, StoredModel]:
        """Return those of these models that are whole, and say which are not."""
        found = {}
        for variant, version in versions.items():
            try:
                found[variant] = self.bring(variant, version)
            except ClusterError as exc:
                self.say(f"warning   {exc}: what serves now could not be verified again")
        return found

    def put(self, bodies: Iterable[Json]) -> None:
        """Make these ConfigMaps; one that is there already must have the same bytes.

        Raises:
            Conflict: one that is there has others.
        """
        for body in bodies:
            name = body["metadata"]["name"]
            if (found := self.cluster.config_map(name)) is None:
                try:
                    self.cluster.create_config_map(body)
                    self.say(f"stored    ConfigMap {name}")
                    continue
                except Conflict:
                    found = self.cluster.config_map(name) or {"metadata": {}}
            check_same(found, body)
            self.say(f"stored    ConfigMap {name} is there already")

    def spare(self, deployments: Iterable[Json], keep: int) -> list[str]:
        """Return the ConfigMaps that no revision of these Deployments and no pod needs."""
        sets = [each for item in deployments for each in self.cluster.replica_sets(item)]
        specs = [each["spec"]["template"]["spec"] for each in sets]
        specs += [pod["spec"] for pod in self.cluster.pods(self.cluster.release)]
        return to_prune(self.cluster.model_maps(), specs, keep)

    def remove(self, names: Iterable[str]) -> int:
        """Delete these ConfigMaps, say which, and give how many."""
        gone = list(names)
        for name in gone:
            self.cluster.delete_config_map(name)
            self.say(f"pruned    ConfigMap {name}")
        return len(gone)

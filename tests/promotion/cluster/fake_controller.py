"""What the controllers and kubelets of a cluster do with Deployments, a step at a time.

They roll as the real ones do: one pod more, none less; pods read their models out of ConfigMaps.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from promotion.cluster.template import versions
from tests.promotion.cluster.fake_objects import (
    FULLNAME,
    HASH,
    NAMESPACE,
    REVISION,
    Object,
    labels,
    matches,
    owned,
    plain,
    ready,
)

START = 2
"""Steps that a pod takes until it is ready."""


@dataclass(slots=True)
class Controlled:
    """One namespace; ``refuses``, ``stalls`` and ``garbles`` are versions, or component/version."""

    objects: dict[str, dict[str, Object]] = field(
        default_factory=lambda: {
            kind: {} for kind in ("deployments", "replicasets", "pods", "configmaps")
        }
    )
    refuses: set[str] = field(default_factory=set)
    stalls: set[str] = field(default_factory=set)
    garbles: set[str] = field(default_factory=set)
    faults: list[tuple[str, int, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    hooks: list[Callable[[str], None]] = field(default_factory=list)
    hanging: bool = False
    number: int = 1
    port: int = 0
    log: str = ""

    # ------------------------------------------------------------------ what tests do

    def add(self, made: Object) -> None:
        """Put a Deployment in, and roll it out."""
        self.objects["deployments"][made["metadata"]["name"]] = made
        for _ in range(10 * START):
            self.step(made)

    def fail(self, pattern: str, status: int, times: int = 1) -> None:
        """Answer the next requests that match "METHOD path" with this status instead."""
        self.faults.append((pattern, status, times))

    def server(self, component: str = "mlserver") -> Object:
        """Return a component's Deployment."""
        return self.objects["deployments"][f"{FULLNAME}-{component}"]

    def pods(self, component: str = "mlserver") -> list[Object]:
        """Return a component's pods."""
        wanted = labels(component)
        return [pod for pod in self.objects["pods"].values() if matches(pod, wanted)]

    def serving(self) -> list[dict[str, str]]:
        """Return the versions that each ready pod of the model server answers with."""
        return [versions(pod, FULLNAME) for pod in self.pods() if ready(pod)]

    def kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig for this cluster."""
        named = {"cluster": "fake", "user": "fake", "namespace": NAMESPACE}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "fake",
            "contexts": [{"name": "fake", "context": named}],
            "clusters": [{"name": "fake", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "fake", "user": {}}],
        }
        path.write_text(json.dumps(config))
        return path

    # ------------------------------------------------------------------ the controller

    def step(self, made: Object) -> None:
        """Let the controller and the kubelets do a little for one Deployment."""
        meta, spec = made["metadata"], made["spec"]
        newest = self._newest(made)
        hashed = newest["metadata"]["labels"][HASH]
        pods = self.pods(meta["labels"]["app.kubernetes.io/component"])
        new = [pod for pod in pods if pod["metadata"]["labels"][HASH] == hashed]
        old = [pod for pod in pods if pod not in new]
        for pod in new:
            self._start(pod)
        count = sum(map(ready, new))
        if len(new) < spec["replicas"] and len(new) == count:
            new.append(self._pod(newest, meta["name"]))
        if old and count + len(old) > spec["replicas"]:
            del self.objects["pods"][old.pop()["metadata"]["name"]]
        status = {
            "observedGeneration": meta["generation"],
            "replicas": len(new) + len(old),
            "updatedReplicas": len(new),
            "availableReplicas": count + sum(map(ready, old)),
        }
        if status != made["status"]:
            made["status"] = status
            self.touch(made)

    def _newest(self, made: Object) -> Object:
        meta, template = made["metadata"], made["spec"]["template"]
        sets = [each for each in self.objects["replicasets"].values() if owned(each, made)]
        found = next((each for each in sets if plain(each) == template), None)
        if found is None:
            name = f"{meta['name']}-{len(sets) + 1}"
            found = {
                "metadata": {
                    "name": name,
                    "labels": template["metadata"]["labels"] | {HASH: name},
                    "annotations": {},
                    "creationTimestamp": f"2026-11-22T20:00:{len(sets):02}Z",
                    "ownerReferences": [{"uid": meta["uid"]}],
                },
                "spec": {"template": copy.deepcopy(template)},
            }
            found["spec"]["template"]["metadata"]["labels"][HASH] = name
            self.objects["replicasets"][name] = found
        own = found["metadata"]["annotations"]
        highest = max(
            (int(each["metadata"]["annotations"].get(REVISION, 0)) for each in sets), default=0
        )
        if int(own.get(REVISION, 0)) < highest or REVISION not in own:
            own[REVISION] = str(highest + 1)
        own |= {name: text for name, text in meta["annotations"].items() if name != REVISION}
        meta["annotations"][REVISION] = own[REVISION]
        return found

    def _pod(self, newest: Object, name: str) -> Object:
        self.number += 1
        pod = {
            "metadata": {
                "name": f"{name}-pod{self.number}",
                "uid": f"pod{self.number}",
                "labels": dict(newest["spec"]["template"]["metadata"]["labels"]),
            },
            "spec": copy.deepcopy(newest["spec"]["template"]["spec"]),
            "status": {"age": 0, "conditions": []},
        }
        self.objects["pods"][pod["metadata"]["name"]] = pod
        return pod

    def _start(self, pod: Object) -> None:
        pod["status"]["age"] += 1
        name = pod["spec"]["containers"][0]["name"]
        found = set(versions(pod, FULLNAME).values())
        found |= {f"{name}/{version}" for version in found}
        if pod["status"]["age"] < START or ready(pod) or found & self.stalls:
            return
        if found & self.refuses:
            ended = {"exitCode": 0, "reason": "Completed"}
            pod["status"]["containerStatuses"] = [{"name": name, "state": {"terminated": ended}}]
        else:
            pod["status"]["conditions"] = [{"type": "Ready", "status": "True"}]

    def touch(self, made: Object) -> None:
        """Return a Deployment another resourceVersion."""
        self.number += 1
        made["metadata"]["resourceVersion"] = str(self.number)

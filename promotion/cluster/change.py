"""One Deployment's change: made in one patch, followed until it serves, or taken back."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from promotion.cluster.client import ClusterClient
from promotion.cluster.errors import ClusterAway, Conflict, Interrupted, Overtaken, RolloutError
from promotion.cluster.model_map import Json
from promotion.cluster.rollout_status import Pod, RolloutStatus, last_words, look, progressed
from promotion.deployment import check
from serving.artifact import Artifact
from serving.tensor import Row
from serving.v2 import Scored

TRIES: Final = 10
"""A Deployment's status changes often while it rolls, and each change spoils one try."""


class StopSignal(Protocol):
    """Whether the end is wished for, as ``plumbing.stop.Stop`` says it."""

    def wait(self, timeout: float) -> bool: ...


class NeverStops:
    """Never wishes for the end: what is taken back is taken back to its end."""

    def wait(self, timeout: float) -> bool:
        """Wait all of ``timeout`` seconds."""
        time.sleep(timeout)
        return False


@dataclass(frozen=True, slots=True)
class DeploymentChange:
    """A Deployment just before the patch, and as the API server answered it."""

    before: Json
    after: Json

    @property
    def name(self) -> str:
        """The Deployment's name."""
        return str(self.after["metadata"]["name"])


@dataclass(frozen=True, slots=True)
class Roller:
    """Changes Deployments; ``timeout`` is for each rollout, ``poll`` between looks, in seconds."""

    cluster: ClusterClient
    say: Callable[[str], None]
    stop: StopSignal
    timeout: float = 300.0
    poll: float = 1.0
    now: Callable[[], float] = time.monotonic

    def look(self, deployment: Json, stale: str | None = None) -> RolloutStatus:
        """Say how far the Deployment's rollout is."""
        replica_sets = self.cluster.replica_sets(deployment)
        pods = self.cluster.pods(deployment["spec"]["selector"]["matchLabels"])
        return look(deployment, replica_sets, pods, stale)

    def apply(
        self, expected: Json, annotations: Mapping[str, str], template: Json | None = None
    ) -> DeploymentChange:
        """Patch annotations, and a template, of a Deployment that still has the expected template.

        Raises:
            Overtaken: it has another by now; nothing was changed.
        """
        name = expected["metadata"]["name"]
        before = expected
        for number in range(1, TRIES + 1):
            try:
                live = self.cluster.deployment(name)
                if number > 1 and _has(live, annotations, template):
                    return DeploymentChange(
                        before, live
                    )  # the patch came through, its answer did not
                _check_still(expected, live)
                before = live
                return DeploymentChange(
                    live, self.cluster.patch_deployment(name, patch_of(live, annotations, template))
                )
            except (Conflict, ClusterAway):
                if number == TRIES:
                    raise
                time.sleep(self.poll)
        raise AssertionError("the last try returns or raises")

    def follow(self, change: DeploymentChange, expected: Sequence[Artifact] = ()) -> int:
        """Wait until all pods are new and available, and each scores these golden rows.

        Return how many pods there are.

        Raises:
            Overtaken: someone else changed the Deployment.
            RolloutError: it does not run, or took longer than ``timeout``.
            DeployError: a pod scores otherwise.
            Interrupted: the end is wished for.
        """
        return _RolloutWatch(self, change, expected).until_done(patient=False)

    def follow_back(self, change: DeploymentChange, expected: Sequence[Artifact] = ()) -> int:
        """Wait as ``follow`` does, but no wish ends it, and no trouble before ``timeout``."""
        return _RolloutWatch(replace(self, stop=NeverStops()), change, expected).until_done(
            patient=True
        )


def patch_of(
    live: Json, annotations: Mapping[str, str], template: Json | None = None
) -> list[dict[str, Any]]:
    """Return the JSON patch that holds only for the Deployment as it was read."""
    meta = live["metadata"]
    merged = {**(meta.get("annotations") or {}), **annotations}
    patch = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": meta["resourceVersion"]},
        {"op": "add", "path": "/metadata/annotations", "value": merged},
    ]
    if template is not None:
        patch.append({"op": "replace", "path": "/spec/template", "value": template})
    return patch


@dataclass(slots=True)
class _RolloutWatch:
    """Follows one change; remembers which pods scored as expected and what it said last."""

    roller: Roller
    change: DeploymentChange
    expected: Sequence[Artifact]
    scored: set[str] = field(default_factory=set)
    text: str = ""

    def until_done(self, patient: bool) -> int:
        roller = self.roller
        end = roller.now() + roller.timeout
        while True:
            try:
                seen = self._look()
                if seen.state == "failed" and not patient:
                    raise RolloutError(f"{self.change.name}: {seen.text}{self._why(seen)}")
                self._say(seen.text)
                scored = [self._scores(pod) for pod in seen.pods]
                if all(scored) and seen.state == "done":
                    return len(scored)
            except ClusterAway as exc:
                self._say(str(exc))
            if roller.now() > end:
                raise RolloutError(
                    f"{self.change.name}: found after {roller.timeout:.0f} s: {self.text}; expected"
                    " all pods new, available and scoring"
                )
            if roller.stop.wait(roller.poll):
                raise Interrupted(f"{self.change.name}: ended on the way: {self.text}")

    def _look(self) -> RolloutStatus:
        live = self.roller.cluster.deployment(self.change.name)
        _check_still(self.change.after, live)
        return self.roller.look(live, progressed(self.change.before))

    def _why(self, seen: RolloutStatus) -> str:
        words = last_words(self.roller.cluster.log(*seen.silent)) if seen.silent else ""
        return f": {words}" if words else ""

    def _scores(self, pod: Pod) -> bool:
        """Have a ready pod score the golden rows, once; a pod that ends meanwhile is no matter."""
        if pod.uid in self.scored:
            return True
        if not pod.ready:
            return False
        for artifact in self.expected:
            check(_PodServer(self.roller.cluster, pod.name), artifact)
        if self.expected:
            self.roller.say(f"scored    {pod.name}: the golden rows agree")
        self.scored.add(pod.uid)
        return True

    def _say(self, text: str) -> None:
        if text != self.text:
            self.roller.say(f"…         {self.change.name}: {text}")
        self.text = text


@dataclass(frozen=True, slots=True)
class _PodServer:
    """One pod as a V2 server."""

    cluster: ClusterClient
    pod: str

    def load(self, variant: str) -> None:
        """Do nothing: a pod reads its models once, when it starts."""

    def score(self, variant: str, rows: Sequence[Row]) -> Scored:
        """Score rows in the order of ``NAMES``."""
        return self.cluster.score(self.pod, variant, rows)


def _check_still(expected: Json, live: Json) -> None:
    if live["spec"]["template"] != expected["spec"]["template"]:
        raise Overtaken(
            f"Deployment {live['metadata']['name']}: found another pod template than the one"
            " expected: someone else changed it meanwhile, and that stands"
        )


def _has(live: Json, annotations: Mapping[str, str], template: Json | None) -> bool:
    found = live["metadata"].get("annotations") or {}
    if template is not None and live["spec"]["template"] != template:
        return False
    return all(found.get(name) == value for name, value in annotations.items())

"""How far a Deployment's rollout has come: from what the API server says of it alone."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from promotion.cluster.model_map import Json
from promotion.cluster.record import revision_of

HASH: Final = "pod-template-hash"
_HOPELESS: Final = frozenset(
    {
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "ErrImageNeverPull",
        "ImagePullBackOff",
        "InvalidImageName",
        "RunContainerError",
    }
)
_WORDS: Final = 300


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the newest revision that is not ending."""

    name: str
    uid: str
    ready: bool


@dataclass(frozen=True, slots=True)
class RolloutStatus:
    """What was seen: ``text`` says what is missing, or what is wrong.

    ``silent`` are pod and container where one ended without a word.
    """

    state: Literal["under way", "done", "failed"]
    text: str
    pods: tuple[Pod, ...] = ()
    silent: tuple[str, str] | None = None


def look(
    deployment: Json, replica_sets: Iterable[Json], pods: Iterable[Json], stale: str | None = None
) -> RolloutStatus:
    """Say how far the rollout of the newest revision is.

    ``stale`` is the time of a condition, as ``progressed`` gives it, that is of an earlier rollout.
    A pod that ended or cannot start fails the rollout at once.
    """
    meta, spec, status = (deployment.get(part, {}) for part in ("metadata", "spec", "status"))
    if spec.get("paused"):
        return RolloutStatus("failed", "the Deployment is paused; kubectl rollout resume ends that")
    newest = _newest(deployment, replica_sets)
    if status.get("observedGeneration", 0) < meta["generation"] or newest is None:
        return RolloutStatus("under way", "not taken up yet")
    label = newest["metadata"]["labels"][HASH]
    own = [p for p in pods if p["metadata"].get("labels", {}).get(HASH) == label]
    alive = [pod for pod in own if "deletionTimestamp" not in pod["metadata"]]
    found = tuple(map(_pod, alive))
    if missing := _missing(spec, status):
        if trouble := next((each for pod in alive for each in _trouble(pod)), None):
            return RolloutStatus("failed", trouble.text, found, trouble.silent)
        if _timed_out(status) and progressed(deployment) != stale:
            return RolloutStatus("failed", f"no progress any more: {missing}", found)
        return RolloutStatus("under way", "; ".join([missing, *_waiting(alive)]), found)
    return RolloutStatus("done", f"{len(found)} pods ready", found)


def progressed(deployment: Json) -> str | None:
    """Return when the condition of progress was last written."""
    found = _condition(deployment.get("status", {}), "Progressing").get("lastUpdateTime")
    return None if found is None else str(found)


def _newest(deployment: Json, replica_sets: Iterable[Json]) -> Json | None:
    uid, revision = deployment["metadata"]["uid"], revision_of(deployment)
    for each in replica_sets:
        owners = each["metadata"].get("ownerReferences", ())
        if any(o["uid"] == uid for o in owners) and revision_of(each) == revision:
            return each
    return None


def _missing(spec: Json, status: Json) -> str:
    """Say what is missing until each pod is new and available, empty if nothing is."""
    wanted, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    if updated < wanted:
        return f"{updated} of {wanted} pods are new"
    if (old := status.get("replicas", 0) - updated) > 0:
        return f"{old} old pods still run"
    if (available := status.get("availableReplicas", 0)) < updated:
        return f"{available} of {updated} new pods are available"
    return ""


def _timed_out(status: Json) -> bool:
    return _condition(status, "Progressing").get("reason") == "ProgressDeadlineExceeded"


def _condition(of: Json, kind: str) -> Json:
    conditions: list[Json] = of.get("conditions") or []
    return next((each for each in conditions if each["type"] == kind), {})


def _pod(pod: Json) -> Pod:
    meta = pod["metadata"]
    ready = _condition(pod.get("status", {}), "Ready").get("status") == "True"
    return Pod(meta["name"], meta["uid"], ready)


@dataclass(frozen=True, slots=True)
class _Trouble:
    text: str
    silent: tuple[str, str] | None = None


def _trouble(pod: Json) -> Iterator[_Trouble]:
    """Return reasons why this pod will not become ready, while it is not."""
    if _pod(pod).ready:
        return
    status, name = pod.get("status", {}), pod["metadata"]["name"]
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind) or ():
            what = f"container {container['name']} of {name}"
            for ended in _ends(container):
                if kind == "containerStatuses" or ended.get("exitCode"):
                    words = last_words(ended.get("message", ""))
                    yield _Trouble(
                        f"{what} ended with {ended.get('exitCode')}{words and ': '}{words}",
                        None if words else (name, container["name"]),
                    )
            waiting = container.get("state", {}).get("waiting", {})
            if waiting.get("reason") in _HOPELESS:
                yield _Trouble(f"{what}: {waiting['reason']}: {waiting.get('message', '')}")


def _ends(container: Json) -> Iterator[Json]:
    for state in ("state", "lastState"):
        if ended := container.get(state, {}).get("terminated"):
            yield ended


def _waiting(pods: Iterable[Json]) -> Iterator[str]:
    """Say what pods wait for that the scheduler or the kubelet named."""
    for pod in pods:
        scheduled = _condition(pod.get("status", {}), "PodScheduled")
        if scheduled.get("status") == "False":
            yield f"{pod['metadata']['name']}: {scheduled.get('message', 'not scheduled')}"


def last_words(log: str) -> str:
    """Return what a container last said of why: of a JSON log its last error, else a line."""
    lines = [line for line in log.splitlines() if line.strip()]
    errors = [event for event in map(_event, lines) if event.get("level") in ("error", "critical")]
    reasons = [str(event["reason"]) for event in errors if event.get("reason")]
    found = reasons or [*map(_error, errors)] or lines
    return found[-1][:_WORDS] if found else ""


def _error(event: Json) -> str:
    """Return the error itself, without the way to it."""
    lines = str(event.get("exception", "")).strip().splitlines()
    return lines[-1] if lines else str(event.get("event", ""))


def _event(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

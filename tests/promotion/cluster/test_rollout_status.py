"""How far a rollout is, from what the API server says of it."""

from typing import Any

import pytest

from promotion.cluster.rollout_status import last_words, look
from tests.promotion.cluster.fake_objects import (
    deployment,
)


def rolling(**status: Any) -> tuple[dict[str, Any], list[Any]]:
    """Return a Deployment of two in its second revision, with its ReplicaSets."""
    made = deployment("mlserver", [])
    made["metadata"] |= {"generation": 2}
    made["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
    made["status"] = {
        "observedGeneration": 2,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
    } | status
    sets = [
        {
            "metadata": {
                "labels": {"pod-template-hash": f"h{number}"},
                "annotations": {"deployment.kubernetes.io/revision": str(number)},
                "ownerReferences": [{"uid": "uid-mlserver"}],
            }
        }
        for number in (1, 2)
    ]
    return made, sets


def pod(number: int = 2, **status: Any) -> dict[str, Any]:
    """Return a pod of a revision."""
    meta = {
        "name": f"pod{number}",
        "uid": f"u{number}",
        "labels": {"pod-template-hash": f"h{number}"},
    }
    return {"metadata": meta, "status": status}


READY: dict[str, Any] = {"conditions": [{"type": "Ready", "status": "True"}]}


def container(**state: Any) -> dict[str, Any]:
    """Return the status of a pod whose container is in this state."""
    return {"containerStatuses": [{"name": "mlserver", "state": state}]}


@pytest.mark.parametrize(
    ("status", "pods", "state", "words"),
    [
        ({}, [pod(**READY), pod(**READY)], "done", "2 pods ready"),
        ({"observedGeneration": 1}, [], "under way", "not taken up yet"),
        ({"updatedReplicas": 1, "replicas": 3}, [pod()], "under way", "1 of 2 pods are new"),
        ({"replicas": 3}, [pod(), pod()], "under way", "1 old pods still run"),
        ({"availableReplicas": 1}, [pod(), pod()], "under way", "1 of 2 new pods are available"),
        (
            {"updatedReplicas": 1},
            [pod(**container(terminated={"exitCode": 0}))],
            "failed",
            "container mlserver of pod2 ended with 0",
        ),
        (
            {"updatedReplicas": 1},
            [pod(**container(terminated={"exitCode": 1, "message": "a\nno such file\n"}))],
            "failed",
            "ended with 1: no such file",
        ),
        (
            {"updatedReplicas": 1},
            [pod(**container(waiting={"reason": "CrashLoopBackOff", "message": "back-off"}))],
            "failed",
            "CrashLoopBackOff: back-off",
        ),
        (
            {"updatedReplicas": 1},
            [pod(**container(waiting={"reason": "ContainerCreating"}))],
            "under way",
            "1 of 2 pods are new",
        ),
        (
            {"updatedReplicas": 1},
            [pod(1, **container(terminated={"exitCode": 1}))],
            "under way",
            "1 of 2 pods are new",
        ),
        (
            {"updatedReplicas": 1},
            [
                pod(
                    conditions=[
                        {"type": "PodScheduled", "status": "False", "message": "Insufficient cpu"}
                    ]
                )
            ],
            "under way",
            "pod2: Insufficient cpu",
        ),
        (
            {
                "updatedReplicas": 1,
                "conditions": [
                    {
                        "type": "Progressing",
                        "reason": "ProgressDeadlineExceeded",
                        "lastUpdateTime": "t",
                    }
                ],
            },
            [pod()],
            "failed",
            "no progress any more",
        ),
    ],
)
def test_a_rollout_is_seen(status: Any, pods: list[Any], state: str, words: str) -> None:
    """Each state of a Deployment has a word and a reason."""
    made, sets = rolling(**status)
    seen = look(made, sets, pods)
    assert seen.state == state and words in seen.text


def test_an_old_deadline_is_no_failure() -> None:
    """That an earlier rollout made no progress says nothing of this one."""
    condition = {
        "type": "Progressing",
        "reason": "ProgressDeadlineExceeded",
        "lastUpdateTime": "then",
    }
    made, sets = rolling(updatedReplicas=1, conditions=[condition])
    assert look(made, sets, [pod()], stale="then").state == "under way"
    assert look(made, sets, [pod()], stale="before").state == "failed"


def test_a_paused_deployment_is_said() -> None:
    """A paused Deployment rolls nothing."""
    made, sets = rolling()
    made["spec"]["paused"] = True
    assert "kubectl rollout resume" in look(made, sets, []).text


@pytest.mark.parametrize(
    ("log", "words"),
    [
        ("", ""),
        ("starting\nno such file\n\n", "no such file"),
        ('{"level": "error", "event": "x", "reason": "why"}\n{"event": "bye"}', "why"),
        ('{"level": "error", "event": "x", "exception": "Trace\\nKeyError: 1"}', "KeyError: 1"),
        ('{"level": "error", "event": "x"}\n{"level": "info", "event": "bye"}', "x"),
    ],
)
def test_last_words_tell_why(log: str, words: str) -> None:
    """Of all that a container said, the reason is taken."""
    assert last_words(log) == words

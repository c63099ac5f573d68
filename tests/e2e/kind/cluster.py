"""A release on a kind cluster, and how tests ask it: by kubectl and helm, as a person does."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.stack import ROOT, TAG

CHART = "charts/crypto-volatility"
VALUES_KIND = f"{CHART}/values-kind.yaml"
VALUES = (VALUES_KIND, "tests/e2e/kind/values-drill.yaml")
WAIT = ("--wait", "--wait-for-jobs", "--timeout", "5m")
IMAGES = ("stream", "ml")
LABEL = "app.kubernetes.io"
UPGRADED = "crypto-volatility-upgrade"
"""The namespace of the drill of an upgrade."""
SEEN = ("adapter", "mlserver", "ingestor", "featurizer", "scorer", "simulator")


class CommandError(AssertionError):
    """A command ended with another code than 0; says what it was and what it said."""


@dataclass(frozen=True, slots=True)
class Pod:
    """What is asked of a pod; ``models`` are the versions that its template names."""

    name: str
    node: str
    address: str
    phase: str
    ready: bool
    ending: bool
    uid: str
    models: Mapping[str, str]
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """One release in a namespace of its own; ``values`` are the files it is installed with."""

    name: str = "crypto-volatility"
    namespace: str = "crypto-volatility-e2e"
    release: str = "crypto-volatility"
    values: Sequence[str] = VALUES

    def run(self, *command: str, stdin: str | None = None) -> str:
        """Run a command from the repository's root and give what it prints."""
        done = subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, text=True)
        if done.returncode:
            said = f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
            raise CommandError(f"{' '.join(command)} ended with {done.returncode}: {said}")
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl in the namespace."""
        context = ("--context", f"kind-{self.name}", "--namespace", self.namespace)
        return self.run("kubectl", *context, *arguments, stdin=stdin)

    def helm(self, *arguments: str, stdin: str | None = None) -> str:
        """Run helm in the namespace."""
        context = ("--kube-context", f"kind-{self.name}", "--namespace", self.namespace)
        return self.run("helm", *context, *arguments, stdin=stdin)

    def make(self, target: str) -> str:
        """Run one of make/kube.mk's targets for this release."""
        told = {"CLUSTER": self.name, "NAMESPACE": self.namespace, "RELEASE": self.release}
        names = [f"{name}={value}" for name, value in told.items()]
        return self.run("make", "-s", target, *names, f"VALUES={' '.join(self.values)}")

    def install(self, tree: Path, tag: str) -> None:
        """Install the chart of a tree, with images of this tag."""
        given = ("--create-namespace", *self._files(), "--values", "-", *WAIT)
        images = {name: {"tag": tag} for name in IMAGES}
        chart = str(tree / CHART)
        self.helm("install", self.release, chart, *given, stdin=json.dumps({"image": images}))

    def upgrade(self, values: Mapping[str, Any]) -> None:
        """Bring the present chart and images, with these values changed, and wait."""
        given = ("--reset-then-reuse-values", "--values", "-", *WAIT)
        self.helm("upgrade", self.release, CHART, *given, stdin=self._told(values))

    def reinstall(self, values: Mapping[str, Any]) -> None:
        """Install the present chart and images anew, with these values changed, and wait."""
        given = (*self._files(), "--values", "-", *WAIT)
        self.helm("install", self.release, CHART, *given, stdin=self._told(values))

    def rendered(self, values: Mapping[str, Any]) -> str:
        """Return what `helm template` makes of the present chart and images."""
        given = (*self._files(), "--values", "-")
        return self.helm("template", self.release, CHART, *given, stdin=self._told(values))

    def _files(self) -> list[str]:
        return [part for path in self.values for part in ("--values", path)]

    def _told(self, values: Mapping[str, Any]) -> str:
        """Return values, JSON, with the tags of the present images."""
        return json.dumps({"image": {name: {"tag": self._tag(name)} for name in IMAGES}, **values})

    def _tag(self, name: str) -> str:
        """Return the tag of an image of the present tree, as make/kube.mk makes it."""
        asked = ("docker", "image", "inspect", "--format", "{{slice .Id 7 19}}")
        return self.run(*asked, f"crypto-volatility/{name}:{TAG}").strip()

    def scale(self, component: str, replicas: int) -> None:
        """Ask for so many pods of a component."""
        self.kubectl("scale", self.deployment(component), "--replicas", str(replicas))

    def get(self, kind: str, *arguments: str) -> Any:
        """Return what kubectl has of a kind, as JSON."""
        return json.loads(self.kubectl("get", kind, *arguments, "--output", "json"))

    def named(self, component: str) -> str:
        """Return the name of a component's objects."""
        return f"{self.release}-{component}"

    def knows_load(self) -> bool:
        """Say whether the cluster has a metrics-server, as autoscaling needs."""
        try:
            self.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/pods")
        except CommandError:
            return False
        return True

    def deployment(self, component: str) -> str:
        """Return the name of a component's Deployment, as kubectl takes it."""
        return f"deployment/{self.named(component)}"

    def pods(self, component: str) -> list[Pod]:
        """Return the pods of a component, those that are ending too."""
        labels = f"{LABEL}/instance={self.release},{LABEL}/component={component}"
        return [_pod(item) for item in self.get("pods", "--selector", labels)["items"]]

    def images(self, component: str) -> set[str]:
        """Return the images that a component's Deployment asks for."""
        spec = self.get("deployment", self.named(component))["spec"]["template"]["spec"]
        return {each["image"] for each in spec["containers"]}

    def ready(self, component: str, count: int) -> bool:
        """Say whether so many pods are ready, and no other is there."""
        pods = self.pods(component)
        return len(pods) == count and all(pod.ready and not pod.ending for pod in pods)

    def rolled(self, component: str) -> None:
        """Wait until a Deployment's new pods are ready and its old ones are out of the way."""
        self.kubectl("rollout", "status", self.deployment(component), "--timeout", "120s")

    def execute(self, component: str, *command: str, stdin: str | None = None) -> str:
        """Run a command in a pod of a component."""
        given = ("--stdin",) if stdin is not None else ()
        where = (self.deployment(component), "--container", component)
        return self.kubectl("exec", *given, *where, "--", *command, stdin=stdin)

    def diagnosis(self) -> str:
        """Tell what can be seen of a release that is not well."""
        asked = (
            ("get", "pods", "--output", "wide"),
            ("get", "events", "--sort-by", ".lastTimestamp"),
            *(("logs", self.deployment(name), "--all-containers", "--tail", "60") for name in SEEN),
        )
        return "\n".join(f"==> {' '.join(each)}\n{self._tried(*each)}" for each in asked)

    def _tried(self, *arguments: str) -> str:
        try:
            return self.kubectl(*arguments)
        except CommandError as exc:
            return str(exc)


def _pod(item: Mapping[str, Any]) -> Pod:
    meta, status = item["metadata"], item["status"]
    conditions = {each["type"]: each["status"] for each in status.get("conditions", [])}
    models = "crypto-volatility/model-"
    return Pod(
        name=meta["name"],
        node=item["spec"].get("nodeName", ""),
        address=status.get("podIP", ""),
        phase=status["phase"],
        ready=conditions.get("Ready") == "True",
        ending="deletionTimestamp" in meta,
        uid=meta["uid"],
        models={
            name.removeprefix(models): value
            for name, value in meta.get("annotations", {}).items()
            if name.startswith(models)
        },
        states=tuple(_states(status)),
    )


def _states(status: Mapping[str, Any]) -> Sequence[str]:
    """Say why containers don't run: ``CrashLoopBackOff``, ``ImagePullBackOff``."""
    containers = [*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])]
    waiting = [each["state"].get("waiting", {}) for each in containers]
    return [each["reason"] for each in waiting if "reason" in each]

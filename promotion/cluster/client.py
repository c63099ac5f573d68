"""The few calls of the Kubernetes API that promotion needs: plain JSON, errors explained."""

import contextlib
import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Thread
from typing import Any, Final

from promotion.cluster.access import ReleaseSelector, api_of, package
from promotion.cluster.errors import ClusterAway, ClusterError, Conflict
from promotion.cluster.model_map import COMPONENT, INSTANCE, MODEL, SERVER, VARIANT, Json
from promotion.cluster.record import MANAGER
from promotion.deployment import DeployError, read_scores
from serving.tensor import Row
from serving.v2 import Scored, encode_request, infer_path

V2_PORT: Final = 8080
ROLE: Final = 'docs/training.md, "On Kubernetes", has the Role that is needed'
_SECONDS: Final = (5.0, 30.0)
"""To connect to the API server, and for its answer."""
_LINES: Final = 40


class ClusterClient:
    """One namespace of a cluster."""

    def __init__(
        self,
        api: Any,
        namespace: str,
        release: str | None = None,
        handshake_seconds: float = _SECONDS[1],
    ) -> None:
        client = package().client
        self._api, self._handshake_seconds = api, handshake_seconds
        self._core, self._apps = client.CoreV1Api(api), client.AppsV1Api(api)
        self.namespace, self._release = namespace, release
        self.server = api.configuration.host

    @property
    def release(self) -> dict[str, str]:
        """The label of the release's objects; empty until one is named or found."""
        return {INSTANCE: self._release} if self._release else {}

    def deployment_of(self, component: str) -> Json | None:
        """Return the release's Deployment of this component, None if there is none.

        Raises:
            ClusterError: there are several, and no release was named.
        """
        wanted = {COMPONENT: component, **self.release}
        found = self._listed("deployments", self._apps.list_namespaced_deployment, wanted)
        if len(found) > 1:
            releases = sorted(each["metadata"]["labels"].get(INSTANCE, "?") for each in found)
            raise ClusterError(
                f"namespace {self.namespace}: found the releases {', '.join(releases)},"
                " expected one: name it by --release"
            )
        return found[0] if found else None

    def model_server(self) -> Json:
        """Return the model server's Deployment; raises ``ClusterError`` where there is none."""
        found = self.deployment_of(SERVER)
        if found is None:
            release = f" of release {self._release}" if self._release else ""
            raise ClusterError(
                f"namespace {self.namespace} of {self.server}: found no Deployment with"
                f" {COMPONENT}={SERVER}{release}, expected the chart's"
            )
        self._release = found["metadata"]["labels"].get(INSTANCE, self._release)
        return found

    def deployment(self, name: str) -> Json:
        """Return a Deployment."""
        read = self._apps.read_namespaced_deployment
        found: Json = self._asked(f"get Deployment {name}", read, name)
        return found

    def patch_deployment(self, name: str, patch: Sequence[Json]) -> Json:
        """Change a Deployment by a JSON patch; raises ``Conflict`` if it is not the one read."""
        change = self._apps.patch_namespaced_deployment
        found: Json = self._asked(
            f"patch Deployment {name}", change, name, list(patch), field_manager=MANAGER
        )
        return found

    def replica_sets(self, deployment: Json) -> list[Json]:
        """Return all ReplicaSets of a Deployment."""
        labels = deployment["spec"]["selector"]["matchLabels"]
        uid = deployment["metadata"]["uid"]
        found = self._listed("replicasets", self._apps.list_namespaced_replica_set, labels)
        owners = "ownerReferences"
        return [e for e in found if any(o["uid"] == uid for o in e["metadata"].get(owners, ()))]

    def pods(self, labels: Mapping[str, str]) -> list[Json]:
        """Return all pods that have these labels."""
        return self._listed("pods", self._core.list_namespaced_pod, labels)

    def config_map(self, name: str) -> Json | None:
        """Return a ConfigMap, None if there is none."""
        read = self._core.read_namespaced_config_map
        found: Json | None = None
        with contextlib.suppress(_Absent):
            found = self._asked(f"get ConfigMap {name}", read, name)
        return found

    def model_maps(self) -> list[Json]:
        """Return the ConfigMaps of all models of the release."""
        labels = {COMPONENT: MODEL, **self.release}
        found = self._listed("configmaps", self._core.list_namespaced_config_map, labels)
        return [each for each in found if VARIANT in each["metadata"].get("labels", {})]

    def create_config_map(self, body: Json) -> Json:
        """Make a ConfigMap; raises ``Conflict`` if one of that name is there."""
        name = body["metadata"]["name"]
        create = self._core.create_namespaced_config_map
        found: Json = self._asked(
            f"create ConfigMap {name}", create, body=body, field_manager=MANAGER
        )
        return found

    def delete_config_map(self, name: str) -> None:
        """Delete a ConfigMap, if it is there."""
        with contextlib.suppress(_Absent):
            delete = self._core.delete_namespaced_config_map
            self._asked(f"delete ConfigMap {name}", delete, name)

    def log(self, pod: str, container: str) -> str:
        """Return the end of a container's log, empty where it cannot be read.

        What it says would be good to know, but nothing rests on it.
        """
        kubernetes = package()
        try:
            found = self._core.read_namespaced_pod_log(
                pod,
                self.namespace,
                container=container,
                tail_lines=_LINES,
                _preload_content=False,
                _request_timeout=_SECONDS,
            )
            return str(found.data.decode(errors="replace"))
        except (kubernetes.client.ApiException, OSError):
            return ""

    def score(self, pod: str, variant: str, rows: Sequence[Row]) -> Scored:
        """Have one pod score rows, through a port-forward: no NetworkPolicy is in its way.

        Raises:
            Away: it did not answer.
            DeployError: it answered, but not with scores.
        """
        try:
            status, said = self._posted(pod, infer_path(variant), encode_request(rows))
        except (OSError, http.client.HTTPException) as exc:
            raise ClusterAway(f"pod {pod}: found no answer on port {V2_PORT}: {exc!r}") from exc
        if status != http.client.OK:
            words = said[:300].decode(errors="replace")
            raise DeployError(f"pod {pod}, {variant}: found status {status}, expected 200: {words}")
        return read_scores(variant, said, len(rows))

    def _posted(self, pod: str, path: str, body: bytes) -> tuple[int, bytes]:
        forward = self._forwarded(pod)
        try:
            connection = http.client.HTTPConnection("localhost")
            connection.sock = forward.socket(V2_PORT)
            connection.sock.settimeout(_SECONDS[1])
            headers = {"Content-Type": "application/json", "Connection": "close"}
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            forward.close()

    def _forwarded(self, pod: str) -> Any:
        kubernetes = package()
        # A client of its own: opening a stream swaps the client's way to ask, until it is open.
        core = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(self._api.configuration))
        forward = core.connect_get_namespaced_pod_portforward
        opened = partial(
            kubernetes.stream.portforward, forward, pod, self.namespace, ports=str(V2_PORT)
        )
        try:
            return _within(self._handshake_seconds, opened)
        except (kubernetes.client.ApiException, AttributeError) as exc:
            # A refused handshake has its status in a text only, over which the client then trips.
            text = str(getattr(exc, "reason", None) or getattr(exc.__context__, "reason", exc))
            if "status 403" in text:
                raise ClusterError(
                    f"may not forward ports of pod {pod} in namespace {self.namespace}; {ROLE}"
                ) from exc
            raise ClusterAway(f"pod {pod}: cannot forward port {V2_PORT}: {text[:300]}") from exc

    def _listed(self, kind: str, call: Callable[..., Any], labels: Mapping[str, str]) -> list[Json]:
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        found: list[Json] = self._asked(f"list {kind}", call, label_selector=selector)["items"]
        return found

    def _asked(self, what: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        import urllib3

        kubernetes = package()
        if arguments:
            arguments = (arguments[0], self.namespace, *arguments[1:])
        else:
            named["namespace"] = self.namespace
        try:
            found = call(*arguments, **named, _preload_content=False, _request_timeout=_SECONDS)
            return json.loads(found.data)
        except kubernetes.client.ApiException as exc:
            raise _explained(exc, f"{what} in namespace {self.namespace}") from exc
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as exc:
            raise ClusterAway(f"{what}: found no answer from {self.server}: {exc}") from exc


def open_cluster(place: ReleaseSelector) -> ClusterClient:
    """Return the cluster that is meant; raises ``ClusterError`` if there is none."""
    api, namespace = api_of(place)
    return ClusterClient(api, namespace, place.release)


class _Absent(ClusterError):
    """There is no such object, or no such namespace."""


def _within(seconds: float, call: Callable[[], Any]) -> Any:
    """Return what a call that knows no timeout opens; one that takes longer is left behind.

    Raises:
        TimeoutError: it took longer; what it opens after all is closed again.
    """
    done: Future[Any] = Future()

    def run() -> None:
        try:
            found = call()
        except Exception as exc:
            if done.set_running_or_notify_cancel():
                done.set_exception(exc)
            return
        if done.set_running_or_notify_cancel():
            done.set_result(found)
        else:
            found.close()

    Thread(target=run, daemon=True).start()
    try:
        return done.result(seconds)
    except TimeoutError:
        done.cancel()
        raise


def _explained(exc: Any, what: str) -> ClusterError:
    try:
        said = json.loads(exc.body)["message"]
    except (ValueError, TypeError, KeyError):
        said = exc.reason
    match exc.status:
        case 401:
            return ClusterError(f"{what}: the API server does not know who asks: {said}")
        case 403:
            return ClusterError(f"may not {what}: {said}; {ROLE}")
        case 404:
            return _Absent(f"{what}: {said}")
        case 409:
            return Conflict(f"{what}: {said}")
        case 429 | 500 | 502 | 503 | 504:
            return ClusterAway(f"{what}: found status {exc.status}, expected an answer: {said}")
        case _:
            return ClusterError(f"{what}: found status {exc.status}: {said}")

"""A small Kubernetes API of this process, so that Helm itself installs, upgrades and removes.

It stores what it is sent, fills in a Deployment's replicas, and keeps what is immutable; nothing
runs. Enough for what Helm asks: discovery, label selectors, and patches of the kinds of the chart.
"""

import copy
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.chart.delivery.patching import patched
from tests.chart.delivery.protobuf import MAGIC, secret_of

Object = dict[str, Any]

KINDS: Final = {
    "v1": {
        "ConfigMap": "configmaps",
        "Secret": "secrets",
        "Service": "services",
        "Pod": "pods",
        "ServiceAccount": "serviceaccounts",
        "PersistentVolumeClaim": "persistentvolumeclaims",
    },
    "apps/v1": {"Deployment": "deployments", "StatefulSet": "statefulsets"},
    "batch/v1": {"Job": "jobs", "CronJob": "cronjobs"},
    "policy/v1": {"PodDisruptionBudget": "poddisruptionbudgets"},
    "autoscaling/v2": {"HorizontalPodAutoscaler": "horizontalpodautoscalers"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies"},
}
PLURALS: Final = {plural: kind for kinds in KINDS.values() for kind, plural in kinds.items()}
VERSIONS: Final = {kind: version for version, kinds in KINDS.items() for kind in kinds}


class Refusal(Exception):
    """An answer that is no object: an HTTP status and a reason of Kubernetes."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "status": "Failure",
            "code": status,
            "reason": reason,
            "message": message,
        }


class Store:
    """The objects of one namespace, by plural and name."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], Object] = {}
        self.version = 0

    def names(self, plural: str) -> list[str]:
        """Return the names of what there is of a kind."""
        return sorted(name for kind, name in self.objects if kind == plural)

    def get(self, plural: str, name: str) -> Object:
        """Return an object; raises ``Refusal`` (404) if there is none."""
        try:
            return self.objects[plural, name]
        except KeyError:
            raise Refusal(404, "NotFound", f"{plural} {name!r} not found") from None

    def put(self, plural: str, thing: Object) -> Object:
        """Store an object as the API server would; raises ``Refusal`` if it may not change."""
        self.version += 1
        key = plural, thing["metadata"]["name"]
        before = self.objects.get(key, {})
        if before.get("immutable") and _content(before) != _content(thing):
            raise Refusal(422, "Invalid", f"{key[1]}: data: field is immutable when it is set")
        given = {"uid": f"uid-{self.version}", "creationTimestamp": "2026-11-27T00:00:00Z"}
        thing["metadata"] = {**given, **thing["metadata"], "resourceVersion": str(self.version)}
        if plural == "deployments" and thing["spec"].get("replicas") is None:
            thing["spec"]["replicas"] = 1
        self.objects[key] = thing
        return thing

    def create(self, plural: str, thing: Object) -> Object:
        """Store a new object; raises ``Refusal`` (409) if there is one."""
        if (plural, thing["metadata"]["name"]) in self.objects:
            raise Refusal(409, "AlreadyExists", f"{thing['metadata']['name']} already exists")
        return self.put(plural, thing)

    def patch(self, plural: str, name: str, change: Object) -> Object:
        """Change an object by a strategic merge patch."""
        return self.put(plural, patched(copy.deepcopy(self.get(plural, name)), change))

    def delete(self, plural: str, name: str) -> Object:
        """Remove an object."""
        self.get(plural, name)
        return self.objects.pop((plural, name))

    def listed(self, plural: str, selector: str) -> Object:
        """Return the objects of a kind whose labels are those of a selector."""
        wanted = dict(pair.split("=", 1) for pair in selector.split(",") if pair)
        found = [self.objects[plural, name] for name in self.names(plural)]
        items = [f for f in found if wanted.items() <= f["metadata"].get("labels", {}).items()]
        kind = PLURALS[plural]
        return {"kind": f"{kind}List", "apiVersion": VERSIONS[kind], "metadata": {}, "items": items}


def _content(thing: Mapping[str, Any]) -> list[Any]:
    return [thing.get("data"), thing.get("binaryData"), thing.get("immutable")]


def discovery(path: str) -> Object:
    """Return what an API server says of itself; raises ``Refusal`` (404) for another path."""
    groups = [version for version in KINDS if "/" in version]
    said: dict[str, Object] = {
        "/version": {"major": "1", "minor": "34", "gitVersion": "v1.34.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "groups": [_group(version) for version in groups]},
        "/openapi/v3": {"paths": {_root(v)[1:]: {"serverRelativeURL": _doc(v)} for v in KINDS}},
        **{_root(version): _resources(version) for version in KINDS},
        **{_doc(version): _operations(version) for version in KINDS},
    }
    try:
        return said[path]
    except KeyError:
        raise Refusal(404, "NotFound", f"found no {path}") from None


def _root(version: str) -> str:
    return f"/{'apis' if '/' in version else 'api'}/{version}"


def _doc(version: str) -> str:
    return f"/openapi/v3{_root(version)}"


def _group(version: str) -> Object:
    named = {"groupVersion": version, "version": version.partition("/")[2]}
    return {"name": version.partition("/")[0], "versions": [named], "preferredVersion": named}


def _resources(version: str) -> Object:
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    resources = [
        {"name": plural, "kind": kind, "namespaced": True, "singularName": "", "verbs": verbs}
        for kind, plural in KINDS[version].items()
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": resources}


def _operations(version: str) -> Object:
    """Return an OpenAPI document that says: fields are validated by the server."""
    group, _, name = version.rpartition("/")
    parameters = [{"name": "fieldValidation", "in": "query"}]
    paths = {}
    for kind, plural in KINDS[version].items():
        told = {"group": group, "version": name, "kind": kind}
        patch = {"parameters": parameters, "x-kubernetes-group-version-kind": told}
        paths[f"{_root(version)}/namespaces/{{namespace}}/{plural}/{{name}}"] = {"patch": patch}
    info = {"title": "a test", "version": "1"}
    return {"openapi": "3.0.0", "info": info, "paths": paths}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece: else each answer waits for an acknowledgement
    disable_nagle_algorithm = True
    store: Store

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        try:
            status, said = 200, self._said({} if self.command == "DELETE" else _object(sent))
        except Refusal as exc:
            status, said = exc.body["code"], exc.body
        text = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def _said(self, body: Object) -> Object:
        url = urlsplit(self.path)
        _, _, place = url.path.partition("/namespaces/")
        if "/" not in place:
            return discovery(url.path)
        plural, name = [*place.split("/"), ""][1:3]
        selector = parse_qs(url.query).get("labelSelector", [""])[0]
        asked = {
            "GET": lambda: self.store.get(plural, name),
            "POST": lambda: self.store.create(plural, body),
            "PUT": lambda: self.store.put(plural, body),
            "PATCH": lambda: self.store.patch(plural, name, body),
            "DELETE": lambda: self.store.delete(plural, name),
        }
        if self.command == "GET" and not name:
            return self.store.listed(plural, selector)
        return asked[self.command]()


def _object(body: bytes) -> Object:
    """Return what was sent: JSON, but for Secrets of Helm's own."""
    if body.startswith(MAGIC):
        return secret_of(body)
    return dict(json.loads(body)) if body else {}


@contextmanager
def serving() -> Iterator[tuple[str, Store]]:
    """Run the API on a free port of loopback; yield its URL and what it stores."""
    store = Store()
    handler = type("Handler", (_Handler,), {"store": store})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""The paths of the Kubernetes API that promotion uses, in this process, over real HTTP."""

import asyncio
import copy
import json
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from promotion.cluster.model_map import restore
from promotion.cluster.template import versions
from serving.artifact import Artifact
from serving.v2 import infer_path
from tests.promotion.cluster.fake_controller import Controlled
from tests.promotion.cluster.fake_objects import FULLNAME, Object, matches
from tests.serving.fake_v2 import answer_of

LOST = 504
"""A status that comes although the request was carried out."""


PATCH = f"PATCH .*/deployments/{FULLNAME}-mlserver"
PATCHED = f"PATCH /apis/apps/v1/namespaces/space/deployments/{FULLNAME}-mlserver"
ONE_COMMAND = """
import argparse, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # as in a terminal, though tests run under nohup
from promotion.commands import {0}
from promotion.config import PromotionSettings
parser = argparse.ArgumentParser()
{0}.add(parser.add_subparsers())
options = parser.parse_args()
sys.exit({0}.run(options, PromotionSettings()))
"""


@dataclass(slots=True)
class FakeCluster(Controlled):
    """One namespace, and the API in front of it."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        said = f"{request.method} {request.path}"
        self.asked.append(said)
        for hook in list(self.hooks):
            hook(said)
        for index, (pattern, status, times) in enumerate(self.faults):
            if re.search(pattern, said) and times > 0:
                self.faults[index] = (pattern, status, times - 1)
                if status == LOST:
                    await self._handled(request)
                return _failure(status, "as the test wants it")
        return await self._handled(request)

    async def _handled(self, request: web.Request) -> web.StreamResponse:
        *_, kind = (part for part in request.path.split("/") if part in (*self.objects, "x"))
        rest = request.path.rpartition(f"/{kind}")[2].strip("/").split("/")
        if rest[-1] == "portforward":
            return await self._forward(request, rest[0])
        if rest[-1] == "log":
            return web.Response(text=self.log)
        body = await request.json() if request.can_read_body else None
        return self._changed(request, kind, rest[0], body)

    def _changed(self, request: web.Request, kind: str, name: str, body: Any) -> web.Response:
        known = self.objects[kind]
        if request.method == "POST":
            return self._created(known, body)
        if not name:
            wanted = dict(
                pair.split("=")
                for pair in request.query.get("labelSelector", "").split(",")
                if pair
            )
            return web.json_response({"items": [e for e in known.values() if matches(e, wanted)]})
        if name not in known:
            return _failure(404, f"{kind} {name!r} not found")
        if request.method == "DELETE":
            del known[name]
            return web.json_response({"status": "Success"})
        if request.method == "PATCH":
            return self._patched(known[name], body)
        if kind == "deployments":
            self.step(known[name])
        return web.json_response(known[name])

    def _created(self, known: dict[str, Object], body: Object) -> web.Response:
        name = body["metadata"]["name"]
        if name in known:
            return _failure(409, f"{name!r} already exists")
        self.number += 1
        body["metadata"][
            "creationTimestamp"
        ] = f"2026-11-22T21:{self.number // 60:02}:{self.number % 60:02}Z"
        known[name] = body
        return web.json_response(body, status=201)

    def _patched(self, made: Object, patch: list[Object]) -> web.Response:
        before = made["metadata"]["resourceVersion"]
        changed = copy.deepcopy(made)
        for step in patch:
            *way, last = step["path"].strip("/").split("/")
            place = changed
            for part in way:
                place = place[part]
            place[last] = step["value"]
        if changed["metadata"]["resourceVersion"] != before:
            return _failure(409, "the object has been modified")
        if changed["spec"] != made["spec"]:
            changed["metadata"]["generation"] += 1
        made |= changed
        self.touch(made)
        return web.json_response(made)

    async def _forward(self, request: web.Request, pod: str) -> web.StreamResponse:
        """Carry one HTTP request to the pod, as a port-forward over a WebSocket does."""
        if pod not in self.objects["pods"]:
            return _failure(404, f"pods {pod!r} not found")
        if self.hanging:
            await asyncio.Event().wait()
        socket = web.WebSocketResponse(protocols=("v4.channel.k8s.io",))
        await socket.prepare(request)
        port = int(request.query["ports"]).to_bytes(2, "little")
        for channel in (b"\0", b"\1"):
            await socket.send_bytes(channel + port)
        received = b""
        async for message in socket:
            if message.type is not WSMsgType.BINARY:
                break
            received += message.data[1:]
            head, blank, body = received.partition(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            if blank and length and len(body) == int(length[1]):
                path = head.split()[1].decode()
                await socket.send_bytes(b"\0" + self._scored(pod, path, json.loads(body)))
        return socket

    def _scored(self, pod: str, path: str, question: Object) -> bytes:
        spec = self.objects["pods"][pod]
        for variant, version in versions(spec, FULLNAME).items():
            if path == infer_path(variant):
                with tempfile.TemporaryDirectory() as folder:
                    name = f"{FULLNAME}-model-{variant}-{version}"
                    artifact = restore(self.objects["configmaps"][name], Path(folder))
                return _http(200, answer(artifact, question, version in self.garbles))
        return _http(404, {"error": "no such model"})


def answer(artifact: Artifact, question: Object, garbled: bool) -> Object:
    """Return the V2 response of a linear model; a garbled one scores a little off."""
    (tensor,) = question["inputs"]
    count, width = tensor["shape"]
    rows = [tensor["data"][n * width : (n + 1) * width] for n in range(count)]
    assert artifact.linear is not None
    scores = [artifact.linear.score(row) + 0.1 * garbled for row in rows]
    return answer_of(artifact.info, scores)


@contextmanager
def running(cluster: FakeCluster) -> Iterator[FakeCluster]:
    """Have the API answer on a free port, in a thread."""
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def main(stop: asyncio.Event) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", cluster.answer)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        cluster.port = runner.addresses[0][1]
        started.set()
        await stop.wait()
        await runner.cleanup()

    stop = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(main(stop),))
    thread.start()
    assert started.wait(60)
    try:
        yield cluster
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(60)
        loop.close()


def _failure(status: int, message: str) -> web.Response:
    return web.json_response({"kind": "Status", "message": message}, status=status)


def _http(status: int, body: Object) -> bytes:
    data = json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


@dataclass
class Once:
    """Does something when a request comes for the nth time."""

    request: str
    act: Callable[[], None]
    number: int = 1

    def __call__(self, said: str) -> None:
        if self.request in said:
            self.number -= 1
            if self.number == 0:
                self.act()


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the last line on stderr."""
    return capsys.readouterr().err.splitlines()[-1]

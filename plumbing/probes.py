"""``/healthz``, ``/readyz`` and ``/metrics`` of a service without an HTTP interface of its own."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler

from prometheus_client import CollectorRegistry

from plumbing.exposition import exposition
from plumbing.listening import ThreadedServer

Ready = Callable[[], Mapping[str, bool]]
Answer = tuple[int, str, bytes]
"""Status, content type and body."""
Pages = Callable[[str], Answer | None]


def no_pages(path: str) -> None:
    """Know no path."""


class Probes:
    """Answers in a daemon thread.

    ``ready`` names what the service needs and whether it has it.
    ``stalled_after`` is how many seconds without ``beat`` make the service not alive.
    ``pages`` answers paths of the service's own, None for those that are none.
    """

    def __init__(
        self,
        host: str,
        port: int,
        registry: CollectorRegistry,
        ready: Ready,
        *,
        stalled_after: float = 60.0,
        pages: Pages = no_pages,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._host, self._port = host, port
        self._registry, self._ready = registry, ready
        self._stalled_after, self._pages, self._clock = stalled_after, pages, clock
        self._last_beat = clock()
        self._server: ThreadedServer | None = None

    def start(self) -> int:
        """Listen and give the bound port; port 0 takes a free one."""
        probes = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                status, kind, body = probes.answer(self.path, self.headers.get("Accept", ""))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: probes come every second."""

        self._server = ThreadedServer(self._host, self._port, Handler)
        threading.Thread(target=self._server.serve_forever, name="probes", daemon=True).start()
        return int(self._server.server_address[1])

    def beat(self) -> None:
        """Say that the main loop is alive."""
        self._last_beat = self._clock()

    def close(self) -> None:
        """Stop listening."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def answer(self, path: str, accept: str = "") -> Answer:
        """Return status, content type and body for a path."""
        match path.partition("?")[0]:
            case "/healthz":
                return self._alive()
            case "/readyz":
                return self._readiness()
            case "/metrics":
                return 200, *exposition(self._registry, accept)
            case _:
                found = self._pages(path.partition("?")[0])
                return found or _json(404, {"error": "expected /healthz, /readyz or /metrics"})

    def _alive(self) -> Answer:
        silent = self._clock() - self._last_beat
        alive = silent <= self._stalled_after
        return _json(200 if alive else 503, {"alive": alive, "seconds_since_beat": silent})

    def _readiness(self) -> Answer:
        parts = self._ready()
        missing = [name for name, there in parts.items() if not there]
        return _json(503 if missing else 200, {"ready": not missing, "missing": missing})


def _json(status: int, content: Mapping[str, object]) -> Answer:
    return status, "application/json", json.dumps(content).encode()

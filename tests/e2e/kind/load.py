"""Constant requests to ``/predict``; each failure is kept with time, phase and reason.

No request is tried twice, by neither kind of client: what a user would see is what is counted.
"""

import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from typing import Any, Final

TIMEOUT: Final = 5.0
"""Seconds after which a request without an answer has failed."""
HEADERS: Final = {"Content-Type": "application/json"}

Score = tuple[str, str, float]
"""Variant, version and score of an answer."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One request that was not answered with 200; ``seconds`` it took to know."""

    when: str
    phase: str
    client: str
    seconds: float
    reason: str


@dataclass(slots=True)
class Phase:
    """What happened while one thing was done to the system."""

    requests: int = 0
    slowest: float = 0.0
    failures: list[Failure] = field(default_factory=list)
    scores: Counter[Score] = field(default_factory=Counter)

    def versions(self) -> set[tuple[str, str]]:
        """Return the variants and versions that answered."""
        return {(variant, version) for variant, version, _ in self.scores}

    def answers(self) -> dict[str, int]:
        """Return how many answers each variant and version gave."""
        found: Counter[str] = Counter()
        for (variant, version, _), count in self.scores.items():
            found[f"{variant} {version}"] += count
        return dict(found)


class Load:
    """Clients that post one row again and again, each in a thread of its own.

    ``fresh`` clients open a connection for each request, ``kept`` ones keep theirs until the
    server says that it closes it. Each waits ``pause`` seconds after an answer.
    """

    def __init__(
        self,
        host: str,
        port: int,
        row: Mapping[str, float | None],
        *,
        fresh: int = 1,
        kept: int = 2,
        pause: float = 0.1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._address, self._pause, self._clock = (host, port), pause, clock
        self._body = json.dumps({"rows": [row]}).encode()
        self._over, self._lock = threading.Event(), threading.Lock()
        self._phase = "start"
        self.phases: defaultdict[str, Phase] = defaultdict(Phase)
        self._threads = [
            *(threading.Thread(target=self._fresh, name=f"fresh-{n}") for n in range(fresh)),
            *(threading.Thread(target=self._kept, name=f"kept-{n}") for n in range(kept)),
        ]

    def start(self) -> None:
        """Let all clients begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let all clients finish the request they are at."""
        self._over.set()
        for thread in self._threads:
            thread.join(2 * TIMEOUT)

    @property
    def on(self) -> bool:
        """Whether clients post."""
        return not self._over.is_set()

    def enter(self, phase: str) -> None:
        """Count under this name from now on."""
        with self._lock:
            self._phase = phase

    def seen(self, phase: str) -> Phase:
        """Return what was counted under a name so far."""
        with self._lock:
            found = self.phases[phase]
            return Phase(found.requests, found.slowest, list(found.failures), Counter(found.scores))

    @property
    def failures(self) -> Sequence[Failure]:
        """Every failure so far, in the order of the phases."""
        with self._lock:
            return [failure for phase in self.phases.values() for failure in phase.failures]

    def _fresh(self) -> None:
        while not self._over.wait(self._pause):
            connection = self._connection()
            self._post(connection, "fresh", {**HEADERS, "Connection": "close"})
            connection.close()

    def _kept(self) -> None:
        connection = self._connection()
        while not self._over.wait(self._pause):
            self._post(connection, "kept", HEADERS)
        connection.close()

    def _connection(self) -> HTTPConnection:
        return HTTPConnection(*self._address, timeout=TIMEOUT)

    def _post(self, connection: HTTPConnection, client: str, headers: Mapping[str, str]) -> None:
        """Send one request; afterwards the connection can be used again, or is closed."""
        with self._lock:
            phase = self._phase
        began, reused = self._clock(), connection.sock is not None
        try:
            connection.request("POST", "/predict", self._body, dict(headers))
            response = connection.getresponse()
            self._note(phase, client, began, response.status, response.read())
        except (OSError, HTTPException) as exc:
            connection.close()
            where = "on a kept connection" if reused else "on a new connection"
            self._fail(phase, client, began, f"{exc!r} {where}")

    def _note(self, phase: str, client: str, began: float, status: int, body: bytes) -> None:
        if status != 200:
            self._fail(phase, client, began, f"status {status}: {body[:200].decode()!r}")
            return
        answer = json.loads(body)
        key = answer["model_variant"], answer["version"], answer["scores"][0]
        seconds = self._clock() - began
        with self._lock:
            found = self.phases[phase]
            found.requests += 1
            found.slowest = max(found.slowest, seconds)
            found.scores[key] += 1

    def _fail(self, phase: str, client: str, began: float, reason: str) -> None:
        seconds = self._clock() - began
        when = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._lock:
            found = self.phases[phase]
            found.requests += 1
            found.slowest = max(found.slowest, seconds)
            found.failures.append(Failure(when, phase, client, round(seconds, 3), reason))


def as_json(failures: Sequence[Failure]) -> list[dict[str, Any]]:
    """Return failures as plain values."""
    return [asdict(failure) for failure in failures]
